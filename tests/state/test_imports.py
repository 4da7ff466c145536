from __future__ import annotations

import os
import subprocess
import sys

import pytest

import bootstrap

UNCHANGED_BOOT = """
import sys
from bootstrap.state.manifest import verify
from bootstrap.state import store
from bootstrap.state.lock import Lock
with Lock(root=sys.argv[1]):
    loaded = store.load("x", root=sys.argv[1])
    verify(loaded.state.written.values() if loaded.state else (), root=sys.argv[1])
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """What an unchanged boot's look at the state and the files loads."""
    command = [sys.executable, "-S", "-c", UNCHANGED_BOOT, str(tmp_path_factory.mktemp("root"))]
    found_in = os.path.dirname(os.path.dirname(bootstrap.__file__))
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PYTHONPATH": found_in}
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "name", ["subprocess", "tempfile", "shutil", "typing", "pathlib", "yaml", "jinja2", "random"]
)
def test_unchanged_boot_does_not_load(modules, name):
    """An unchanged boot pays for no module that it does not need."""
    assert "bootstrap.state.store" in modules
    assert name not in modules
