"""What a boot does not need it does not load; seen in real processes that ask a real emulator.

How long each takes is a matter of the machine, and is measured by `make bench`; which modules are
loaded is the same everywhere, and is held here by the same program.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

CHECKOUT = Path(__file__).parents[2]
BENCH = CHECKOUT / "tests" / "bench.py"

LIBRARIES = ("yaml", "jinja2", "jsonschema", "requests")
# Each of them, or what comes with it, costs as much as a good part of a bare interpreter's start.
COSTLY = (
    *("typing", "logging", "subprocess", "tempfile", "shutil", "pathlib", "random", "datetime"),
    *("http.client", "urllib.parse", "ssl", "email", "zipfile", "importlib.resources"),
    *("importlib.metadata", "asyncio", "threading", "ctypes", "dataclasses", "inspect"),
)


def bench(*options):
    command = [sys.executable, str(BENCH), *options]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


@pytest.fixture(scope="module")
def loaded():
    """The modules of each command of the bench, beyond those of a bare interpreter."""
    return json.loads(bench("--modules"))


@pytest.mark.parametrize("name", [*LIBRARIES, *COSTLY])
@pytest.mark.parametrize("case", ["unchanged run", "status", "get tags.Environment"])
def test_a_light_command_does_not_load(loaded, case, name):
    """An unchanged boot, `status` and a question about a tag pay for no module they do not need."""
    assert name not in loaded[case]


@pytest.mark.parametrize("room", ["bootstrap.document", "bootstrap.config", "bootstrap.render"])
def test_an_unchanged_run_enters_no_room_that_decides(loaded, room):
    """With settings in agent.yaml and documents in YAML, an unchanged boot parses none of them."""
    assert (CHECKOUT / "templates/image/agent.yaml").is_file()
    assert "bootstrap.settings.load" in loaded["unchanged run"]
    assert not [name for name in loaded["unchanged run"] if f"{name}.".startswith(f"{room}.")]


def test_status_enters_only_the_rooms_that_tell(loaded):
    """`status` needs neither settings nor state, so anybody may ask, and at any time."""
    rooms = {name.split(".")[1] for name in loaded["status"] if name.startswith("bootstrap.")}
    assert rooms == {"cli", "errors", "fs", "layout", "problem", "report"}


def test_a_first_run_is_seen_to_load_what_it_uses(loaded):
    """The list is not blind: a first run loads the template language, the schema, the parser."""
    assert {"yaml", "jinja2", "jsonschema", "subprocess"} <= set(loaded["first run of 5 files"])


def test_no_boot_loads_requests(loaded):
    """IMDS is plain HTTP on the host; `requests` is for Key Vault."""
    assert not [case for case, names in loaded.items() if "requests" in names]


def test_the_bench_runs(loaded):
    """`make bench` measures every command against a bare interpreter."""
    printed = bench("--rounds", "1")
    for case in ("bare interpreter", *loaded):
        assert f"\n{case} " in printed
    assert printed.count("pass") + printed.count("MISS") == 3
