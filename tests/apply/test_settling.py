"""Each branch of finishing and undoing, from what a dead process leaves on a real disk."""

from __future__ import annotations

import hashlib
import json
import os
import re

import pytest

from bootstrap.apply.transaction import rollback
from bootstrap.apply.transaction.commit import Transaction
from bootstrap.apply.transaction.journal import Damaged, JournalContents
from bootstrap.apply.transaction.journal_entry import Entry
from bootstrap.apply.transaction.step import Step
from bootstrap.errors import WriteError
from bootstrap.fs import read, write

EVERYTHING = ("/etc/changed", "/etc/mode", "/etc/link", "/etc/in-place", "/srv/new/file")


@pytest.fixture
def begun(machine, wanted):
    """A plan with one change of each kind, and what the tree was before."""
    machine.put("/etc/gone", "gone\n")
    planned = machine.plan_of_each_kind(wanted, removed="/etc/gone", in_place="/etc/in-place")
    return planned, machine.tree()


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
    machine.die_after(planned, steps, mine=1)
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
    machine.die_after(planned, 6, mine=1)
    machine.journal()._append(b'{"committed": true}\n')
    assert settle(machine) == "committed"
    names = ["changed", "in-place", "link", "mode"]
    assert sorted(os.listdir(machine.path("/etc"))) == names
    assert {machine.path(path).read_text() for path in EVERYTHING} == {"new\n"}
    assert "journal.json" not in os.listdir(machine.root)


def test_settled_twice_is_settled_once(machine, begun):
    """An undo that is begun again at any point ends in the same place."""
    planned, before = begun
    machine.die_after(planned, 4, mine=1)
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

    transaction = machine.die_after(planned, 4, mine=1)
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
    machine.die_after(planned, 0, mine=1)
    machine.path("/etc/in-place").write_text("new\nger old content\n")
    machine.path("/etc/in-place").chmod(0o600)
    settle(machine)
    assert machine.tree() == before


def test_file_that_somebody_made_since_stays(machine, begun):
    """A file of somebody else's, where a new one or a removed one was, is not touched."""
    planned, _ = begun
    machine.die_after(planned, 6, mine=1)
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
    machine.die_after(planned, 0, mine=1)
    edited = machine.path("/etc/changed")
    edited.unlink()
    edited.write_text("edited since\n")
    settle(machine)
    assert edited.read_text() == "edited since\n"


def test_folders_that_are_gone_stop_nothing(machine, begun):
    """Somebody who removed a whole folder has undone it already."""
    planned, _ = begun
    machine.die_after(planned, 6, mine=1)
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
        machine.die_after(machine.plan(*files, prune=True), steps, mine=1)
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
    machine.die_after(planned, 6, mine=1)
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


OLD, NEW = "a longer old content\n", "new\n"
HALF = NEW + OLD[len(NEW) :]
OTHERS = "somebody's\n"


def lone(kind, **fields):
    """An entry for `/etc/a` by itself, as a journal has it."""
    sums = hashlib.sha256(NEW.encode()).hexdigest()
    names = {"create": ["staged"], "replace": ["staged", "kept"]}.get(kind, ["kept"])
    paths = {name: f"etc/{name}" for name in names}
    return Entry(kind=kind, path="etc/a", sha256=sums, mode=0o640, **paths | fields)


def revert(machine, entry, inode=0):
    """Undo this one change, twice, for that must be the same as once."""
    story = JournalContents("prepared", (entry,), inodes=(inode,))
    for _ in range(2):
        rollback.revert(story, str(machine.root))


@pytest.mark.parametrize(
    ("mounted", "same", "content", "back"),
    [
        (True, True, HALF, True),
        (True, True, NEW, True),
        (True, True, OTHERS, True),  # who knows whether it is half of something
        (True, False, NEW, True),  # wholly written, and mounted under another number since
        (True, False, HALF, False),
        (True, False, OTHERS, False),  # what was mounted is not mounted any more
        # Below an overlay a file has another number once it has been written over.
        (False, True, HALF, True),
        (False, False, NEW, True),
        (False, False, HALF, True),
    ],
)
def test_when_a_file_that_was_written_over_is_put_back(machine, mounted, same, content, back):
    """What may be half of ours gets its old content back; what was below a mount does not."""
    path = machine.put("/etc/a", content, 0o600)
    machine.put("/etc/kept", OLD, 0o600)
    inode = path.stat().st_ino
    owner = {"uid": os.geteuid(), "gid": os.getegid()}
    revert(machine, lone("overwrite", mounted=mounted, **owner), inode if same else inode + 1)
    assert path.read_text() == (OLD if back else content)
    assert path.stat().st_mode & 0o7777 == (0o640 if back else 0o600)
    assert path.stat().st_ino == inode
    assert machine.path("/etc/kept").read_text() == OLD


@pytest.mark.parametrize("thing", ["nothing", "link", "folder"])
@pytest.mark.parametrize("mounted", [True, False])
def test_what_is_no_file_any_more_is_not_written_over(machine, thing, mounted):
    """A link, a folder or nothing where a file was written over is left as it is."""
    other = machine.put("/etc/other", NEW)
    machine.put("/etc/kept", OLD)
    path = machine.path("/etc/a")
    {"nothing": int, "link": lambda: path.symlink_to("other"), "folder": path.mkdir}[thing]()
    inode = path.lstat().st_ino if thing != "nothing" else 0
    before = machine.tree()
    revert(machine, lone("overwrite", mounted=mounted), inode)
    assert machine.tree() == before
    assert other.read_text() == NEW


def test_nothing_is_put_back_that_was_not_kept(machine):
    """Until its old content is kept, a file has not been written over."""
    path = machine.put("/etc/a", NEW)
    before = machine.tree()
    revert(machine, lone("overwrite", mounted=True), path.stat().st_ino)
    assert machine.tree() == before


@pytest.mark.parametrize("differs", ["nothing", "mode", "owner", "content", "length"])
def test_only_what_differs_is_written_over_again(machine, as_root, monkeypatch, differs):
    """A file that is whole already is not touched: its file system may be read-only now."""
    machine.put("/etc/kept", OLD)
    path = machine.put("/etc/a", OLD, 0o640)
    os.chown(path, 7, 8)
    harms = {
        "nothing": lambda: None,
        "mode": lambda: path.chmod(0o600),
        "owner": lambda: os.chown(path, 0, 8),
        "content": lambda: path.write_text(HALF),
        "length": lambda: path.write_text(OLD + "x"),
    }
    harms[differs]()
    written = []
    cut = os.ftruncate
    monkeypatch.setattr(os, "ftruncate", lambda *some: written.append(cut(*some)))
    revert(machine, lone("overwrite", uid=7, gid=8), path.stat().st_ino)
    assert len(written) == (differs != "nothing")
    status = path.stat()
    assert (path.read_text(), status.st_mode & 0o7777) == (OLD, 0o640)
    assert (status.st_uid, status.st_gid) == (7, 8)


def test_a_large_file_is_put_back_whole(machine):
    """The old content is read in pieces, and put together as it was."""
    old = "0123456789abcdef" * (read.CHUNK // 8)
    machine.put("/etc/kept", old)
    path = machine.put("/etc/a", NEW)
    owner = {"uid": os.geteuid(), "gid": os.getegid()}
    revert(machine, lone("overwrite", **owner), path.stat().st_ino)
    assert path.read_text() == old


@pytest.mark.parametrize("still", [True, False])
def test_half_written_bind_mount(machine, wanted, mounted, tmp_path, still):
    """It is whole again where it still is mounted; the file below the mount never was ours."""
    source = tmp_path / "source"
    source.write_text(OLD)
    target = machine.put("/etc/hosts", OTHERS)
    with mounted("--bind", source, target):
        planned = machine.plan(wanted("/etc/hosts", in_place=True))
        machine.die_after(planned, 0, mine=1)
        target.write_text(HALF)
        if still:
            assert settle(machine) == "prepared"
            assert target.read_text() == OLD
    if not still:
        assert settle(machine) == "prepared"
        assert source.read_text() == HALF
    assert target.read_text() == OTHERS
    assert os.listdir(machine.root) == ["etc"]
    assert os.listdir(machine.path("/etc")) == ["hosts"]


@pytest.mark.parametrize(
    ("there", "goes"),
    [("ours", True), ("changed", False), ("folder", False), ("link", False), ("both", True)],
)
def test_when_a_new_file_goes(machine, there, goes):
    """It goes while it is what was published; for the next process the content tells."""
    machine.put("/etc/staged", NEW)
    path = machine.path("/etc/a")
    if there == "both":
        os.link(machine.path("/etc/staged"), path)
    else:
        machine.path("/etc/staged").rename(machine.path("/etc/x"))
    if there in {"ours", "changed"}:
        machine.put("/etc/a", NEW if there == "ours" else OTHERS)
    elif there == "folder":
        path.mkdir()
    elif there == "link":
        path.symlink_to("x")
    revert(machine, lone("create"), 0)
    assert os.path.lexists(path) is not goes


def test_a_new_file_that_somebody_changed_goes_if_it_is_the_one_that_was_made(machine):
    """The process that made a file knows it by its number, whatever it holds by now."""
    path = machine.put("/etc/a", OTHERS)
    entry = lone("create")
    assert rollback.was_created(entry, path.stat().st_ino, str(machine.root))
    assert not rollback.was_created(entry, path.stat().st_ino + 1, str(machine.root))
    revert(machine, entry, path.stat().st_ino + 1)
    assert path.read_text() == OTHERS
    revert(machine, entry, path.stat().st_ino)
    assert not path.exists()


def test_a_file_with_the_same_content_is_not_taken_for_the_staged_one(machine):
    """While the staged file has its own name, what has the target's is somebody else's."""
    machine.put("/etc/staged", NEW)
    machine.put("/etc/a", NEW)
    revert(machine, lone("create"), 0)
    assert machine.path("/etc/a").read_text() == NEW


@pytest.mark.parametrize("kind", ["replace", "remove"])
@pytest.mark.parametrize("there", ["nothing", "file", "link", "folder"])
@pytest.mark.parametrize("state", ["staged", "kept", "lost"])
def test_when_an_old_file_returns(machine, kind, there, state):
    """It returns when it has lost its name to us, and never over what is no file of ours."""
    if state != "lost":
        machine.put("/etc/kept", OLD)
    if state == "staged":
        machine.put("/etc/staged", NEW)
    path = machine.put("/etc/a", NEW)
    if there != "file":
        path.unlink()
    if there == "folder":
        path.mkdir()
    elif there == "link":
        path.symlink_to("kept")
    before = machine.tree()
    revert(machine, lone(kind))
    ours = {"nothing", "file", "link"} if kind == "replace" else {"nothing"}
    # A removal stages nothing.
    unpublished = state == "staged" and kind == "replace"
    if state == "lost" or unpublished or there not in ours:
        assert machine.tree() == before
    else:
        assert path.read_text() == OLD
        assert not machine.path("/etc/kept").exists()


def test_all_that_cannot_be_put_back_is_told(machine, monkeypatch):
    """One error names each file, and where its old content is; the others are put back."""
    for name in "abc":
        machine.put(f"/etc/{name}.kept", OLD)
        machine.put(f"/etc/{name}", NEW)
    entries = tuple(
        Entry(kind="replace", path=f"etc/{name}", kept=f"etc/{name}.kept") for name in "abc"
    )

    def refuse(old, new, real=os.replace, **folders):
        if new != "b":
            raise OSError(5, "Input/output error")
        real(old, new, **folders)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(WriteError) as caught:
            rollback.revert(JournalContents("prepared", entries), str(machine.root))
    assert [(one.path, one.message, one.hint) for one in caught.value.problems] == [
        ("/etc/c", "settling: Input/output error", "if /etc/c.kept exists, it is the old file"),
        ("/etc/a", "settling: Input/output error", "if /etc/a.kept exists, it is the old file"),
    ]
    assert [machine.path(f"/etc/{name}").read_text() for name in "abc"] == [NEW, OLD, NEW]


def test_a_new_file_that_cannot_be_removed_has_no_old_one(machine, monkeypatch):
    """The hint names an old file only where there was one."""
    machine.put("/etc/a", NEW)

    def refuse(name, **keywords):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(WriteError) as caught:
        revert(machine, lone("create"))
    assert caught.value.message == "settling /etc/a: Input/output error"
    (problem,) = caught.value.problems
    assert (problem.path, problem.hint) == ("/etc/a", "")


@pytest.mark.parametrize("phase", ["nothing", "intent"])
def test_before_it_is_prepared_no_name_has_changed(machine, phase):
    """Until the journal says that all is kept, nothing is put back."""
    machine.put("/etc/kept", OLD)
    machine.put("/etc/a", NEW)
    before = machine.tree()
    rollback.revert(JournalContents(phase, (lone("replace"),)), str(machine.root))
    assert machine.tree() == before


def test_finishing_makes_a_backup_once(machine):
    """What was kept becomes the backup; begun again, it is not taken away."""
    machine.put("/etc/kept", OLD)
    machine.put("/etc/a", NEW)
    story = JournalContents("committed", (lone("replace", backup=True),))
    for _ in range(2):
        rollback.remove_originals(story, str(machine.root))
    assert sorted(os.listdir(machine.path("/etc"))) == ["a", "a.imds-bootstrap.bak"]
    assert machine.path("/etc/a.imds-bootstrap.bak").read_text() == OLD


def test_finishing_without_a_backup_leaves_an_earlier_one(machine):
    """A backup that another change has made stays."""
    machine.put("/etc/kept", OLD)
    machine.put("/etc/staged", NEW)
    machine.put("/etc/a.imds-bootstrap.bak", OTHERS)
    rollback.remove_originals(JournalContents("committed", (lone("replace"),)), str(machine.root))
    assert os.listdir(machine.path("/etc")) == ["a.imds-bootstrap.bak"]
    assert machine.path("/etc/a.imds-bootstrap.bak").read_text() == OTHERS


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), WriteError("no room")])
def test_litter_is_listed_in_a_journal_of_another_name(machine, begun, error):
    """What cannot be removed yet is said, and stays on a list for later runs."""
    planned, _ = begun
    machine.die_after(planned, 6, mine=1)

    def fail(story, root):
        raise error

    told = rollback.cleanup(machine.journal(), machine.journal().read(), str(machine.root), fail)
    assert told == f"what it left over cannot be removed yet: {error}"
    (name,) = [name for name in os.listdir(machine.root) if name.startswith("journal.json")]
    assert re.fullmatch(r"journal\.json\.litter-[0-9a-f]{12}", name)


def test_litter_that_cannot_even_be_listed_is_left_to_the_next_run(machine, begun, monkeypatch):
    """A journal that cannot be renamed stays as it is: the next run comes through here again."""
    planned, _ = begun
    machine.die_after(planned, 6, mine=1)
    before = machine.tree()

    def refuse(*names, **keywords):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "unlink", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    story = machine.journal().read()
    told = rollback.cleanup(machine.journal(), story, str(machine.root), rollback.remove_originals)
    assert "Read-only file system" in told or "things stand in the way" in told
    assert machine.tree() == before


def test_nothing_is_said_when_all_is_tidy(machine, begun):
    """No words are no litter."""
    planned, _ = begun
    machine.die_after(planned, 6, mine=1)
    story = machine.journal().read()
    assert (
        rollback.cleanup(machine.journal(), story, str(machine.root), rollback.remove_originals)
        == ""
    )
