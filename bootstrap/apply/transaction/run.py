"""Carry out a plan and save the state: files, handlers and state as one transaction.

The journal holds the state that the run is to end with. If the machine dies at any instant, the
next run finds either nothing begun, or everything that it needs to finish or undo the run:

    died while                       the next run
    staging, checking                undoes what was prepared
    publishing, notifying            undoes the files: the handlers are due
    rolling back, notifying again    undoes the files: the handlers are due
    saving the state, cleaning up    takes the state from the journal, and removes the old files

A run that is interrupted by a signal while it notifies undoes its files by itself.
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
    """Carries out plans below `root`, with these handlers and a `timeout` in seconds per check.

    `keep` leaves new files in place even if a handler fails.
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
        """Change the files, run the handlers that are due, and save the state.

        `before` is the current state, `after` the state to save when everything is done. Raises
        WriteError, NotPermitted or CommandFailed; in that case the saved state contains what the
        next run needs to try again from the start.
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
        """Undo the files at once, as the next run would: an interrupted run has the time for that.

        Handlers are not run again, because they may take long: they stay due.
        """
        with suppress(BootstrapError):
            recovery.recover(root=self._root)

    def _as_left(self, state: State) -> State:
        return replace(state, written=as_left(state.written, root=self._root))

    def _end(self, transaction: Transaction, state: State) -> None:
        """Save the state, and only then remove what the next run would need."""
        store.save(state, root=self._root)
        transaction.close()
