"""Write a plan to the disk: either all of it or nothing, whatever fails."""

from __future__ import annotations

from contextlib import contextmanager, suppress

from bootstrap.apply.transaction import checks, rollback
from bootstrap.apply.transaction.journal import JournalContents
from bootstrap.apply.transaction.journal_entry import entry_for, missing_folders
from bootstrap.apply.transaction.step import Step
from bootstrap.errors import BootstrapError
from bootstrap.fs import read, temp_names, write
from bootstrap.fs.errors import from_os_error, refusal
from bootstrap.fs.path import Place
from bootstrap.process import runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import Any

    from bootstrap.apply.plan.change import Plan
    from bootstrap.apply.transaction.checks import Run
    from bootstrap.apply.transaction.journal import Journal

# systemd itself creates these with mode 0700: https://systemd.io/CREDENTIALS
CREDENTIAL_FOLDERS = ("run/credstore", "etc/credstore.encrypted")


def commit(
    plan: Plan,
    *,
    journal: Journal,
    next_state: Mapping[str, Any] | None = None,
    timeout: float,
    run: Run = runner.run,
    token: Callable[[], str] = temp_names.token,
) -> Transaction:
    """Carry out a plan and return its transaction, to confirm or roll back after the handlers.

    Every file is staged and checked before the first name changes. If a later step fails, also a
    check without `{path}`, the old files are put back before the error is raised. A crash before
    the confirmation undoes the transaction. The journal stays, with `next_state`, until the
    transaction is closed, so that the next run can recover after a crash.
    `timeout` is for each check, in seconds. Raises WriteError, NotPermitted or CommandFailed.
    Handlers are not run here: see `notify`.
    """
    transaction = Transaction(plan, journal, token())
    if plan.changes:
        try:
            transaction.begin(next_state or {})
            transaction.prepare(timeout=timeout, run=run)
            transaction.publish(timeout=timeout, run=run)
        except BaseException as error:
            transaction.abandon(error)
            raise
    return transaction


class Transaction:
    """A plan that is being carried out, step by step with its journal."""

    def __init__(self, plan: Plan, journal: Journal, token: str) -> None:
        self._journal = journal
        self._private = plan.private
        self._root = journal.place.root
        self._steps = [
            Step(change, entry_for(change, f"{token}-{index}", journal.place))
            for index, change in enumerate(plan.changes)
        ]
        self._contents = JournalContents()
        self._rolled_back = False

    def begin(self, next_state: Mapping[str, Any]) -> None:
        """Write to the journal what is about to be done."""
        entries = tuple(step.entry for step in self._steps)
        folders = missing_folders(entries, self._root)
        if read.lstat(self._journal.place):
            message = "the journal of an earlier run is still there, and cannot be let go of"
            raise refusal(message, path=self._journal.path, hint="see what keeps it from going")
        with self._writing():
            self._journal.begin(entries, folders, next_state)
        self._contents = JournalContents("intent", entries, folders, next_state)

    def prepare(self, *, timeout: float, run: Run) -> None:
        """Stage and check the new files, and save the originals."""
        for folder in self._contents.folders:
            self._make(folder)
        self._each(Step.stage, "writing")
        checks.before(self._steps, timeout=timeout, run=run, private=self._private)
        inodes = self._each(Step.save_original, "keeping the old content of")
        entries = self._contents.entries
        kept = [one.kept for one in entries if one.kind != "remove"]
        self._sync([*self._contents.folders, *(one.staged for one in entries), *kept])
        with self._writing():
            self._journal.prepare(inodes)
        self._contents = JournalContents(
            "prepared", entries, self._contents.folders, self._contents.next_state, inodes
        )

    def publish(self, *, timeout: float, run: Run) -> None:
        """Rename the files into place, and run the checks that need the final names."""
        self._each(Step.rename_into_place, "replacing")
        self._sync(one.path for one in self._contents.entries if one.kind != "overwrite")
        checks.after(self._steps, timeout=timeout, run=run, private=self._private)

    def confirm(self) -> None:
        """Record that the transaction is done: after this, a crash finishes it.

        Raises WriteError or NotPermitted. In that case the old files are back, and the journal
        stays for the next run, because programs that have read the new files must be notified.
        """
        if not self._steps:
            return
        try:
            with self._writing():
                self._journal.commit()
        except BootstrapError:
            rollback.revert(self._contents, self._root)
            raise
        self._contents.phase = "committed"

    def abandon(self, error: BaseException) -> None:
        """Put everything back after `error`.

        What cannot be put back is added to the error's problems and left to the next run.
        """
        if self._contents.phase == "nothing":
            return
        try:
            rollback.revert(self._contents, self._root)
            rollback.remove_staged(self._contents, self._root)
            self._journal.remove()
        except BootstrapError as failure:
            if isinstance(error, BootstrapError):
                error.problems += failure.problems
        except OSError:
            pass  # the journal is still there, and the next run tries again

    def roll_back(self) -> None:
        """Put the old files back. Raises WriteError or NotPermitted."""
        if self._steps:
            rollback.revert(self._contents, self._root)
            self._rolled_back = True

    def close(self) -> None:
        """Remove the old files, or after a rollback the new ones.

        A failure here does not fail the commit: what cannot be removed is left to the next run.
        """
        if self._steps:
            with suppress(OSError, BootstrapError):
                conclude = (
                    rollback.remove_staged if self._rolled_back else rollback.remove_originals
                )
                rollback.cleanup(self._journal, self._contents, self._root, conclude)

    def _make(self, folder: str) -> None:
        place = Place(self._root, folder)
        below = (step.change for step in self._steps if step.entry.path.startswith(f"{folder}/"))
        origin = next((change.origin for change in below), "")
        with _as_agent_errors("making the folder", path=f"/{folder}", origin=origin):
            private = folder in CREDENTIAL_FOLDERS
            write.make_folder(place, 0o700 if private else write.FOLDER_MODE)

    def _each(self, act: Callable[[Step], int | None], doing: str) -> list[int]:
        return [self._attempt(step, act, doing) or 0 for step in self._steps]

    def _attempt(self, step: Step, act: Callable[[Step], int | None], doing: str) -> int | None:
        with _as_agent_errors(doing, path=step.change.path, origin=step.change.origin):
            return act(step)

    def _sync(self, names: Iterable[str]) -> None:
        """Flush every folder in which a name changed, each once."""
        places = [Place(self._root, name) for name in names if name]
        for folders, place in {place.folders: place for place in places}.items():
            with _as_agent_errors("flushing the folder", path=f"/{'/'.join(folders)}"):
                write.sync(place)

    def _writing(self) -> AbstractContextManager[None]:
        return _as_agent_errors("writing the journal", path=self._journal.path)


@contextmanager
def _as_agent_errors(doing: str, *, path: str, origin: str = "") -> Iterator[None]:
    """Convert an OSError to an error of this agent."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, doing, path=path, origin=origin) from error
