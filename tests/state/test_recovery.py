"""A plan carried out and remembered, and what the next run makes of one that was interrupted."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager

import pytest

from bootstrap import LIBRARY
from bootstrap.apply.plan.plan import plan
from bootstrap.apply.transaction import recovery, rollback
from bootstrap.apply.transaction.handlers import Handlers
from bootstrap.apply.transaction.run import TransactionRunner
from bootstrap.config.model import FileSpec
from bootstrap.errors import CommandFailed, WriteError
from bootstrap.process.result import CommandResult
from bootstrap.process.runner import run as run_command
from bootstrap.render.rendered import Rendered
from bootstrap.state import paths, store
from bootstrap.state.record import State

ME = "02aab8a4-74ef-476e-8182-f6d2ba4166a6"
BEFORE = State(vm_id=ME, fingerprint="old", configured_at="then", pending_handlers=("waiting",))


class Killed(BaseException):
    """The process ends here."""


def kill(*_, **__):
    """Stand where the process shall end."""
    raise Killed


class Machine:
    """A machine with one file that changes from `old` to `new`, and the handlers that hear it."""

    def __init__(self, root):
        self.root = str(root)
        self.file = root / "etc/app.conf"
        self.file.parent.mkdir()
        self.file.write_text("old\n")
        self.heard = []
        self.answers = {}
        store.save(BEFORE, root=self.root)

    def run(self, command, *, timeout):
        """Take a handler's name for its command, and note which content it hears of."""
        self.heard.append((command[0], self.file.read_text().strip()))
        answer = self.answers.get(self.heard[-1], "")
        if not isinstance(answer, str):
            raise answer
        return CommandResult(answer, "its words")

    def apply(self, *, keep=False, content="new\n"):
        """Carry the change out."""
        spec = FileSpec(path="/etc/app.conf", content=content, notify=("app", "other"))
        names = ("app", "other", "waiting")
        planned = plan(
            [Rendered(spec=spec, content=content.encode(), secret=False)],
            root=self.root,
            handlers=names,
            pending=self.state().pending_handlers,
        )
        handlers = Handlers({name: (name,) for name in names}, timeout=1, run=self.run)
        way = TransactionRunner(handlers, root=self.root, timeout=1, run=run_command, keep=keep)
        written = {record.path: record for record in planned.written}
        after = State(vm_id=ME, fingerprint="new", configured_at="now", written=written)
        way.commit(planned, self.state(), after)

    def state(self):
        """What is remembered."""
        return store.load(ME, root=self.root).state

    def names(self):
        """What lies in the agent's own folder."""
        return sorted(os.listdir(f"{self.root}{LIBRARY}"))


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_all_is_well(machine):
    """Files, handlers and state go together, and the journal is gone."""
    machine.apply()
    assert machine.heard == [("app", "new"), ("other", "new"), ("waiting", "new")]
    assert machine.state().fingerprint == "new"
    assert machine.state().pending_handlers == ()
    assert machine.names() == ["instance", "instances"]
    assert recovery.recover(root=machine.root) is None


def test_failed_handler_takes_the_files_back(machine):
    """After a handler failed the old file is there, was told of again, and all is tried anew."""
    machine.answers = {("app", "new"): "ended with status 1"}
    with pytest.raises(CommandFailed, match="the old files were put back") as caught:
        machine.apply()
    assert caught.value.exit_code == 1
    assert machine.file.read_text() == "old\n"
    assert machine.heard == [("app", "new"), ("app", "old")]
    state = machine.state()
    assert (state.fingerprint, state.pending_handlers) == ("", ("waiting",))
    assert state.written == {}
    assert machine.names() == ["instance", "instances"]

    machine.answers = {}
    machine.apply()
    assert machine.heard[2:] == [("app", "new"), ("other", "new"), ("waiting", "new")]


def test_failed_handler_may_keep_the_files(machine):
    """With `keep` the new files stay, the other handlers run, and the failed one stays due."""
    machine.answers = {("app", "new"): "ended with status 1"}
    with pytest.raises(CommandFailed):
        machine.apply(keep=True)
    assert machine.file.read_text() == "new\n"
    assert machine.heard == [("app", "new"), ("other", "new"), ("waiting", "new")]
    state = machine.state()
    assert (state.fingerprint, state.pending_handlers) == ("", ("app",))
    assert list(state.written) == ["/etc/app.conf"]


def test_died_while_notifying(machine):
    """Files that not every handler has accepted are undone, and every handler is due again."""
    machine.answers = {("other", "new"): Killed}
    with pytest.raises(Killed):
        machine.apply()
    assert "journal.json" in machine.names()
    told = recovery.recover(root=machine.root)
    assert (told.verdict, machine.file.read_text()) == ("undone", "old\n")
    assert set(machine.state().pending_handlers) == {"app", "other", "waiting"}
    assert machine.names() == ["instance", "instances"]
    assert os.listdir(machine.file.parent) == ["app.conf"]


def test_died_while_letting_go(machine, monkeypatch):
    """Files that every handler has accepted stay, whatever happens before they are remembered."""
    monkeypatch.setattr(store, "save", kill)
    with pytest.raises(Killed):
        machine.apply()
    monkeypatch.undo()
    told = recovery.recover(root=machine.root)
    assert (told.verdict, machine.file.read_text()) == ("finished", "new\n")
    state = machine.state()
    assert state.pending_handlers == ("app", "other", "waiting")
    assert (state.fingerprint, state.configured_at) == ("", "then")
    assert list(state.written) == ["/etc/app.conf"]
    assert machine.names() == ["instance", "instances"]
    assert os.listdir(machine.file.parent) == ["app.conf"]


def test_died_while_telling_of_the_old_files(machine):
    """A rollback that was cut short is undone again; who has heard of the new file is due."""
    machine.answers = {("app", "new"): "ended with status 1", ("app", "old"): Killed}
    with pytest.raises(Killed):
        machine.apply()
    assert recovery.recover(root=machine.root).verdict == "undone"
    assert machine.file.read_text() == "old\n"
    state = machine.state()
    assert state.pending_handlers == ("waiting", "app", "other")
    assert state.written == {}
    assert machine.names() == ["instance", "instances"]


def test_what_is_foreseen_is_what_happens(machine):
    """A look at a journal tells the state that its recovery will leave, and changes nothing."""
    for answers in (
        {("other", "new"): Killed},
        {("app", "new"): "ended with status 1", ("app", "old"): Killed},
    ):
        machine.answers, machine.heard = answers, []
        machine.file.write_text("old\n")
        with pytest.raises(Killed):
            machine.apply()
        seen = recovery.foresee(ME, machine.state(), root=machine.root)
        assert seen.text.startswith("a run was interrupted")
        assert "journal.json" in machine.names()
        recovery.recover(root=machine.root)
        assert machine.state() == seen.state


def test_state_that_cannot_be_saved_is_saved_next_time(machine, monkeypatch):
    """When only the memory of it fails, the work is done and the next run remembers it."""

    def fail(*arguments, **keywords):
        raise WriteError("saving the state: no room")

    with monkeypatch.context() as patch:
        patch.setattr(store, "save", fail)
        with pytest.raises(WriteError):
            machine.apply()
    assert machine.file.read_text() == "new\n"
    assert recovery.recover(root=machine.root).verdict == "finished"
    assert machine.state().pending_handlers == ("app", "other", "waiting")


def test_damaged_journal_is_set_aside(machine):
    """A journal that nobody can read stops no boot, and is kept for a look."""
    with open(f"{machine.root}{paths.JOURNAL}", "w") as file:
        file.write("no journal\n")
    told = recovery.recover(root=machine.root, now="today")
    assert told.verdict == "damaged"
    assert machine.names() == ["instance", "instances", "journal.json.corrupt-today"]
    assert machine.state() == BEFORE


@pytest.fixture
def read_only():
    """Make a folder read-only for the time of a `with` statement; skip where that cannot be."""

    @contextmanager
    def mount(folder):
        for words in (["--bind", folder], ["-o", "remount,bind,ro"]):
            command = ["mount", *words, folder]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip("cannot mount here")
        try:
            yield
        finally:
            subprocess.run(["umount", folder], check=True)

    return mount


def die(machine, monkeypatch, *, saved=False):
    """Let a run die when its files are committed, before or after it has saved its state."""
    save = store.save
    with monkeypatch.context() as patch:
        patch.setattr(store, "save", lambda *a, **k: kill(save(*a, **k) if saved else None))
        with pytest.raises(Killed):
            machine.apply()


def test_recovery_that_fails_is_tried_again(machine, read_only):
    """What cannot be put back is an error that says so, and the journal stays for the next run."""
    machine.answers = {("other", "new"): Killed}
    with pytest.raises(Killed):
        machine.apply()
    with read_only(str(machine.file.parent)):
        for _ in range(2):
            with pytest.raises(WriteError, match="settling an interrupted run") as caught:
                recovery.recover(root=machine.root)
    assert caught.value.exit_code == 73
    assert "journal.json" in machine.names()
    assert recovery.recover(root=machine.root).verdict == "undone"
    assert os.listdir(machine.file.parent) == ["app.conf"]


def test_litter_that_cannot_be_removed_stops_no_run(machine, read_only, monkeypatch):
    """A finished run is finished, though what it kept is on a file system that is read-only now."""
    die(machine, monkeypatch)
    with read_only(str(machine.file.parent)):
        told = recovery.recover(root=machine.root)
        assert told.verdict == "finished"
        assert "what it left over cannot be removed yet" in told.text
        assert "Read-only file system" in told.text
        assert not recovery.is_due(root=machine.root)
        assert machine.state().pending_handlers == ("app", "other", "waiting")
        store.save(State(vm_id=ME, fingerprint="later"), root=machine.root)
        again = recovery.recover(root=machine.root)
        assert again.verdict == "littered"
        assert again.text.count("cannot be removed yet") == 1
    assert len(os.listdir(machine.file.parent)) == 2
    assert recovery.recover(root=machine.root) is None
    assert machine.state().fingerprint == "later"
    assert machine.names() == ["instance", "instances"]
    assert os.listdir(machine.file.parent) == ["app.conf"]


def refuse_unlinking(name, real=os.unlink, **keywords):
    """What a broken disk says of files that are kept."""
    if name.endswith("~"):
        raise OSError(5, "Input/output error", name)
    real(name, **keywords)


def test_litter_of_an_undone_run_stops_no_run(machine, monkeypatch):
    """The same of a run that was undone: its old files are back, and that is what counts."""
    machine.answers = {("other", "new"): Killed}
    with pytest.raises(Killed):
        machine.apply()
    (kept,) = [name for name in os.listdir(machine.file.parent) if name.endswith("~")]
    os.link(machine.file.parent / kept, machine.file.parent / "again")
    revert = rollback.revert

    def put_back_and_keep(story, root):
        revert(story, root)
        os.link(machine.file.parent / "again", machine.file.parent / kept)

    with monkeypatch.context() as patch:
        patch.setattr(rollback, "revert", put_back_and_keep)
        patch.setattr(os, "unlink", refuse_unlinking)
        told = recovery.recover(root=machine.root)
    assert (told.verdict, machine.file.read_text()) == ("undone", "old\n")
    assert "cannot be removed yet" in told.text
    assert set(machine.state().pending_handlers) == {"app", "other", "waiting"}
    assert recovery.recover(root=machine.root) is None
    assert sorted(os.listdir(machine.file.parent)) == ["again", "app.conf"]


def test_run_that_cannot_let_go_leaves_litter_and_no_journal(machine, monkeypatch):
    """A run whose work is done is not settled by the next one: that only sweeps after it."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse_unlinking)
        machine.apply()
    assert machine.state().pending_handlers == ()
    assert not recovery.is_due(root=machine.root)
    assert recovery.recover(root=machine.root) is None
    assert machine.state().fingerprint == "new"
    assert machine.names() == ["instance", "instances"]
    assert os.listdir(machine.file.parent) == ["app.conf"]


def test_run_that_has_saved_its_state_is_not_asked_for_more(machine, monkeypatch):
    """A run that dies between its last two steps has its handlers run once, and is remembered."""
    die(machine, monkeypatch, saved=True)
    seen = recovery.foresee(ME, machine.state(), root=machine.root)
    assert recovery.recover(root=machine.root).verdict == "finished"
    state = machine.state()
    assert (state.fingerprint, state.configured_at, state.pending_handlers) == ("new", "now", ())
    assert state == seen.state


def test_two_runs_within_a_second_are_told_apart(machine):
    """A run that ends just like the one before it, had it lived, is not taken for that one."""
    machine.apply()
    machine.file.write_text("drift\n")
    machine.answers = {("app", "new"): Killed}
    with pytest.raises(Killed):
        machine.apply(keep=True)
    recovery.recover(root=machine.root)
    assert machine.state().pending_handlers == ("app", "other")


def test_finished_run_on_a_machine_that_is_read_only_now(machine, read_only, monkeypatch):
    """Where nothing at all can be written any more, what is finished still stops no boot."""
    die(machine, monkeypatch, saved=True)
    with read_only(machine.root):
        for _ in range(2):
            told = recovery.recover(root=machine.root)
            assert told.verdict == "finished"
            assert "cannot be removed yet" in told.text
        with pytest.raises(WriteError, match="the journal of an earlier run is still there"):
            machine.apply(content="newer\n")
    assert recovery.recover(root=machine.root).verdict == "finished"
    assert recovery.recover(root=machine.root) is None
    assert machine.state().fingerprint == "new"
    assert os.listdir(machine.file.parent) == ["app.conf"]


def test_journal_that_cannot_be_removed_stops_no_run(machine, monkeypatch):
    """What is settled is settled, though the journal that said so is still there."""

    def refuse(name, real=os.unlink, **keywords):
        if name == "journal.json":
            raise OSError(5, "Input/output error", name)
        real(name, **keywords)

    die(machine, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        told = recovery.recover(root=machine.root)
    assert told.verdict == "finished"
    assert "Input/output error" in told.text
    assert recovery.recover(root=machine.root) is None
    assert machine.names() == ["instance", "instances"]


@pytest.mark.parametrize("saved", [Killed, ""])
def test_what_stands_in_the_way_of_the_state_stops_no_recovery(machine, monkeypatch, saved):
    """A file where the state's folder belongs goes before an interrupted run is remembered."""
    if saved is Killed:
        machine.answers = {("other", "new"): Killed}
        with pytest.raises(Killed):
            machine.apply()
    else:
        die(machine, monkeypatch)
    folder = f"{machine.root}{paths.instance_folder(ME)}"
    os.rename(folder, f"{machine.root}/was")
    with open(folder, "w"):
        pass
    recovery.recover(root=machine.root, now="now")
    assert set(machine.state().pending_handlers) == {"app", "other", "waiting"}
    assert os.path.lexists(f"{folder}.corrupt-now")


def test_litter_that_nobody_can_read_is_set_aside(machine):
    """A list of litter that is damaged stops no boot and is not tried for ever."""
    with open(f"{machine.root}{paths.JOURNAL}.litter-1", "w") as file:
        file.write("no journal\n")
    assert recovery.recover(root=machine.root).verdict == "littered"
    assert machine.names() == ["instance", "instances", "journal.json.litter-1.corrupt"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit(143)])
def test_run_that_is_told_to_stop_while_it_notifies_undoes_itself(machine, stop):
    """The old files are back at once, and all who may have read the new ones are due."""
    machine.answers = {("other", "new"): stop}
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        machine.apply()
    assert machine.file.read_text() == "old\n"
    assert set(machine.state().pending_handlers) == {"app", "other", "waiting"}
    assert machine.state().written == {}
    assert machine.names() == ["instance", "instances"]
    assert os.listdir(machine.file.parent) == ["app.conf"]
    assert recovery.recover(root=machine.root) is None


def test_run_that_keeps_its_files_finishes_when_it_is_told_to_stop(machine):
    """Where files stay whatever handlers say, they stay, and the handlers are due."""
    machine.answers = {("other", "new"): KeyboardInterrupt}
    with pytest.raises(KeyboardInterrupt):
        machine.apply(keep=True)
    assert machine.file.read_text() == "new\n"
    assert machine.state().pending_handlers == ("app", "other", "waiting")
    assert machine.names() == ["instance", "instances"]


def test_nothing_to_settle_costs_one_look(machine, monkeypatch):
    """Without a journal no file is opened, read or imported, but for folders on the way."""
    seen = []

    def noting(path, flags, *arguments, **keywords):
        seen.append(flags)
        return opened(path, flags, *arguments, **keywords)

    opened = os.open
    monkeypatch.setattr(os, "open", noting)
    assert recovery.recover(root=machine.root) is None
    assert all(flags & os.O_DIRECTORY for flags in seen)


@pytest.mark.parametrize(
    "make", [os.mkdir, os.mkfifo, lambda path: os.symlink("/etc/passwd", path)]
)
def test_what_is_no_journal_is_set_aside(machine, make):
    """A folder, a pipe or a link in the journal's place stops no boot, and is not followed."""
    make(machine.root + paths.JOURNAL)
    assert "damaged" in recovery.foresee(ME, None, root=machine.root).text
    assert recovery.recover(root=machine.root, now="now").verdict == "damaged"
    assert recovery.recover(root=machine.root) is None
    assert os.path.lexists(f"{machine.root}{paths.JOURNAL}.corrupt-now")
