"""A power cut at any instant: what was not flushed is lost, and the next run settles it."""

import shutil

import pytest
from choosing import recovering, sample
from platter import Platter
from promises import broken_at_once, broken_later
from tracing import STARTS, changing
from victim import END

pytestmark = pytest.mark.crash

CHUNKS = 6
STRIDE = 3  # every third kind of dead run is recovered from
LOSSES = ("flushed", "ordered")


def heard_before(machine, expected, calls):
    """Let the handlers that had been started by then have done their work."""
    commands = sum(call.name in STARTS for call in calls)
    for name in expected.handlers[: max(0, commands - expected.checks)]:
        text = "".join(f"{read}{END}" for read in expected.heard[name])
        (machine.log / name).write_text(text)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("number", range(CHUNKS))
def test_power_cut_anywhere(machine, expected, opened, count, number, loss):  # noqa: PLR0917
    """Files are whole after a power cut too, and the next run completes what had begun."""
    found = []
    platter = Platter(machine.root)
    points = [at for at, call in enumerate(opened) if call.changes][number::CHUNKS]
    for at, call in enumerate(opened):
        if at in points:
            machine.restore()
            getattr(platter, loss)(machine.root)
            shutil.rmtree(machine.root / "run", ignore_errors=True)  # it is in memory
            heard_before(machine, expected, opened[:at])
            found += [f"{call}: {one}" for one in broken_at_once(machine, expected)]
            found += [f"{call}: {one}" for one in broken_later(machine, expected)]
        if call.name not in STARTS:
            platter.do(call)
    count("power cuts", len(points))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("number", range(CHUNKS))
def test_power_cut_while_recovering(first, machine, count, tmp_path, number):
    """A power cut after a kill, while the next run cleans up, loses nothing either."""
    _, expected, calls = first
    points = changing(calls)
    found, settled, tried = [], set(), 0
    for call in sample(points)[::STRIDE][number::CHUNKS]:
        machine.restore()
        machine.program.kill(call, *machine.run_argv())
        machine.save(tmp_path / "dead")
        platters = [(Platter(machine.root), loss) for loss in LOSSES]
        _, calls = machine.program.trace(*machine.run_argv(), root=machine.root)
        last = recovering(changing(calls), points)[-1]
        for second in calls[: calls.index(last)]:
            if second.name in STARTS:
                break
            for platter, loss in platters:
                if second.changes:
                    tried += 1
                    machine.restore(tmp_path / "dead")
                    getattr(platter, loss)(machine.root)
                    shutil.rmtree(machine.root / "run", ignore_errors=True)
                    where = f"{call}, then a power cut at {second}"
                    if machine.digest() not in settled:
                        settled.add(machine.digest())
                        found += [f"{where}: {one}" for one in broken_at_once(machine, expected)]
                        found += [f"{where}: {one}" for one in broken_later(machine, expected)]
                platter.do(second)
    count("power cuts", tried)
    assert not found, "\n".join(found)


def test_the_replay_ends_as_the_run_did(machine, expected, opened):
    """A disk that loses nothing in the replay is the disk that the run left."""
    platter = Platter(machine.root)
    for call in opened:
        if call.name not in STARTS:
            platter.do(call)
    platter.ordered(machine.root)
    assert machine.tree() == expected.tree
