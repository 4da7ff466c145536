"""Recover from an interrupted run: the next run finishes or undoes it, as its journal says.

The order makes it safe to be killed at any moment and to begin again: first the files, then the
state, then what is no longer needed, and the journal last.
"""

from __future__ import annotations

import os

from bootstrap.errors import BootstrapError, NotPermitted, Public, WriteError
from bootstrap.frozen import replace
from bootstrap.fs import atomic, read
from bootstrap.fs.path import resolve
from bootstrap.fs.temp_names import LITTER
from bootstrap.layout import ELEVATE, LIBRARY
from bootstrap.state import paths, store
from bootstrap.state.record import Damaged, State, from_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.transaction.journal import Journal, JournalContents

UNDONE = "an interrupted run was undone: its files are as they were before it"
FINISHED = "an interrupted run was finished: all its files are in place"
DAMAGED = "the journal of an interrupted run is damaged ({}) and is set aside"
WILL_BE_UNDONE = "a run was interrupted, and the next one undoes it first"
WILL_BE_FINISHED = "a run was interrupted, and the next one finishes it first"
BECOMES = "becomes"  # in a journal's memo: the id of the state that the run is to end with


class Recovered:
    """The outcome of a recovery, `verdict`, and its public description, `text`.

    The verdict is `undone`, `finished` or `damaged`; `littered` when only litter of it is left.
    """

    __slots__ = ("text", "verdict")

    def __init__(self, verdict: str, text: str) -> None:
        self.verdict = verdict
        self.text = Public(text)


def recover(*, root: str = "/", now: str = "") -> Recovered | None:
    """Finish or undo an interrupted run; return None when there is none.

    Only the holder of the lock may call this. Handlers that were due are due again, in the state
    of the machine that was configured then. `now` (a timestamp) is part of the new name of a
    damaged journal, which is set aside. Raises WriteError or NotPermitted when files cannot be put
    in order: the next run tries again.
    """
    try:
        left = _sweep(root)
        if is_due(root=root):
            return _recover(root, now)
        return Recovered("littered", f"of an interrupted run: {left}") if left else None
    except BootstrapError as error:
        raise type(error)(
            f"settling an interrupted run: {error.message}",
            hint=error.hint,
            problems=error.problems,
            public=Public(f"settling an interrupted run: {error.public}"),
        ) from error
    except PermissionError as error:
        message = Public(f"settling an interrupted run: {error}")
        raise NotPermitted(message, hint=ELEVATE) from error
    except OSError as error:
        raise WriteError(Public(f"settling an interrupted run: {error}")) from error


def is_due(*, root: str = "/") -> bool:
    """Return whether there is an interrupted run to recover from. Lets OSError through."""
    return read.lstat(resolve(paths.JOURNAL, root)) is not None


class Foreseen:
    """What `recover` will do.

    `state` is the state that it leaves, `undone` the journal that it undoes, `text` a description.
    """

    __slots__ = ("state", "text", "undone")

    def __init__(
        self, state: State | None, undone: JournalContents | None = None, text: str = ""
    ) -> None:
        self.state = state
        self.undone = undone
        self.text = text


def foresee(vm_id: str, state: State | None, *, root: str = "/") -> Foreseen:
    """Return what the next run of this machine will find after recovery; change nothing."""
    if not is_due(root=root):
        return Foreseen(state)
    from bootstrap.apply.transaction import journal as journals

    try:
        contents = journals.Journal(paths.JOURNAL, root).read() or journals.JournalContents()
    except journals.Damaged as error:
        return Foreseen(state, text=DAMAGED.format(error))
    next_state = _next_state(contents)
    mine = next_state if next_state and next_state.vm_id == vm_id else None
    if contents.phase == "committed":
        return Foreseen(_end(contents, mine, state), text=WILL_BE_FINISHED)
    if mine and contents.phase == "prepared":
        state = _still_due(state, mine)
    return Foreseen(state, contents, WILL_BE_UNDONE)


def _recover(root: str, now: str) -> Recovered:
    from bootstrap.apply.transaction import journal as journals

    journal = journals.Journal(paths.JOURNAL, root)
    try:
        contents = journal.read() or journals.JournalContents()
    except journals.Damaged as error:
        journal.set_aside(f"corrupt-{now or 'journal'}")
        return Recovered("damaged", DAMAGED.format(error))
    return _finish_or_roll_back(journal, contents, root, now)


def _finish_or_roll_back(
    journal: Journal, contents: JournalContents, root: str, now: str
) -> Recovered:
    from bootstrap.apply.transaction import rollback

    done = contents.phase == "committed"
    next_state = _next_state(contents)
    defects: tuple[str, ...] = ()
    if next_state:  # first set aside what would prevent saving its state, or be lost by it
        loaded = store.load(next_state.vm_id, root=root)
        store.clear(loaded, root=root, now=now)
        defects = loaded.defects
    if done:
        if next_state and (
            end := _end(contents, next_state, store.load(next_state.vm_id, root=root).state)
        ):
            store.save(end, root=root)
        left = rollback.cleanup(journal, contents, root, rollback.remove_originals)
    else:
        rollback.revert(contents, root)
        if next_state and contents.phase == "prepared":
            _remember_due(next_state, root)
        left = rollback.cleanup(journal, contents, root, rollback.remove_staged)
    verdict, text = ("finished", FINISHED) if done else ("undone", UNDONE)
    return Recovered(verdict, "; ".join(filter(None, (text, *defects, left))))


def _sweep(root: str) -> str:
    """Try again to remove what earlier runs could not; return a description of what remains."""
    beginning = f"{os.path.basename(paths.JOURNAL)}.{LITTER}"
    found = [name for name in atomic.names(LIBRARY, root=root) if name.startswith(beginning)]
    return "; ".join(filter(None, (_sweep_one(f"{LIBRARY}/{name}", root) for name in found)))


def _sweep_one(path: str, root: str) -> str:
    from bootstrap.apply.transaction import journal as journals
    from bootstrap.apply.transaction import rollback

    journal = journals.Journal(path, root)
    try:
        contents = journal.read() or journals.JournalContents()
        conclude = (
            rollback.remove_originals if contents.phase == "committed" else rollback.remove_staged
        )
        conclude(contents, root)
        journal.remove()
    except journals.Damaged as error:
        journal.set_aside("corrupt")
        return DAMAGED.format(error)
    except (BootstrapError, OSError) as error:
        return f"what it left over cannot be removed yet: {error}"
    return ""


def target_id(before: State, after: State) -> dict[str, str]:
    """Return the id of the state that the run is to end with, for the journal, beside the memo.

    It is empty if it equals the id of the state before.
    """
    return {BECOMES: _state_id(after)} if _state_id(after) != _state_id(before) else {}


def _state_id(state: State) -> str:
    """Return what distinguishes the state at the end of one run from that of any other run."""
    return f"{state.configured_at} {state.fingerprint}"


def _end(contents: JournalContents, next_state: State | None, state: State | None) -> State | None:
    """Return the state that a finished run leaves; None when there is none.

    The run may have saved a newer state than its memo before it died. In that case that state is
    returned: the id shows that its handlers have run.
    """
    is_saved = next_state and state and _state_id(state) == contents.next_state.get(BECOMES)
    return state if is_saved else next_state or state


def _next_state(contents: JournalContents) -> State | None:
    """Return the state that the interrupted run would have left; None when it is damaged."""
    try:
        return from_record(
            {name: one for name, one in contents.next_state.items() if name != BECOMES}
        )
    except Damaged:
        return None


def _remember_due(next_state: State, root: str) -> None:
    """Save that the handlers are due.

    Names had changed, and any program may have read the files since.
    """
    before = store.load(next_state.vm_id, root=root).state
    state = _still_due(before, next_state)
    if before != state and state.pending_handlers:
        store.save(state, root=root)


def _still_due(state: State | None, next_state: State) -> State:
    before = state or State(vm_id=next_state.vm_id)
    pending = dict.fromkeys(before.pending_handlers + next_state.pending_handlers)
    return replace(before, pending_handlers=tuple(pending))
