"""What is flushed, and before what, on each way that a commit can take: read from system calls.

The traces beside the crash tests follow a whole run that succeeds. Here are the ways back.
"""

from __future__ import annotations

import os

import pytest

from bootstrap.apply.transaction import rollback
from bootstrap.apply.transaction.commit import Transaction
from bootstrap.errors import CommandFailed, WriteError
from bootstrap.fs import atomic

JOURNAL_GOES = ("unlink", "journal.json")
CHANGES = 6  # of `plan_of_each_kind`


@pytest.fixture
def planned(machine, wanted):
    """A plan with one change of each kind."""
    return machine.plan_of_each_kind(wanted, removed="/usr/gone", in_place="/var/in-place")


def test_old_files_are_on_the_disk_before_a_rollback_tells_of_them(machine, planned, calls):
    """When handlers hear of the old files, each folder in which one came back is flushed, once."""
    transaction = machine.begin(planned)
    calls.all.clear()
    transaction.roll_back()
    assert {paths[-1] for _, *paths in calls.of("replace", "unlink")} == {
        "etc/changed",
        "etc/mode",
        "etc/link",
        "srv/new/file",
        "usr/gone",
    }
    assert calls.unflushed() == set()
    # The file that was written over has not changed its name.
    flushed = [path for _, path in calls.of("fsync")]
    assert sorted(flushed) == ["etc", "srv/new", "usr", "var/in-place"]


def test_the_journal_of_a_rollback_goes_last(machine, planned, calls):
    """Until nothing of the commit can come back by a power cut, the journal stays."""
    transaction = machine.begin(planned)
    transaction.roll_back()
    transaction.close()
    assert calls.all[-1] == JOURNAL_GOES
    assert calls.unflushed(until=JOURNAL_GOES) == set()
    assert ("rmdir", "srv/new") in calls.all


def test_the_journal_of_a_finished_commit_goes_last(machine, planned, calls):
    """The old files are gone from the disk before the journal is."""
    transaction = machine.begin(planned)
    transaction.confirm()
    assert calls.unflushed() == set()
    assert JOURNAL_GOES not in calls.all
    calls.all.clear()
    transaction.close()
    assert len(calls.of("unlink")) == CHANGES  # five old files, and the journal
    assert calls.all[-1] == JOURNAL_GOES
    assert calls.unflushed(until=JOURNAL_GOES) == set()


def test_the_journal_of_a_failed_commit_goes_last(machine, wanted, calls):
    """A check that fails on staged files leaves nothing of them that could come back."""
    with pytest.raises(CommandFailed):
        machine.apply(wanted("/etc/a"), wanted("/srv/b", check=("false", "{path}")))
    assert calls.all[-1] == JOURNAL_GOES
    assert calls.unflushed(until=JOURNAL_GOES) == set()


@pytest.mark.parametrize("steps", range(CHANGES + 1))
def test_the_journal_of_a_dead_process_goes_last(machine, planned, calls, steps):
    """Whoever settles it flushes what was changed by it, however far the dead one came."""
    root = str(machine.root)
    machine.die_after(planned, steps)
    calls.all.clear()
    contents = machine.journal().read()
    rollback.revert(contents, root)
    assert calls.unflushed() == set()
    rollback.cleanup(machine.journal(), contents, root, rollback.remove_staged)
    assert calls.all[-1] == JOURNAL_GOES
    assert calls.unflushed(until=JOURNAL_GOES) == set()


@pytest.mark.parametrize("staged", range(CHANGES + 1))
def test_what_was_staged_goes_before_its_journal(machine, planned, calls, staged):
    """Staged and kept files, and the folders made for them, are gone from the disk before it."""
    root = str(machine.root)
    transaction = Transaction(planned, machine.journal(), "dead")
    transaction.begin({})
    for folder in transaction._contents.folders:
        transaction._make(folder)
    for step in transaction._steps[:staged]:
        step.stage()
        step.save_original()
    calls.all.clear()
    rollback.cleanup(machine.journal(), machine.journal().read(), root, rollback.remove_staged)
    assert calls.all[-1] == JOURNAL_GOES
    assert ("rmdir", "srv") in calls.all
    assert calls.unflushed(until=JOURNAL_GOES) == set()


def test_names_are_on_the_disk_before_the_journal_speaks_of_them(machine, planned, calls):
    """Each line of the journal is flushed, and each folder before the line that relies on it."""
    phases = []

    def watch(call, *paths, note=calls.note):
        note(call, *paths)
        if calls.all[-1] == ("fsync", "journal.json"):
            phases.append((machine.journal().read().phase, calls.unflushed()))

    calls.note = watch
    machine.begin(planned).confirm()
    # The name of the journal itself is flushed after its first line.
    assert phases == [("intent", {"."}), ("prepared", set()), ("committed", set())]


def test_what_is_kept_beside_the_journal_is_on_the_disk_before_it_is_relied_on(
    machine, wanted, calls
):
    """The old content of a file that is written over lies there, and nowhere else."""
    machine.put("/etc/a", "old\n")
    transaction = Transaction(machine.plan(wanted("/etc/a", in_place=True)), machine.journal(), "t")
    transaction.begin({})
    calls.all.clear()
    transaction.prepare(timeout=1, run=None)
    kept = ".a.imds-bootstrap-t-0~"
    assert calls.all == [
        ("create", kept),
        ("fsync", kept),
        ("fsync", "."),
        ("fsync", "journal.json"),
    ]


def test_the_name_of_the_journal_is_on_the_disk_before_anything_is_staged(machine, planned, calls):
    """A journal whose name a power cut takes would leave what it lists for ever."""
    transaction = Transaction(planned, machine.journal(), "t")
    transaction.begin({})
    assert calls.all == [("create", "journal.json"), ("fsync", "journal.json"), ("fsync", ".")]


def test_a_journal_whose_name_cannot_be_flushed_is_taken_back(machine, planned, monkeypatch):
    """Nothing is begun by a journal that may not be there after a power cut."""
    before = machine.tree()
    refuse_to_flush(monkeypatch, str(machine.root))
    with pytest.raises(WriteError, match=r"^writing the journal /journal.json: Input/output error"):
        machine.commit(planned)
    assert machine.tree() == before


def refuse_to_flush(monkeypatch, path, fsync=os.fsync):
    """Let the flush of one file or folder fail."""

    def refuse(descriptor):
        if os.readlink(f"/proc/self/fd/{descriptor}") == path:
            raise OSError(5, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)


def put_back(story, root):
    """Undo a commit, and remove what was staged and kept for it."""
    rollback.revert(story, root)
    rollback.remove_staged(story, root)


@pytest.mark.parametrize(("path", "told"), [("etc", "/etc"), ("srv/new", "/srv/new"), ("", "/")])
def test_a_folder_that_cannot_be_flushed_keeps_the_journal(
    machine, planned, monkeypatch, path, told
):
    """A rollback of which nobody knows whether it lasts is an error, and is begun again."""
    machine.put("/top", "old\n")
    transaction = Transaction(planned, machine.journal(), "dead")
    transaction.begin({})
    transaction.prepare(timeout=1, run=None)
    for step in transaction._steps:
        step.rename_into_place()
    root = str(machine.root)
    story = machine.journal().read()
    with monkeypatch.context() as patch:
        refuse_to_flush(patch, str(machine.path(path)))
        with pytest.raises(WriteError) as caught:
            put_back(story, root)
    (problem,) = caught.value.problems
    assert caught.value.message == f"flushing the folder {told}: Input/output error"
    assert (problem.message, problem.path) == ("flushing the folder: Input/output error", told)
    assert machine.path("/journal.json").exists()


def test_own_files_are_flushed_before_and_after_they_get_their_names(machine, calls):
    """The content first, then its name: a power cut leaves the old file or the new one."""
    root = str(machine.root)
    machine.path("/lib").mkdir()
    calls.all.clear()
    assert atomic.write_file("/lib/a", b"content", mode=0o600, root=root)
    staged = "lib/.a.imds-bootstrap-new"
    assert calls.all == [
        ("create", staged),
        ("fsync", staged),
        ("replace", staged, "lib/a"),
        ("fsync", "lib"),
    ]


def test_an_own_link_is_flushed_after_it_gets_its_name(machine, calls):
    """A link has no content to flush; its name it has."""
    assert atomic.write_pointer("/a", "target", root=str(machine.root))
    assert calls.of("replace", "fsync") == [
        ("replace", ".a.imds-bootstrap-new", "a"),
        ("fsync", "."),
    ]


def test_own_folders_are_flushed_from_the_outermost(machine, calls):
    """A folder whose own name a power cut takes would take what is in it along."""
    atomic.make_folders("/a/b/c", 0o700, root=str(machine.root))
    assert calls.all == [
        ("mkdir", "a"),
        ("fsync", "."),
        ("mkdir", "a/b"),
        ("fsync", "a"),
        ("mkdir", "a/b/c"),
        ("fsync", "a/b"),
    ]
    calls.all.clear()
    atomic.make_folders("/a/b/c", 0o700, root=str(machine.root))
    assert calls.all == []
    atomic.make_folders("/a/b/d", 0o700, root=str(machine.root))
    assert calls.all == [("mkdir", "a/b/d"), ("fsync", "a/b")]


def test_a_journal_that_is_set_aside_is_flushed(machine, calls):
    """A journal that came back under its first name would be settled as if it were whole."""
    machine.put("/journal.json", "no journal\n")
    machine.journal().set_aside("corrupt-now")
    assert calls.all == [
        ("replace", "journal.json", "journal.json.corrupt-now"),
        ("fsync", "."),
    ]


def test_new_files_are_on_the_disk_before_handlers_hear_of_them(machine, planned, calls):
    """When a commit is there to be confirmed, each folder in which a name changed is flushed."""
    transaction = Transaction(planned, machine.journal(), "t")
    transaction.begin({})
    transaction.prepare(timeout=1, run=None)
    calls.all.clear()
    transaction.publish(timeout=1, run=None)
    assert calls.unflushed() == set()
    flushed = [path for _, path in calls.of("fsync")]
    assert sorted(flushed) == ["etc", "srv/new", "usr", "var/in-place"]


@pytest.mark.parametrize("told", ["/etc", "/srv/new", "/"])
@pytest.mark.parametrize("late", [True, False])
def test_a_commit_whose_folder_cannot_be_flushed_is_undone(
    machine, wanted, monkeypatch, told, late
):
    """No journal tells of a staged or a published file that a power cut may take."""
    machine.put("/etc/a", "old\n")
    machine.put("/srv/new/b", "old\n")
    machine.put("/c", "old\n")
    planned = machine.plan(wanted("/etc/a"), wanted("/srv/new/b"), wanted("/c"))
    before = machine.tree()
    transaction = Transaction(planned, machine.journal(), "t")
    transaction.begin({})
    if late:
        transaction.prepare(timeout=1, run=None)
    with monkeypatch.context() as patch:
        refuse_to_flush(patch, str(machine.path(told)))
        with pytest.raises(WriteError) as caught:
            (transaction.publish if late else transaction.prepare)(timeout=1, run=None)
    transaction.abandon(caught.value)
    assert caught.value.message == f"flushing the folder {told}: Input/output error"
    assert caught.value.problems[0].path == told
    assert machine.tree() == before
