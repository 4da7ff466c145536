"""A secret in the agent's memory goes into no core dump, and what it starts is limited as before.

Real processes with no limit on their dumps end by SIGABRT, and the kernel says whether it dumped.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

pytest.importorskip("cryptography", reason="the emulated vault needs it")
if sys.platform != "linux":
    pytest.skip("the mark is the Linux kernel's", allow_module_level=True)
sys.path.insert(0, str(Path(__file__).parents[1] / "keyvault"))  # tests are no package
from canaries import Canaries
from canary_machine import CanaryMachine, vault_of

from bootstrap import core_dumps
from bootstrap.emulator import Emulator

NOBODY = 65534
SOFT, HARD = 1536, 2560  # bytes
UNLIMITED = ("prlimit", "--core=unlimited")
SECRETS = {"api": {"vault": "contoso-prod", "name": "api-key"}}
ABORT = ["sh", "-c", "kill -ABRT $PPID; sleep 1", "{path}"]
PROBE = """\
import ctypes, json, resource, sys
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
limits = resource.getrlimit(resource.RLIMIT_CORE)
with open(sys.argv[1], "a") as file:
    file.write(json.dumps([sys.argv[2], dumpable, *limits]) + "\\n")
sys.stdout.write("sealed" if sys.argv[2] == "seal" else "")
"""


@pytest.fixture
def machine(tmp_path):
    """A machine with a vault, whose image has no document yet."""
    vaults = {"contoso-prod": {"rate": 0, "secrets": vault_of(Canaries())}}
    with Emulator.serve({"rate": 0, "vaults": vaults}) as emulator:
        yield CanaryMachine(tmp_path, Canaries(), emulator)


def aborted(machine):
    """Run the agent until a check ends it; whether the kernel dumped it."""
    process = machine.start("run", before=UNLIMITED)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -os.WTERMSIG(status)
    assert process.returncode == -signal.SIGABRT, machine.heard()
    return os.WCOREDUMP(status)


def test_a_run_with_secrets_is_not_dumped(machine):
    """Without secrets the same run is dumped here, with one it is not, and no file is left."""
    machine.image({"version": 1, "files": [{"path": "/etc/a", "content": "x", "check": ABORT}]})
    if not aborted(machine):
        pytest.skip("nothing is dumped on this machine")
    shutil.rmtree(machine.around / "cwd")
    (machine.around / "cwd").mkdir()
    files = [{"path": "/etc/app/a", "content": "{{ secrets.api }}", "check": ABORT}]
    machine.image({"version": 1, "secrets": SECRETS, "files": files})
    assert not aborted(machine)
    assert list((machine.around / "cwd").iterdir()) == []


def test_what_the_agent_starts_keeps_its_limits(machine, tmp_path):
    """A check, a handler, what seals credentials: each can be dumped, by the limits of before."""
    script, found = tmp_path / "probe.py", tmp_path / "found"
    script.write_text(PROBE)
    probe = [sys.executable, str(script), str(found)]
    tool = tmp_path / "bin" / "systemd-creds"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\nexec {' '.join(probe)} seal\n")
    tool.chmod(0o755)
    entry = {"path": "/etc/app/a", "content": "{{ secrets.api }}", "notify": ["shopd"]}
    document = {
        "version": 1,
        "secrets": {**SECRETS, "key": {**SECRETS["api"], "credential": "sealed"}},
        "files": [{**entry, "check": [*probe, "check", "{path}"]}],
        "handlers": {"shopd": [*probe, "handler"]},
    }
    machine.image(document)
    before = ("prlimit", f"--core={SOFT}:{HARD}")
    path = f"{tool.parent}{os.pathsep}{os.environ['PATH']}"
    ended = machine.agent("run", before=before, PATH=path)
    assert ended.code == 0, ended.said
    told = [json.loads(line) for line in found.read_text().splitlines()]
    assert told == [[who, 1, SOFT, HARD] for who in ("seal", "check", "handler")]


def test_it_is_the_processs_own_mark():
    """The mark is set for good, and a child that is another program has its own."""
    ask = "ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)"
    child = f"import ctypes; print({ask})"
    text = f"""
import ctypes, subprocess, sys
from bootstrap import core_dumps
print({ask}, core_dumps.forbid(), {ask}, flush=True)
subprocess.run([sys.executable, "-c", "{child}"], check=True)
"""
    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ended.stdout == "1 True 0\n1\n"


def test_a_python_without_ctypes_is_borne(monkeypatch):
    """Where it cannot be asked for, the run goes on, and says so to whoever wants every step."""
    monkeypatch.setitem(sys.modules, "ctypes", None)
    assert core_dumps.forbid() is False


@pytest.fixture
def open_folder():
    """A folder that everybody may enter; those of the tests are closed to others."""
    with tempfile.TemporaryDirectory(prefix="imds-bootstrap-core-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def python_of_nobody(before, packages):
    """A Python that `before` lets run the program, or None."""
    needs = "import bootstrap, jinja2, jsonschema, requests, yaml"
    for python in (sys.executable, "/usr/bin/python3"):
        tried = subprocess.run(
            [*before, python, "-c", needs],
            env={**os.environ, "PYTHONPATH": packages},
            cwd="/",
            capture_output=True,
            check=False,
        )
        if tried.returncode == 0:
            return python
    return None


def test_a_plain_user_can_do_all_the_same(open_folder):
    """The kernel gives /proc/self to root then; nothing that a run does needs it."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    import bootstrap

    before = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    found = [str(Path(one.__file__).parents[1]) for one in (bootstrap, yaml)]
    packages = os.pathsep.join([os.environ["PYTHONPATH"], *found])
    python = python_of_nobody(before, packages)
    if python is None:
        pytest.skip("there is no Python that nobody may run")
    vaults = {"contoso-prod": {"rate": 0, "secrets": vault_of(Canaries())}}
    with Emulator.serve({"rate": 0, "vaults": vaults}) as emulator:
        machine = CanaryMachine(open_folder, Canaries(), emulator)
        check = ["sh", "-c", 'grep -q . "$0"', "{path}"]
        secret = {"path": "/etc/app/a", "content": "{{ secrets.api }}", "check": check}
        plain = {"path": "/etc/app/b", "content": "b", "in_place": True, "notify": ["shopd"]}
        document = {"version": 1, "secrets": SECRETS, "files": [secret, plain]}
        machine.image({**document, "handlers": {"shopd": ["true"]}})
        authority = open_folder / "authority.pem"
        shutil.copy(emulator.ca_file, authority)
        for folder, _, names in os.walk(open_folder):
            for path in (folder, *(os.path.join(folder, name) for name in names)):
                os.chown(path, NOBODY, NOBODY)
        environ = {"PYTHONPATH": packages, "IMDS_BOOTSTRAP_VAULTS_CA_FILE": str(authority)}
        program = [python, "-m", "bootstrap"]
        for result in ("configured", "unchanged"):
            ended = machine.agent("run", before=before, program=program, **environ)
            assert ended.code == 0, ended.said
            assert result in ended.said
