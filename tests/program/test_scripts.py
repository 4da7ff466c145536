"""The whole program, as scripts: each file in cases/ is one test, and needs no Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "cases").glob("*.sh"))
PROGRAMS = Path(sys.executable).parent  # where imds-bootstrap of this environment lies
SECONDS = 60  # a case that takes longer hangs


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script(script, tmp_path):
    """The promise in the script's first line is kept."""
    environment = {
        **os.environ,
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "SHARED": str(HERE.parents[2] / "shared"),
    }
    ended = subprocess.run(
        ["bash", "-c", f'source "{HERE}/prelude.sh"; source "{script}"'],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if ended.returncode == 77:  # as automake has it
        pytest.skip(ended.stderr.strip())
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_opens_with_its_promise(script):
    """The list of scripts is a specification."""
    first = script.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert first.endswith(".")
