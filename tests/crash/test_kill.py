"""A kill at any instant: the next run settles whether the machine is as it was or as asked for."""

import subprocess
import sys
from pathlib import Path

import pytest
from choosing import recovering, sample
from promises import broken_at_once, broken_later
from tracing import ALL, SECONDS, STARTS, STRACE, changing
from tracing import calls as calls_of

PROGRAMS = Path(sys.executable).parent  # where imds-bootstrap of this environment lies

pytestmark = pytest.mark.crash

CHUNKS = 12


def chunk(points, number, of=CHUNKS):
    """A share of the points, spread over the whole run."""
    return points[number::of]


@pytest.mark.parametrize("number", range(CHUNKS))
def test_killed_anywhere(machine, expected, points, count, number):
    """No target is half-written or missing, and the next run completes what the dead one began."""
    found = []
    mine = chunk(points, number)
    for call in mine:
        machine.restore()
        ended = machine.program.kill(call, *machine.run_argv())
        assert ended.killed, f"{call}: the run was not killed, but ended with {ended.code}"
        found += [f"{call}: {broken}" for broken in broken_at_once(machine, expected)]
        found += [f"{call}: {broken}" for broken in broken_later(machine, expected)]
    count("crash points", len(mine))
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def settled():
    """The machines, up to what is random in them, from which the next run was seen to recover."""
    return set()


@pytest.mark.parametrize("number", range(CHUNKS))
def test_killed_while_recovering(machine, expected, points, settled, count, tmp_path, number):  # noqa: PLR0917
    """A run that cleans up after a dead one may die itself, anywhere, and the next one goes on."""
    found = []
    tried = 0
    for call in chunk(sample(points), number):
        machine.restore()
        machine.program.kill(call, *machine.run_argv())
        machine.save(tmp_path / "dead")
        _, calls = machine.program.trace(*machine.run_argv(), root=machine.root)
        for second in recovering(changing(calls), points):
            tried += 1
            machine.restore(tmp_path / "dead")
            ended = machine.program.kill(second, *machine.run_argv())
            where = f"{call}, then {second}"
            assert ended.killed, f"{where}: the run was not killed, but ended with {ended.code}"
            if machine.digest() not in settled:
                settled.add(machine.digest())
                found += [f"{where}: {broken}" for broken in broken_at_once(machine, expected)]
                found += [f"{where}: {broken}" for broken in broken_later(machine, expected)]
    count("recoveries", tried)
    assert not found, "\n".join(found)


def test_there_is_something_to_be_killed_at(points):
    """Every kind of change is among the calls, so that the tests above say something."""
    names = {call.name for call in points}
    assert names & {*STARTS}
    assert {"write", "fsync", "renameat", "mkdirat", "unlinkat", "openat"} <= names


def test_the_warm_program_does_what_the_real_one_does(machine, points, tmp_path):
    """The calls that are found by a fork of a warm process are those of the installed command."""
    argv = [str(PROGRAMS / "imds-bootstrap"), *machine.run_argv()]
    log = tmp_path / "log"
    options = ["-y", "-s", "0", "-qq", "-o", str(log), "-e", f"trace={ALL}"]
    real = subprocess.run(
        [STRACE, *options, *argv], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert real.returncode == 0, real.stderr
    seen = changing(calls_of(log.read_text(), str(machine.root)))
    assert [(call.name, call.where) for call in seen] == [(c.name, c.where) for c in points]
