"""Durability, read from the system calls: what is flushed, and before what.

The power cuts beside this file try what follows from it; here it is said which flush is missing.
"""

import pytest
from tracing import (
    ACCESS,
    CONTENT,
    FLUSHES,
    FOLDERS,
    LINKS,
    MARKS,
    OPENS,
    REMOVALS,
    RENAMES,
    STARTS,
)
from victim import FILES, MARK

pytestmark = pytest.mark.crash

LIBRARY = "/var/lib/imds-bootstrap/"


def parent(path):
    return path.rpartition("/")[0]


class Calls:
    """The calls of a run on what has to last, by their place below the root: /run has not."""

    def __init__(self, calls, root):
        self.all = [
            (call.name, call.path.removeprefix(root), call.source.removeprefix(root))
            for call in calls
            if not call.where.startswith("/run/")
        ]

    def at(self, names, path):
        """Where the calls of these names on that path, or from it, stand."""
        return [at for at, (name, *on) in enumerate(self.all) if name in names and path in on]

    def last(self, names, path, end):
        """Where the last of them before `end` stands; -1 if there is none."""
        return max((at for at in self.at(names, path) if at < end), default=-1)

    def first(self, names, path, start=0):
        """Where the first of them from `start` on stands; after all calls if there is none."""
        return min((at for at in self.at(names, path) if at >= start), default=len(self.all))


@pytest.fixture
def calls(machine, points):
    return Calls(points, str(machine.root))


@pytest.fixture
def publishing(calls):
    """Where in the calls each target gets its new file: (where, target, staged file)."""
    found = [
        (at, path, source)
        for at, (name, path, source) in enumerate(calls.all)
        if name in (*RENAMES, *LINKS) and path in FILES
    ]
    assert found
    return found


@pytest.fixture
def first_change(calls):
    """Where in the calls the first target changes, by its name or in place."""
    return min(calls.first((*RENAMES, *REMOVALS, *CONTENT), path) for path in FILES)


@pytest.fixture
def journals(calls, first_change):
    """The agent's own files that are written before the first target changes."""
    found = {
        path
        for name, path, _ in calls.all[:first_change]
        if name in (*CONTENT, *RENAMES)
        and path.startswith(LIBRARY)
        and MARK not in path.rpartition("/")[2]
    }
    assert found, "no journal is written before the first target changes"
    return found


def test_each_file_is_flushed_before_it_is_published(calls, publishing):
    """Neither content, mode nor attributes are set between the flush of a file and its new name."""
    for at, target, staged in publishing:
        touched = calls.last((*CONTENT, *ACCESS, *MARKS), staged, at)
        flushed = calls.last(FLUSHES, staged, at)
        assert touched < flushed, f"{target} is published before its content is on the disk"


def test_each_folder_is_flushed_after_it_names_the_new_file(calls, publishing):
    """No handler hears of a file, and no record says it is there, before its name is on the disk.

    Only a check that has to see the new file in its place may run before that.
    """
    for at, target, _ in publishing:
        flushed = calls.first(FLUSHES, parent(target), at)
        before = calls.all[at:flushed]
        recorded = [
            path for name, path, _ in before if name in RENAMES and path.startswith(LIBRARY)
        ]
        assert not recorded, f"{target} is recorded before its folder is flushed"
        commands = [name for name, *_ in before if name in STARTS]
        assert len(commands) <= 1, f"a handler runs before the folder of {target} is flushed"


def test_each_new_folder_is_flushed_before_a_file_is_published_in_it(calls, publishing):
    """A folder whose own name is lost takes everything in it along."""
    made = [(at, path) for at, (name, path, _) in enumerate(calls.all) if name in FOLDERS]
    assert made
    for made_at, folder in made:
        flushed = calls.first(FLUSHES, parent(folder), made_at)
        inside = [at for at, target, _ in publishing if target.startswith(f"{folder}/")]
        assert flushed < min(inside, default=len(calls.all)), f"{folder} is not flushed in time"


def test_the_journal_is_on_the_disk_before_the_first_target_changes(calls, first_change, journals):
    """What says how to go back is safe before there is anything to go back from."""
    for journal in journals:
        written = calls.last(CONTENT, journal, first_change)
        flushed = calls.last(FLUSHES, journal, first_change)
        assert written < flushed, f"{journal} is not flushed before the first target changes"
        named = calls.first((*OPENS, *RENAMES), journal)
        held = calls.first(FLUSHES, parent(journal), named)
        assert held < first_change, f"the name of {journal} is not flushed in time"


def test_the_journal_goes_last(calls, publishing, journals):
    """It is let go of only when every folder in which a name changed is on the disk."""
    for journal in journals:
        gone = calls.first((*REMOVALS, *RENAMES), journal)
        for at, target, _ in publishing:
            flushed = calls.first(FLUSHES, parent(target), at)
            assert flushed < gone, f"{journal} goes before the folder of {target} is flushed"
