"""What the tests of upgrades share: the recorded versions, and a machine that one of them left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # the modules beside this file

from recorded import VERSIONS, build, read_json, take  # noqa: E402

SECONDS = 60  # a run that takes longer hangs


def pytest_generate_tests(metafunc):
    """Run each test on every version that was recorded."""
    if "version" in metafunc.fixturenames:
        metafunc.parametrize("version", VERSIONS, ids=lambda path: path.name)


class Machine:
    """A machine of an old version, upgraded to this one, below `folder`."""

    def __init__(self, folder, version):
        self.version = version
        self.root = folder / "root"
        self.home = folder / "home"
        self.root.mkdir()
        self.home.mkdir()

    def recorded(self, name):
        """Return what the old version left."""
        return read_json(self.version / f"{name}.json")

    def build(self, name):
        """Make the machine as the old version left it, and return the record of it."""
        record = self.recorded(name)
        build(self.recorded("inputs") | record["tree"], self.root)
        return record

    def tree(self):
        """Return what is on the machine now, without the inputs."""
        return take(self.root)

    def path(self, name):
        """Return where a path of the machine is."""
        return self.root / name.lstrip("/")

    def agent(self, *words, code=0):
        """Run this version; it must exit with the code. Return what it printed."""
        environment = dict(os.environ, HOME=str(self.home))
        environment.pop(
            "IMDS_BOOTSTRAP_IMDS_ENDPOINT", None
        )  # the recorded settings have their own
        ended = subprocess.run(
            [sys.executable, "-m", "bootstrap", "--root", str(self.root), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout

    def run(self, document, code=0):
        """Configure the machine by one of the recorded instance documents."""
        saved = self.version / f"{document}.json"
        self.agent("run", "--offline", str(saved), code=code)

    def handlers(self):
        """Return the handlers that have run, in order."""
        log = self.home / "handlers"
        return log.read_text().split() if log.exists() else []


@pytest.fixture
def machine(tmp_path, version):
    """An empty machine, to be built as that version left it; skipped where nobody may own files."""
    if sys.platform != "linux" or os.geteuid() != 0:
        without = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        without("files with several owners need root, on Linux")
    return Machine(tmp_path, version)
