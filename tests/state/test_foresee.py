"""What a journal will make of the state, and what its recovery makes of it: in each phase alike."""

from __future__ import annotations

import json
import os

import pytest

from bootstrap.apply.transaction import recovery
from bootstrap.apply.transaction.journal import Journal
from bootstrap.apply.transaction.journal_entry import Entry
from bootstrap.errors import NotPermitted, Problem, Public, WriteError
from bootstrap.layout import LIBRARY
from bootstrap.state import paths, store
from bootstrap.state.record import State, as_record

ME = "02aab8a4-74ef-476e-8182-f6d2ba4166a6"
OTHER = "13f56399-bd52-4150-9748-7190aae1ff21"
BEFORE = State(vm_id=ME, fingerprint="old", configured_at="then", pending_handlers=("waiting",))
MINE = State(vm_id=ME, fingerprint="", configured_at="then", pending_handlers=("app", "waiting"))
PHASES = ("nothing", "intent", "prepared", "committed")
ENTRY = Entry(
    kind="replace", path="etc/app.conf", staged="etc/.app.conf-new", kept="etc/.app.conf~"
)


@pytest.fixture
def root(tmp_path):
    """A machine on which a file was replaced; the old one is still kept."""
    store.save(BEFORE, root=str(tmp_path))
    (tmp_path / "etc").mkdir()
    (tmp_path / ENTRY.path).write_text("new\n")
    (tmp_path / ENTRY.kept).write_text("old\n")
    return tmp_path


def leave(root, phase, next_state, *, path=paths.JOURNAL):
    """Leave the journal of a run that died in this phase."""
    journal = Journal(path, str(root))
    if phase == "intent":
        os.rename(root / ENTRY.path, root / ENTRY.staged)
        os.rename(root / ENTRY.kept, root / ENTRY.path)
    journal.begin([ENTRY], [], next_state)
    if phase == "nothing":
        os.truncate(journal.place.path, 5)
    if phase in {"prepared", "committed"}:
        journal.prepare([0])
    if phase == "committed":
        journal.commit()


def state(root, vm_id=ME):
    return store.load(vm_id, root=str(root)).state


def library(root):
    return sorted(os.listdir(f"{root}{LIBRARY}"))


def settle(root, *, now="now"):
    """See what will be, let it be, and hold the one against the other."""
    loaded = store.load(ME, root=str(root))
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    seen = recovery.foresee(ME, loaded.state, root=str(root))
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    told = recovery.recover(root=str(root), now=now)
    # No state and an empty one are the same to a plan.
    assert (seen.state or State(vm_id=ME)) == (state(root) or State(vm_id=ME))
    return seen, told


@pytest.mark.parametrize("phase", PHASES)
def test_a_memo_of_this_machine(root, phase):
    """It becomes the state of a finished run; of an undone one its handlers stay due."""
    leave(root, phase, as_record(MINE))
    seen, told = settle(root)
    due = {
        "prepared": State(
            vm_id=ME,
            fingerprint="old",
            configured_at="then",
            pending_handlers=("waiting", "app"),
        ),
        "committed": MINE,
    }
    assert state(root) == due.get(phase, BEFORE)
    if phase == "committed":
        assert (told.verdict, told.text) == ("finished", recovery.FINISHED)
        assert (seen.text, seen.undone) == (recovery.WILL_BE_FINISHED, None)
        assert recovery.FINISHED == "an interrupted run was finished: all its files are in place"
    else:
        assert (told.verdict, told.text) == ("undone", recovery.UNDONE)
        assert (seen.text, seen.undone.phase) == (recovery.WILL_BE_UNDONE, phase)
        entries = () if phase == "nothing" else (ENTRY,)
        assert seen.undone.entries == entries
    assert isinstance(told.text, Public)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("next_state", ["empty", "future", "another's", "damaged"])
def test_a_memo_that_says_nothing_of_this_machine(root, phase, next_state):
    """The files are settled all the same, and the state stays as it is."""
    memos = {
        "empty": {},
        "future": as_record(MINE) | {"schema": 2},
        "another's": as_record(MINE) | {"vm_id": OTHER},
        "damaged": as_record(MINE) | {"written": [{}]},
    }
    leave(root, phase, memos[next_state])
    settle(root)
    assert state(root) == BEFORE
    # Of a journal without a first line nobody knows what it began.
    text = "new\n" if phase in {"committed", "nothing"} else "old\n"
    assert (root / ENTRY.path).read_text() == text
    assert os.path.lexists(root / ENTRY.kept) == (phase == "nothing")
    assert library(root) == ["instance", "instances"]
    theirs = {"prepared", "committed"} if next_state == "another's" else {}
    assert (state(root, OTHER) is not None) == (phase in theirs)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("pending", [(), ("app",)])
def test_on_a_first_boot(root, phase, pending):
    """Without a state only a finished run, or handlers that are due, make one."""
    store.remove_state(root=str(root))
    next_state = State(vm_id=ME, pending_handlers=pending)
    leave(root, phase, as_record(next_state))
    settle(root)
    is_kept = phase == "committed" or (phase == "prepared" and pending)
    assert state(root) == (next_state if is_kept else None)


def test_handlers_that_are_due_already_are_not_written_again(root):
    """What is remembered already needs no room on a full disk."""
    leave(root, "prepared", as_record(BEFORE))
    file = root / paths.state_file(ME).lstrip("/")
    before = file.stat()
    settle(root)
    after = file.stat()  # reading it may change its time of access
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("phase", ["prepared", "committed"])
def test_a_damaged_state_loses_no_handler(root, phase):
    """It is kept for a look, and what the journal knows is remembered in its place."""
    file = root / paths.state_file(ME).lstrip("/")
    file.write_text("{")
    leave(root, phase, as_record(MINE))
    _, told = settle(root)
    assert set(state(root).pending_handlers) == {"app", "waiting"}
    assert file.with_name("state.json.corrupt-now").read_text() == "{"
    done = {"prepared": recovery.UNDONE, "committed": recovery.FINISHED}[phase]
    why = "the state is damaged (it is not JSON: JSONDecodeError); it is set aside and rebuilt"
    assert told.text == f"{done}; {why}"


@pytest.mark.parametrize("is_known", [True, False])
def test_nothing_to_foresee(root, is_known):
    """Without a journal the state is what it is, and nothing is said."""
    given = BEFORE if is_known else None
    seen = recovery.foresee(ME, given, root=str(root))
    assert (seen.state, seen.undone, seen.text) == (given, None, "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [("x", "it does not say what was begun: JSONDecodeError"), ('{"schema": 2}', "KeyError")],
)
def test_a_damaged_journal(root, line, reason):
    """It is told why, it changes nothing, and it is kept for a look."""
    (root / paths.JOURNAL.lstrip("/")).write_text(f"{line}\n")
    seen, told = settle(root)
    assert (seen.state, seen.undone) == (BEFORE, None)
    assert seen.text == told.text
    assert reason in told.text
    assert told.text.startswith("the journal of an interrupted run is damaged (")
    assert told.text.endswith(") and is set aside")
    assert (told.verdict, state(root)) == ("damaged", BEFORE)
    assert library(root) == ["instance", "instances", "journal.json.corrupt-now"]


def test_a_damaged_journal_has_a_name_without_a_time_too(root):
    """Whoever knows no time still finds it."""
    (root / paths.JOURNAL.lstrip("/")).write_text("x\n")
    recovery.recover(root=str(root))
    assert library(root) == ["instance", "instances", "journal.json.corrupt-journal"]


def litter(root, name, phase, **fields):
    """Leave the list of what an earlier run could not remove."""
    path = f"{LIBRARY}/journal.json.litter-{name}"
    values = {one: getattr(ENTRY, one) for one in ("kind", "path", "staged", "kept")}
    journal = Journal(path, str(root))
    journal.begin([Entry(**values | fields)], [], {})
    if phase == "committed":
        journal.prepare([0])
        journal.commit()


@pytest.mark.parametrize(("phase", "left"), [("committed", True), ("prepared", False)])
def test_litter_is_swept_as_its_run_ended(root, phase, left):
    """What was to become a backup becomes one; of an undone run nothing does."""
    litter(root, "1", phase, backup=True)
    assert recovery.recover(root=str(root)) is None
    names = ["app.conf", "app.conf.imds-bootstrap.bak"] if left else ["app.conf"]
    assert sorted(os.listdir(root / "etc")) == names
    assert library(root) == ["instance", "instances"]


def test_all_litter_is_told(root):
    """Each list says what keeps it, and a name that only resembles one is left alone."""
    for name in ("1", "2"):
        (root / f"var/lib/imds-bootstrap/journal.json.litter-{name}").write_text("x\n")
    (root / "var/lib/imds-bootstrap/journal.json.bak").write_text("x\n")
    told = recovery.recover(root=str(root))
    damaged = recovery.DAMAGED.format("it does not say what was begun: JSONDecodeError")
    assert (told.verdict, told.text) == (
        "littered",
        f"of an interrupted run: {damaged}; {damaged}",
    )
    assert "journal.json.bak" in library(root)


@pytest.mark.parametrize(
    ("error", "kind"),
    [(PermissionError(13, "Permission denied"), NotPermitted), (OSError(5, "I/O"), WriteError)],
)
@pytest.mark.parametrize("call", ["listdir", "lstat"])
def test_what_the_system_refuses_is_told(root, monkeypatch, error, kind, call):
    """A refusal is not taken for a machine on which nothing was interrupted."""
    leave(root, "prepared", as_record(MINE))
    real = getattr(os, call)

    def refuse(name, **arguments):
        if str(name).endswith(("journal.json", LIBRARY)):
            raise error
        return real(name, **arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(kind) as caught:
            recovery.recover(root=str(root))
    assert caught.value.message == f"settling an interrupted run: {error}"
    assert caught.value.public == caught.value.message
    assert caught.value.hint == ("run it as root" if kind is NotPermitted else "")
    assert state(root) == BEFORE
    assert recovery.recover(root=str(root)).verdict == "undone"


def test_what_our_own_rooms_refuse_is_told_in_full(root, monkeypatch):
    """The error says what was being done, and keeps its hint, its findings and its public words."""
    leave(root, "prepared", as_record(MINE))

    def refuse(*names, **folders):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(WriteError) as caught:
        recovery.recover(root=str(root))
    error = caught.value
    assert error.message == (
        "settling an interrupted run: settling /etc/app.conf: Read-only file system"
    )
    assert error.public == error.message
    (problem,) = error.problems
    assert problem.path == "/etc/app.conf"
    assert problem.hint == "if /etc/.app.conf~ exists, it is the old file"
    assert "journal.json" in library(root)


def test_the_hint_and_the_public_words_of_an_error_stay(root, monkeypatch):
    """What is for everybody is only what was so before."""
    leave(root, "committed", as_record(MINE))

    def refuse(*arguments, **keywords):
        problem = Problem("a finding")
        raise NotPermitted("private", hint="a hint", problems=[problem], public=Public("public"))

    monkeypatch.setattr(store, "save", refuse)
    with pytest.raises(NotPermitted) as caught:
        recovery.recover(root=str(root))
    error = caught.value
    assert error.message == "settling an interrupted run: private"
    assert error.public == "settling an interrupted run: public"
    assert error.hint == "a hint"
    assert [one.message for one in error.problems] == ["a finding"]


def test_a_state_that_cannot_be_saved_keeps_what_was_kept(root, monkeypatch):
    """The order is files, state, and only then what is no longer needed."""
    leave(root, "prepared", as_record(MINE))

    def refuse(*arguments, **keywords):
        raise WriteError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(store, "save", refuse)
        with pytest.raises(WriteError, match="no room"):
            recovery.recover(root=str(root))
    assert (root / ENTRY.path).read_text() == "old\n"
    assert "journal.json" in library(root)
    settle(root)
    assert set(state(root).pending_handlers) == {"app", "waiting"}


def test_the_sign_of_a_state():
    """What a run is to end with is told only where it differs from what was before."""
    after = State(vm_id=ME, configured_at="now", fingerprint="new")
    assert recovery.target_id(BEFORE, after) == {"becomes": "now new"}
    assert recovery.target_id(after, after) == {}


def test_a_state_that_was_saved_already_is_better_than_the_memo(root):
    """A finished run that has lived to save its state is not taken back to what it feared."""
    after = State(vm_id=ME, configured_at="now", fingerprint="new")
    store.save(after, root=str(root))
    leave(root, "committed", as_record(MINE) | recovery.target_id(BEFORE, after))
    settle(root)
    assert state(root) == after


def test_the_journal_is_plain_json(root):
    """A person who has to settle it by hand can read it."""
    leave(root, "committed", as_record(MINE))
    text = (root / paths.JOURNAL.lstrip("/")).read_text()
    first, *others = [json.loads(line) for line in text.splitlines()]
    assert sorted(first) == ["changes", "folders", "memo", "schema"]
    assert others == [{"prepared": [0]}, {"committed": True}]
