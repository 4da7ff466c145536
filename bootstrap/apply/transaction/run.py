"""A plan carried out and remembered: files, handlers and state as one transaction.

The journal holds the state that there will be, so that at whatever instant the machine dies the
next run finds either nothing begun or all that it takes to finish or undo:

    died while                       the next run
    staging, checking                undoes what was prepared
    publishing, notifying            undoes the files: the handlers are due
    rolling back, notifying again    undoes the files: the handlers are due
    saving the state, letting go     takes the state from the journal, and lets go of the old files

A run that is told to stop while it notifies undoes its files by itself.
"""

from __future__ import annotations

from contextlib import suppress

from bootstrap.apply.transaction import recovery
from bootstrap.apply.transaction.commit import commit
from bootstrap.apply.transaction.handlers import HandlersFailed
from bootstrap.apply.transaction.journal import Journal
from bootstrap.errors import BootstrapError
from bootstrap.frozen import replace
from bootstrap.state import paths, store
from bootstrap.state.manifest import as_left
from bootstrap.state.record import as_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.plan.change import Plan
    from bootstrap.apply.transaction.checks import Run
    from bootstrap.apply.transaction.commit import Transaction
    from bootstrap.apply.transaction.handlers import Handlers
    from bootstrap.state.record import State


class TransactionRunner:
    """How a plan is carried out below `root`: with these handlers and a `timeout` for each check.

    `keep` leaves new files where they are although a handler fails on them.
    """

    def __init__(
        self, handlers: Handlers, *, root: str, timeout: float, run: Run, keep: bool = False
    ) -> None:
        self._handlers = handlers
        self._root = root
        self._timeout = timeout
        self._run = run
        self._keep = keep

    def commit(self, plan: Plan, before: State, after: State) -> None:
        """Change the files, run what is due, remember.

        `before` is what the state says now, `after` what it shall say when all is done. Raises
        WriteError, NotPermitted or CommandFailed; then it says what the next run needs to try
        again from the start.
        """
        begun = replace(
            after,
            fingerprint="",
            configured_at=before.configured_at,
            pending_handlers=plan.handlers,
        )
        transaction = commit(
            plan,
            journal=Journal(paths.JOURNAL, self._root),
            next_state=as_record(begun) | recovery.target_id(before, after),
            timeout=self._timeout,
            run=self._run,
        )
        if self._keep:
            transaction.confirm()
        try:
            self._notify(plan, transaction, before)
        except HandlersFailed as error:
            stays = before if error.rolled_back else self._as_left(begun)
            self._end(transaction, replace(stays, fingerprint="", pending_handlers=error.due))
            raise
        except (KeyboardInterrupt, SystemExit):
            self._recover_now()
            raise
        if not self._keep:
            transaction.confirm()
        self._end(transaction, self._as_left(after))

    def _notify(self, plan: Plan, transaction: Transaction, before: State) -> None:
        if plan.changes and not self._keep:
            pending = before.pending_handlers
            self._handlers.notify_or(transaction.roll_back, plan.handlers, pending=pending)
        elif plan.handlers:
            self._handlers.notify(plan.handlers)

    def _recover_now(self) -> None:
        """Do at once what the next run would: told to stop, a run has the time to put files back.

        Not to run handlers again, which may take long: they are due.
        """
        with suppress(BootstrapError):
            recovery.recover(root=self._root)

    def _as_left(self, state: State) -> State:
        return replace(state, written=as_left(state.written, root=self._root))

    def _end(self, transaction: Transaction, state: State) -> None:
        """Remember, and only then let go of what the next run would need."""
        store.save(state, root=self._root)
        transaction.close()
