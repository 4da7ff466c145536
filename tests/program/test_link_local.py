"""The whole program at the platform's own address, in a network namespace that nothing leaves."""

import json
import os
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.process

VM_ID = "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b"
# What the firmware of a Generation 1 VM makes of it, in the letters of an old kernel.
PRODUCT_UUID = "7C8D9E0F-5A6B-3849-8271-605F4E3D2C1B"
AZURE = "7783-7084-3265-9085-8269-3286-77"
ADDRESS = "169.254.169.254"
DOCUMENT = """\
version: 1
files:
  - {path: /etc/app/a, content: "{{ instance.compute.vmId }}\\n"}
"""


@pytest.fixture
def root(tmp_path):
    """An image on a Generation 1 VM, whose settings say nothing about IMDS."""
    folder = tmp_path / "root"
    documents = folder / "etc/imds-bootstrap/config.d"
    documents.mkdir(parents=True)
    (documents / "10-app.yaml").write_text(DOCUMENT)
    firmware = folder / "sys/class/dmi/id"
    firmware.mkdir(parents=True)
    (firmware / "chassis_asset_tag").write_text(f"{AZURE}\n")
    (firmware / "product_uuid").write_text(f"{PRODUCT_UUID}\n")
    return folder


@pytest.fixture
def start(namespace):
    """Starts the program inside the namespace, and ends it with the test."""
    environment = {**os.environ}
    del environment["IMDS_BOOTSTRAP_IMDS_ENDPOINT"]
    started = []

    def begin(*words):
        command = ["ip", "netns", "exec", namespace, sys.executable, "-m", "bootstrap"]
        process = subprocess.Popen(
            [*command, *map(str, words)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate(timeout=10)


@pytest.fixture
def emulate(start, tmp_path):
    """Serves a machine of this id, and gives the address when it listens."""

    def serve(vm_id, listen):
        file = tmp_path / "machine.yaml"
        file.write_text(f"vmId: {vm_id}\nrate: 0\n")
        return start("emulate", file, "--listen", f"{listen}:80").stdout.readline()

    return serve


def link_up(namespace):
    subprocess.run(["ip", "-n", namespace, "addr", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)


def status_of(root):
    return json.loads((root / "run/imds-bootstrap/status.json").read_text())


def test_a_machine_of_azure_configures_itself(namespace, start, emulate, root):
    """Without any setting the firmware is asked, then the link-local address, and that is all."""
    link_up(namespace)
    assert emulate(VM_ID, ADDRESS) == f"http://{ADDRESS}:80\n"
    run = start("--root", root, "run", "--deadline", "20")
    printed, said = run.communicate(timeout=30)
    assert run.returncode == 0, said
    assert printed.startswith("configured: 1 file changed")
    assert (root / "etc/app/a").read_text() == f"{VM_ID}\n"
    assert status_of(root)["imds"]["outcomes"] == {"ok": 1}
    assert (root / "var/lib/imds-bootstrap/instances" / VM_ID).is_dir()


def test_a_link_that_comes_up_late_is_waited_for(namespace, start, emulate, root):
    """A boot in which the network comes after the agent ends as well as any other."""
    assert emulate(VM_ID, "0.0.0.0").startswith("http://")
    run = start("--root", root, "run", "--deadline", "20")
    assert "outcome=unreachable" in run.stderr.readline()
    time.sleep(1.5)  # the network is late: this is the time that the run has to bear
    assert run.poll() is None
    link_up(namespace)
    printed, said = run.communicate(timeout=30)
    assert run.returncode == 0, said
    assert printed.startswith("configured: 1 file changed")
    assert "warning" not in said
    assert status_of(root)["imds"]["outcomes"]["unreachable"] > 1


def test_another_machines_answer_is_not_taken(namespace, start, emulate, root):
    """An answer for another VM is asked again until the deadline, and told for what it is."""
    link_up(namespace)
    stranger = "99999999-2222-3333-4444-555555555555"
    emulate(stranger, ADDRESS)
    run = start("--root", root, "run", "--deadline", "2")
    _, said = run.communicate(timeout=30)
    assert run.returncode == 75, said
    assert "outcome=other-vm" in said
    assert f"it is {stranger}, this is {VM_ID}" in said
    assert not (root / "etc/app").exists()
    assert list(status_of(root)["imds"]["outcomes"]) == ["other-vm"]
