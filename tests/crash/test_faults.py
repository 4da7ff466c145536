"""A disk that is full or broken at any instant: an error with its code, all old files whole."""

import pytest
from promises import all_or_none, broken_at_once, broken_later
from tracing import ACCESS, CONTENT, FLUSHES, FOLDERS, LINKS, MARKS, OPENS, REMOVALS, RENAMES

pytestmark = pytest.mark.crash

CHUNKS = 12
CAN_FAIL = (
    *(*CONTENT, *FLUSHES, *RENAMES, *LINKS, *FOLDERS),
    *(*OPENS, *ACCESS, *MARKS, *REMOVALS),
)
CANNOT_WRITE = 73
ERRORS = ("ENOSPC", "EIO")


def disturbed(ended):
    """What is wrong with the way the run ended."""
    said = ended.out + ended.err
    if "Traceback" in said or "IB009" in said:
        yield f"a fault of the program itself: {ended.err}"
    if ended.code == 0:
        return
    if ended.code != CANNOT_WRITE:
        yield f"it ended with {ended.code}: {ended.err}"
    if "error[IB5" not in ended.err:
        yield f"no error with its code: {ended.err}"


def tried(machine, expected, ended):
    """All that has to hold after a run whose disk failed once, and after the next one."""
    yield from disturbed(ended)
    yield from all_or_none(machine, expected)
    yield from aftermath(machine, expected, ended)


def aftermath(machine, expected, ended):
    """What has to hold however much has failed."""
    yield from broken_at_once(machine, expected)
    if ended.code == 0 and machine.targets() != expected.new:
        yield "it says it succeeded, and it did not"
    yield from broken_later(machine, expected)


@pytest.mark.parametrize("number", range(CHUNKS))
def test_a_call_fails(machine, expected, points, count, number):
    """One call that fails undoes the run, and the next run, on a healthy disk, succeeds."""
    found = []
    faults = [(c, error) for c in points if c.name in CAN_FAIL for error in ERRORS]
    for call, error in faults[number::CHUNKS]:
        machine.restore()
        ended = machine.program.fail(call, error, *machine.run_argv())
        broken = tried(machine, expected, ended)
        found += [f"{call} fails with {error}: {one}" for one in broken]
    count("faults", len(faults[number::CHUNKS]))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["write", "fsync", "mkdirat", "linkat", "renameat", "unlinkat"])
def test_the_disk_fails_from_then_on(machine, expected, points, count, name):
    """What cannot be put back at once, for the disk goes on failing, the next run puts back.

    Where it is `write` that fails, standard error fails too: then only the exit code can tell.
    """
    found = []
    calls = [call for call in points if call.name == name]
    for call in calls:
        machine.restore()
        ended = machine.program.fail(call, "ENOSPC", *machine.run_argv(), ever_after=True)
        broken = [*aftermath(machine, expected, ended)]
        if name != "write":
            broken += disturbed(ended)
        found += [f"{call} and later ones fail: {one}" for one in broken]
    count("faults", len(calls))
    assert not found, "\n".join(found)
