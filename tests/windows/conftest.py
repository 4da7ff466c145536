"""The program on a Windows of its own: a genuine Windows Python under Wine, cut off from nets."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
sys.path.insert(0, str(HERE))  # the modules beside this file

import interpreter  # noqa: E402
from wine import CONFIGURATION, SHOP, WINE, Wine, follow  # noqa: E402

WHO = "from bootstrap.platform.firmware import read_firmware; print(read_firmware().vm_id)"
LINK_LOCAL = "169.254.169.254"


def pytest_collection_modifyitems(items):
    """Every test here boots something, if only Wine."""
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.boot)


@pytest.fixture(scope="session")
def python():
    """The folders of the Windows interpreter and of its libraries."""
    without = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    if sys.platform != "linux" or os.geteuid() != 0:
        without("Wine is only started in a network namespace, which needs Linux and root")
    if not Path(WINE).exists():
        without("there is no Wine: apt-get install wine64")
    try:
        return interpreter.fetch(interpreter.cache())
    except (OSError, subprocess.SubprocessError) as error:
        without(f"no Windows Python can be had: {error}")


@pytest.fixture(scope="session")
def isolated(python):
    """A network namespace with two loopback addresses, one of them the platform's own."""
    name = f"imds-windows-{os.getpid()}"
    ip = ["ip", "-n", name]
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run([*ip, "addr", "add", f"{LINK_LOCAL}/32", "dev", "lo"], check=True)
        subprocess.run([*ip, "link", "set", "lo", "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.fixture(scope="session")
def wine(isolated):
    """Wine, inside that namespace."""
    with Wine(interpreter.cache() / "prefix", isolated) as running:
        yield running


@pytest.fixture(scope="session")
def vm_id(wine, python):
    """Which machine this is, as Wine's firmware tells the program."""
    machine = Windows(wine, *python, folder=None, vm_id=None)
    ended = wine.run(machine.python, "-c", WHO, environ=machine.environ)
    assert len(ended.out.strip()) == 36, ended
    return ended.out.strip()


@pytest.fixture
def windows(wine, python, vm_id, tmp_path):
    """A Windows machine that the program has never seen."""
    machine = Windows(wine, *python, folder=tmp_path, vm_id=vm_id)
    machine.wipe()
    yield machine
    machine.close()


class Windows:
    """A machine with an image and an IMDS; files are named by their Windows paths."""

    def __init__(self, wine, python, libraries, *, folder, vm_id):
        self.wine = wine
        self.vm_id = vm_id
        self.python = python / "python.exe"
        self.folder = folder
        self.emulator = None
        self.environ = {
            "PYTHONPATH": f"{on_z(CHECKOUT)};{on_z(libraries)}",
            "PYTHONPYCACHEPREFIX": r"C:\pycache",
            "PYTHONUTF8": "1",
            "IMDS_BOOTSTRAP_IMDS_ENDPOINT": "http://127.0.0.1:9",
        }

    def wipe(self):
        """Take away what earlier tests have left."""
        for folder in (CONFIGURATION, SHOP):
            shutil.rmtree(self.wine.path(folder), ignore_errors=True)
        self.put(rf"{CONFIGURATION}\config.d\README", "")

    def close(self):
        if self.emulator:
            self.emulator.terminate()
            self.emulator.communicate(timeout=20)

    def path(self, windows):
        """Where a file lies for this test."""
        return self.wine.path(windows)

    def put(self, path, text):
        """Make a file by hand."""
        where = self.path(path)
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(text.encode())
        return where

    def image(self, text):
        """The image's one document."""
        self.put(rf"{CONFIGURATION}\config.d\10-shop.yaml", f"version: 1\n{text}")

    def read(self, path):
        """A file's bytes; None where there is none."""
        where = self.path(path)
        return where.read_bytes() if where.exists() else None

    def names(self, path):
        """What is in a folder."""
        return sorted(one.name for one in self.path(path).iterdir())

    def imds(self, *, user_data="", host="127.0.0.1:0", **tags):
        """Let the emulator say this of the machine; it goes on with its own address."""
        said = {"vmId": self.vm_id, "tags": tags}
        machine = self.folder / "machine.yaml"
        if user_data:
            said["userData"] = user_data
        (self.folder / "machine.new").write_text(json.dumps(said))
        (self.folder / "machine.new").rename(machine)
        if self.emulator:
            return
        inside = ["ip", "netns", "exec", self.wine.namespace]
        command = [*inside, sys.executable, "-m", "bootstrap", "emulate", machine, "--listen", host]
        self.emulator = subprocess.Popen(
            command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        endpoint = self.emulator.stdout.readline().strip()
        self.environ["IMDS_BOOTSTRAP_IMDS_ENDPOINT"] = endpoint

    def agent(self, *words, expect=0, seconds=150):
        """Run the program; it must end with that code, and without a traceback."""
        ended = self.wine.run(
            self.python, "-m", "bootstrap", *words, environ=self.environ, seconds=seconds
        )
        assert ended.code == expect, ended
        assert "Traceback" not in ended.err, ended
        return ended

    def script(self, name, *words, expect=0, seconds=150):
        """Run one of the scripts beside this file in the Windows Python."""
        ended = self.wine.run(
            self.python, on_z(HERE / name), *words, environ=self.environ, seconds=seconds
        )
        assert ended.code == expect, ended
        return ended

    def start(self, name, *words):
        """Start one of the scripts, and wait for its first line."""
        process = self.wine.start(self.python, on_z(HERE / name), *words, environ=self.environ)
        line = process.stdout.readline().decode().strip()
        assert line, follow(process, 20)
        return process

    def status(self):
        """What the status file says."""
        return json.loads(self.read(rf"{CONFIGURATION}\status\status.json"))


def on_z(path):
    """What Wine calls a file of this machine."""
    return "Z:" + str(path).replace("/", "\\")
