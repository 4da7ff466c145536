"""A kill during the first run of a machine, when not even the folders of the agent are there."""

import shutil

import pytest
from promises import Expected, broken_at_once, broken_later
from tracing import changing

pytestmark = pytest.mark.crash

CHUNKS = 6


def as_new(machine):
    """A machine of which no agent knows anything, and whose files are others."""
    machine.restore()
    shutil.rmtree(machine.root / "var")
    shutil.rmtree(machine.root / "run")


def as_captured(machine):
    """A machine of which no agent knows anything, and whose files are as they shall be."""
    machine.restore()
    assert machine.run().code == 0
    shutil.rmtree(machine.root / "var")
    shutil.rmtree(machine.root / "run")
    for log in machine.log.iterdir():
        log.unlink()


@pytest.fixture(scope="module", params=[as_new, as_captured], ids=["new", "captured"])
def booted(request, first, tmp_path_factory):
    """A machine that was never configured, what its first boot leaves, and its calls."""
    machine = first[0]
    unborn = tmp_path_factory.mktemp("unborn") / "machine"
    request.param(machine)
    machine.save(unborn)
    expected = Expected(machine, old=machine.targets())
    machine.restore(unborn)
    _, calls = machine.program.trace(*machine.run_argv(), root=machine.root)
    return unborn, expected, changing(calls)


@pytest.mark.parametrize("number", range(CHUNKS))
def test_killed_on_the_first_boot(machine, booted, count, number):
    """The second boot completes what the first began, and leaves nothing behind."""
    found = []
    unborn, expected, calls = booted
    mine = calls[number::CHUNKS]
    for call in mine:
        machine.restore(unborn)
        ended = machine.program.kill(call, *machine.run_argv())
        assert ended.killed, f"{call}: the run was not killed, but ended with {ended.code}"
        found += [f"{call}: {broken}" for broken in broken_at_once(machine, expected)]
        found += [f"{call}: {broken}" for broken in broken_later(machine, expected)]
    count("crash points", len(mine))
    assert not found, "\n".join(found)
