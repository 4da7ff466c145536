"""Each branch of finishing and undoing, from what a dead process leaves on a real disk."""

from __future__ import annotations

import json
import os

import pytest

from bootstrap.apply.transaction import rollback
from bootstrap.apply.transaction.commit import Transaction
from bootstrap.apply.transaction.journal import Damaged
from bootstrap.apply.transaction.step import Step
from bootstrap.fs import write

EVERYTHING = ("/etc/changed", "/etc/mode", "/etc/link", "/etc/in-place", "/srv/new/file")


@pytest.fixture
def begun(machine, wanted):
    """A plan with one change of each kind, and what the tree was before."""
    machine.put("/etc/gone", "gone\n")
    machine.apply(wanted("/etc/gone", "written\n"))
    machine.put("/etc/changed", "old\n", 0o600)
    machine.put("/etc/mode", "new\n", 0o600)
    machine.path("/etc/link").symlink_to("changed")
    machine.put("/etc/in-place", "a longer old content\n", 0o640)
    options = {"/etc/link": {"symlink": "replace"}, "/etc/in-place": {"in_place": True}}
    files = [wanted(path, **options.get(path, {})) for path in EVERYTHING]
    planned = machine.plan(*files, prune=True)
    assert len(planned.changes) == 6
    return planned, machine.tree()


def died_after(machine, planned, steps):
    """Leave the disk as a process that died after so many names were published."""
    transaction = Transaction(planned, machine.journal(), "dead")
    transaction.begin({"mine": 1})
    transaction.prepare(timeout=1, run=None)
    for step in transaction._steps[:steps]:
        step.rename_into_place()
    return transaction


def settle(machine):
    """What the next process does, from the disk alone; gives the phase it found."""
    story = machine.journal().read()
    if story.phase == "committed":
        rollback.remove_originals(story, str(machine.root))
    else:
        rollback.revert(story, str(machine.root))
        rollback.remove_staged(story, str(machine.root))
    machine.journal().remove()
    return story.phase


@pytest.mark.parametrize("steps", range(7))
def test_undone_after_any_number_of_names(machine, begun, steps):
    """However many names had changed, all is as it was, and nothing is left."""
    planned, before = begun
    died_after(machine, planned, steps)
    assert machine.tree() != before
    assert settle(machine) == "prepared"
    assert machine.tree() == before


@pytest.mark.parametrize("staged", range(6))
def test_undone_while_staging(machine, begun, staged):
    """What was staged before anything changed goes, with the folders made for it."""
    planned, before = begun
    transaction = Transaction(planned, machine.journal(), "dead")
    transaction.begin({})
    for folder in transaction._contents.folders:
        transaction._make(folder)
    for step in transaction._steps[:staged]:
        step.stage()
        step.save_original()
    assert settle(machine) == "intent"
    assert machine.tree() == before


def test_finished_after_the_last_word(machine, begun):
    """Once it is committed the new files stay, and the old ones go."""
    planned, _ = begun
    died_after(machine, planned, 6)
    machine.journal()._append(b'{"committed": true}\n')
    assert settle(machine) == "committed"
    names = ["changed", "in-place", "link", "mode"]
    assert sorted(os.listdir(machine.path("/etc"))) == names
    assert {machine.path(path).read_text() for path in EVERYTHING} == {"new\n"}
    assert "journal.json" not in os.listdir(machine.root)


def test_settled_twice_is_settled_once(machine, begun):
    """An undo that is begun again at any point ends in the same place."""
    planned, before = begun
    died_after(machine, planned, 4)
    root = str(machine.root)
    story = machine.journal().read()
    for _ in range(2):
        rollback.revert(story, root)
    rollback.remove_staged(story, root)
    rollback.revert(story, root)
    assert settle(machine) == "prepared"
    assert machine.tree() == before


def test_unconfirmed_commit_is_undone(machine, begun):
    """Until handlers have accepted it, a commit whose process dies is undone by the next run."""
    planned, before = begun
    machine.begin(planned)
    assert machine.path("/etc/changed").read_text() == "new\n"
    assert settle(machine) == "prepared"
    assert machine.tree() == before


def test_rollback_puts_everything_back(machine, begun):
    """Until it is closed, a commit can be taken back as a whole."""
    planned, before = begun
    transaction = machine.begin(planned)
    assert machine.path("/etc/changed").read_text() == "new\n"
    transaction.roll_back()
    transaction.close()
    assert machine.tree() == before


def test_undone_between_two_names(machine, begun, monkeypatch):
    """A new file that has its name, and still the one it was staged under, goes from both."""
    planned, before = begun

    def die(*_):
        raise KeyboardInterrupt

    transaction = died_after(machine, planned, 4)
    monkeypatch.setattr(write, "remove", die)
    with pytest.raises(KeyboardInterrupt):
        transaction._steps[4].rename_into_place()
    monkeypatch.undo()
    assert machine.path("/srv/new/file").stat().st_nlink == 2
    assert settle(machine) == "prepared"
    assert machine.tree() == before


def test_half_written_in_place_is_whole_again(machine, begun):
    """A file that was being written over when the machine died gets its old content back."""
    planned, before = begun
    died_after(machine, planned, 0)
    machine.path("/etc/in-place").write_text("new\nger old content\n")
    machine.path("/etc/in-place").chmod(0o600)
    settle(machine)
    assert machine.tree() == before


def test_file_that_somebody_made_since_stays(machine, begun):
    """A file of somebody else's, where a new one or a removed one was, is not touched."""
    planned, _ = begun
    died_after(machine, planned, 6)
    for path in ("/srv/new/file", "/etc/gone"):
        machine.path(path).unlink(missing_ok=True)
        machine.put(path, "somebody's\n")
    settle(machine)
    assert machine.path("/srv/new/file").read_text() == "somebody's\n"
    assert machine.path("/etc/gone").read_text() == "somebody's\n"
    assert sorted(os.listdir(machine.path("/srv/new"))) == ["file"]


def test_unpublished_target_is_left_alone(machine, begun):
    """A target whose turn had not come is not replaced by what was kept of it."""
    planned, _ = begun
    died_after(machine, planned, 0)
    edited = machine.path("/etc/changed")
    edited.unlink()
    edited.write_text("edited since\n")
    settle(machine)
    assert edited.read_text() == "edited since\n"


def test_folders_that_are_gone_stop_nothing(machine, begun):
    """Somebody who removed a whole folder has undone it already."""
    planned, _ = begun
    died_after(machine, planned, 6)
    for path in machine.path("/srv/new").iterdir():
        path.unlink()
    machine.path("/srv/new").rmdir()
    settle(machine)
    assert not machine.path("/srv").exists()


def test_plan_sees_what_the_undo_will_leave(machine, begun, wanted):
    """A plan that is shown while a journal waits is the plan of the run that undoes it."""
    planned, _ = begun
    options = {"/etc/link": {"symlink": "replace"}, "/etc/in-place": {"in_place": True}}
    files = [wanted(path, **options.get(path, {})) for path in EVERYTHING]
    told = [(one.path, one.action, one.reasons) for one in planned.changes]
    for steps in range(7):
        died_after(machine, machine.plan(*files, prune=True), steps)
        seen = machine.plan(*files, prune=True, undone=machine.journal().read())
        assert [(one.path, one.action, one.reasons) for one in seen.changes] == told
        settle(machine)


@pytest.mark.parametrize("cut", [0, 1, 20])
def test_torn_first_line_means_nothing_was_begun(machine, begun, cut):
    """A journal whose first line has no end was never finished, and nothing was done after it."""
    planned, _ = begun
    Transaction(planned, machine.journal(), "dead").begin({})
    os.truncate(machine.path("/journal.json"), cut)
    assert machine.journal().read().phase == "nothing"


def test_torn_last_line_was_never_written(machine, begun):
    """A commit whose word is not whole did not happen."""
    planned, before = begun
    died_after(machine, planned, 6)
    with machine.path("/journal.json").open("ab") as file:
        file.write(b'{"committed": true}')
    assert settle(machine) == "prepared"
    assert machine.tree() == before


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "[]",
        json.dumps({"schema": 2, "changes": [], "folders": [], "memo": {}}),
        json.dumps({"schema": 1, "changes": [{"kind": "x"}], "folders": [], "memo": {}}),
        json.dumps(
            {"schema": 1, "changes": [], "folders": ["../etc"], "memo": {}},
        ),
        json.dumps(
            {
                "schema": 1,
                "changes": [{"kind": "remove", "path": "../x"}],
                "folders": [],
                "memo": {},
            }
        ),
    ],
)
def test_what_is_no_journal_is_damaged(machine, line):
    """A journal that this version did not write is not acted on."""
    machine.put("/journal.json", f"{line}\n")
    with pytest.raises(Damaged):
        machine.journal().read()


def test_failed_word_is_taken_back(machine, begun, monkeypatch):
    """A line of which nobody knows whether it is on the disk is cut off before the undo."""
    planned, before = begun
    fsync = os.fsync
    seen = []

    def fail(descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if path.endswith("journal.json") and os.fstat(descriptor).st_size > 0:
            seen.append(machine.path("/journal.json").read_bytes().count(b"\n"))
            if seen[-1] == 3:
                raise OSError(5, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    transaction = machine.begin(planned)
    with pytest.raises(Exception, match="writing the journal"):
        transaction.confirm()
    assert seen == [1, 2, 3, 2]
    assert machine.path("/etc/changed").read_text() != "new\n"
    assert settle(machine) == "prepared"  # whoever has read the new files has to hear of it
    assert machine.tree() == before


def test_kept_files_are_made_before_the_first_name_changes(machine, begun, monkeypatch):
    """When the first name changes, every old file is kept and the journal says so."""
    planned, _ = begun
    publish = Step.rename_into_place
    phases = []

    def watch(step):
        phases.append(machine.journal().read().phase)
        kept = [one.entry.kept for one in (step,) if one.entry.kind in {"replace", "overwrite"}]
        assert all(
            (machine.root / name).exists() or (machine.root / name).is_symlink() for name in kept
        )
        publish(step)

    monkeypatch.setattr(Step, "rename_into_place", watch)
    machine.begin(planned).close()
    assert phases == ["prepared"] * 6
