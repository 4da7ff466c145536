"""Next to cloud-init on what its firmware says is Azure: one userData, and each does its part.

The machine is a Generation 2 VM, which boots by UEFI. cloud-init finds Azure by the firmware, asks
the same emulator, and reports to a stand-in for Azure's host. The agent places a file that belongs
to a user whom cloud-init made.
"""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import shop
from disks import make_layer
from guests import UEFI, Guest, wait_until
from network import WIRE_SERVER, Network

pytestmark = pytest.mark.boot

PROGRAM = Path(__file__).parents[1] / "wire_server.py"

# Its stock modules take half a minute of an emulated processor: only those of the userData run.
CLOUD_CONFIG = {
    "datasource_list": ["Azure", "None"],
    "network": {"config": "disabled"},
    "cloud_init_modules": ["users-groups", "write-files"],
    "cloud_config_modules": [],
    "cloud_final_modules": [],
}
USER_DATA = """\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=="

--==
Content-Type: text/cloud-config

#cloud-config
users:
  - {name: shop, system: true, no_create_home: true}
write_files:
  - {path: /etc/shop/theirs.conf, content: "written by cloud-init\\n"}

--==
Content-Type: text/x-imds-bootstrap

#imds-bootstrap
version: 1
values: {generation: "1"}
files:
  - {path: /etc/shop/ours.conf, template: ours.j2, owner: shop, mode: "0400"}

--==--
"""
FURNITURE = {
    "documents": {},
    "files": {
        "etc/cloud/cloud.cfg.d/90_boot_test.cfg": json.dumps(CLOUD_CONFIG),
        "etc/imds-bootstrap/templates/ours.j2": "generation {{ values.generation }}\n",
    },
}
DESCRIBED = {
    "vmId": shop.VM_ID,
    "rate": 0,
    "userData": USER_DATA,
    "compute": {"osProfile": {"computerName": "shop-01", "adminUsername": "azureuser"}},
}


@contextmanager
def wire_server(network, log):
    """Have Azure's host answer, beside IMDS."""
    inside = ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", network.outside]
    with log.open("w") as file:
        process = subprocess.Popen([*inside, sys.executable, PROGRAM, WIRE_SERVER], stdout=file)
    try:
        wait_until(lambda: "listening" in log.read_text(), 30, log.read_text)
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def boot(kernel, make_disk, tmp_path_factory):
    """What there is to know of one boot, once both have done their part."""
    folder = tmp_path_factory.mktemp("cloud-init")
    layer = make_layer(make_disk("cloud-init", **FURNITURE), folder / "state.qcow2")
    log = folder / "wire.log"
    with (
        Network(folder, DESCRIBED) as network,
        wire_server(network, log),
        Guest(
            "next to cloud-init",
            kernel,
            layer,
            network,
            folder,
            uuid=shop.VM_ID,
            firmware=("-bios", UEFI),
        ) as guest,
    ):
        guest.told("systemctl start imds-bootstrap.target cloud-final.service", limit=300)
        guest.note("both done")
        return {
            "status": json.loads(guest.told("imds-bootstrap --format json status")),
            "cloud-init": guest.ask("cloud-init status --long"),
            "datasource": guest.told("cat /run/cloud-init/result.json"),
            "warned": guest.ask("grep WARNING /var/log/cloud-init.log")[1],
            "files": guest.told("cd /etc/shop && stat -c '%n %U %a' * && cat *"),
            "uefi": guest.ask("test -d /sys/firmware/efi"),
            "uuid": guest.told("cat /sys/class/dmi/id/product_uuid"),
            "requests": network.requests,
            "reports": log.read_text(),
        }


def test_each_reads_its_part_of_one_user_data(boot):
    """Both files are there, and ours belongs to the user whom cloud-init made."""
    assert boot["files"].splitlines() == [
        "ours.conf shop 400",
        "theirs.conf root 644",
        "generation 1",
        "written by cloud-init",
    ]
    assert boot["status"]["result"] == "configured"
    assert boot["status"]["vm_id"] == shop.VM_ID


def test_cloud_init_takes_the_emulator_for_azure(boot):
    """Its own Azure code found its platform, asked our emulator, and was content."""
    assert "DataSourceAzure" in boot["datasource"]
    assert boot["cloud-init"][0] == 0, boot["cloud-init"][1]
    assert json.loads(boot["datasource"])["v1"]["errors"] == []
    assert any("api-version=2021-08-01" in request for request in boot["requests"])
    assert "<State>Ready</State>" in boot["reports"]


def test_neither_minds_the_others_part(boot):
    """The agent says nothing of cloud-init's part; cloud-init that it left ours alone, no more."""
    assert boot["status"].get("warnings", []) == []
    [warning] = boot["warned"].splitlines()
    assert "Unhandled unknown content-type (text/x-imds-bootstrap)" in warning


def test_a_generation_2_firmware_has_the_id_as_imds_gives_it(boot):
    """Under UEFI the bytes of the firmware's id are in the usual order."""
    assert boot["uefi"] == (0, "")
    assert boot["uuid"] == f"{shop.VM_ID}\n"
