"""A plan onto the disk: all of it or nothing, whatever happens on the way."""

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

# What systemd itself makes with mode 0700: https://systemd.io/CREDENTIALS
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
    """Carry out a plan; what it gives is confirmed or rolled back once the handlers have run.

    Everything is staged and checked before the first name changes; when anything fails after
    that, a check without `{path}` included, the old files are put back before the error is
    raised. Until it is confirmed a crash undoes it; until it is closed the journal stays, with
    `next_state`, for whoever comes after one.
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
        """Write down what is about to be done."""
        entries = tuple(step.entry for step in self._steps)
        folders = missing_folders(entries, self._root)
        if read.lstat(self._journal.place):
            message = "the journal of an earlier run is still there, and cannot be let go of"
            raise refusal(message, path=self._journal.path, hint="see what keeps it from going")
        with self._writing():
            self._journal.begin(entries, folders, next_state)
        self._contents = JournalContents("intent", entries, folders, next_state)

    def prepare(self, *, timeout: float, run: Run) -> None:
        """Stage and check the new files, keep the old ones."""
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
        """Change the names, and check what can only be checked then."""
        self._each(Step.rename_into_place, "replacing")
        self._sync(one.path for one in self._contents.entries if one.kind != "overwrite")
        checks.after(self._steps, timeout=timeout, run=run, private=self._private)

    def confirm(self) -> None:
        """Say that it is done: from here on a crash finishes it.

        Raises WriteError or NotPermitted; then the old files are back, and the journal stays for
        the next run, for whoever has read the new ones has to hear of it.
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
        """Put everything back; what cannot be is told with the error and left to the next run."""
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
            pass  # the journal is there, and the next run comes through here again

    def roll_back(self) -> None:
        """Put the old files back. Raises WriteError or NotPermitted."""
        if self._steps:
            rollback.revert(self._contents, self._root)
            self._rolled_back = True

    def close(self) -> None:
        """Let go of the old files, or of the new ones after a rollback.

        Nothing may fail the commit any more: what cannot be removed is left to the next run.
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
        with _telling("making the folder", path=f"/{folder}", origin=origin):
            private = folder in CREDENTIAL_FOLDERS
            write.make_folder(place, 0o700 if private else write.FOLDER_MODE)

    def _each(self, act: Callable[[Step], int | None], doing: str) -> list[int]:
        return [self._attempt(step, act, doing) or 0 for step in self._steps]

    def _attempt(self, step: Step, act: Callable[[Step], int | None], doing: str) -> int | None:
        with _telling(doing, path=step.change.path, origin=step.change.origin):
            return act(step)

    def _sync(self, names: Iterable[str]) -> None:
        """Flush every folder in which a name changed, each once."""
        places = [Place(self._root, name) for name in names if name]
        for folders, place in {place.folders: place for place in places}.items():
            with _telling("flushing the folder", path=f"/{'/'.join(folders)}"):
                write.sync(place)

    def _writing(self) -> AbstractContextManager[None]:
        return _telling("writing the journal", path=self._journal.path)


@contextmanager
def _telling(doing: str, *, path: str, origin: str = "") -> Iterator[None]:
    """Tell what the system says as an error of this agent."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, doing, path=path, origin=origin) from error
