"""A kill while a refused configuration is taken back: nothing of it stays, and nothing is lost."""

import pytest
from promises import Expected, broken_at_once, broken_later, unlike
from tracing import changing
from victim import FILES, NOTED

pytestmark = pytest.mark.crash

CHUNKS = 6
# Who was to hear of files that came and went may have to hear of the old ones once more.
STILL_DUE = ("pending_handlers",)
REFUSED = 1  # the exit code of a run whose handler failed


@pytest.fixture(scope="module")
def refused(first):
    """What a run leaves whose handlers refuse the new files, and its calls."""
    machine = first[0]
    machine.restore()
    machine.fails.touch()
    expected = Expected(machine, code=REFUSED)
    machine.restore()
    machine.fails.touch()
    _, calls = machine.program.trace(*machine.run_argv(), root=machine.root)
    return expected, changing(calls)


def test_a_refused_run_leaves_the_old_files(machine, expected, refused):
    """Without any disturbance a handler that fails brings every old file back."""
    assert refused[0].new == expected.old
    assert {name: read[-1] for name, read in refused[0].heard.items() if name == "app"} == {
        "app": "firstfirst"
    }


@pytest.mark.parametrize("number", range(CHUNKS))
def test_killed_while_it_is_refused(machine, expected, refused, count, number):
    """The next run is refused like the first, and once nobody refuses it, it succeeds."""
    found = []
    mine = refused[1][number::CHUNKS]
    for call in mine:
        machine.restore()
        machine.fails.touch()
        ended = machine.program.kill(call, *machine.run_argv())
        assert ended.killed, f"{call}: the run was not killed, but ended with {ended.code}"
        found += [f"{call}: {broken}" for broken in broken_at_once(machine, expected)]
        again = machine.run()
        if again.code != REFUSED:
            found.append(f"{call}: the next run ends with {again.code}: {again.err}")
        left = unlike(machine, refused[0], but=STILL_DUE)
        found += [f"{call}: {broken}" for broken in left]
        machine.fails.unlink()
        found += [f"{call}: {broken}" for broken in broken_later(machine, expected)]
    count("crash points", len(mine))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("number", range(CHUNKS))
def test_killed_while_it_is_refused_and_withdrawn(machine, expected, refused, count, number):
    """Nobody goes on with a file that came and went: who has read it reads the old one again."""
    found = []
    mine = refused[1][number::CHUNKS]
    named = [path for path, (says, _) in FILES.items() if says]
    asked = expected.old | {NOTED: expected.new[NOTED]}  # its drift is repaired whatever else is
    for call in mine:
        machine.restore()
        machine.fails.touch()
        machine.program.kill(call, *machine.run_argv())
        machine.write_document(0)
        ended = machine.run()
        if ended.code:
            found.append(f"{call}: the next run ends with {ended.code}: {ended.err}")
        there = machine.targets()
        wrong = [path for path in named if there.get(path) != asked[path]]
        if wrong:
            found.append(f"{call}: {wrong} are not what the document asks for")
        read = machine.heard().get("app", ["firstfirst"])
        if read[-1] != "firstfirst":
            found.append(f"{call}: the handler goes on with {read[-1]}")
    count("crash points", len(mine))
    assert not found, "\n".join(found)
