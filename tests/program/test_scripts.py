"""The whole program, as scripts: each file in cases/ is one test, and needs no Python."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

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
    case = subprocess.Popen(
        ["bash", "-c", f'source "{HERE}/prelude.sh"; source "{script}"'],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, said = case.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(case.pid, signal.SIGKILL)  # the emulator of a case that hangs goes with it
        _, said = case.communicate()
        pytest.fail(f"the case took longer than {SECONDS} s\n{said}")
    if case.returncode == 77:  # as automake has it
        pytest.skip(said.strip())
    assert case.returncode == 0, said


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_opens_with_its_promise(script):
    """The list of scripts is a specification."""
    first = script.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert first.endswith(".")
