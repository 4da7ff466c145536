"""A run that was interrupted, settled by the next one: finished or undone, as its journal says.

The order makes it safe to be killed anywhere and to begin again: files, then state, then what is
no longer needed, and the journal last.
"""

from __future__ import annotations

import os

from bootstrap import ELEVATE, LIBRARY
from bootstrap.errors import BootstrapError, NotPermitted, Public, WriteError
from bootstrap.frozen import replace
from bootstrap.fs import atomic, read
from bootstrap.fs.path import resolve
from bootstrap.fs.temp_names import LITTER
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
BECOMES = "becomes"  # in a journal's memo: the sign of the state that the run is to end with


class Recovered:
    """How an interrupted run was settled, and in words, which are for everybody.

    `undone`, `finished` or `damaged`; `littered` when only some of its litter is left.
    """

    __slots__ = ("text", "verdict")

    def __init__(self, verdict: str, text: str) -> None:
        self.verdict = verdict
        self.text = Public(text)


def recover(*, root: str = "/", now: str = "") -> Recovered | None:
    """Settle what an interrupted run left; None when there is nothing to settle.

    Only for the holder of the lock. Handlers that were due are due again, in the state of the
    machine that was configured then. `now` (a time) names a damaged journal, which is set aside.
    Raises WriteError or NotPermitted when files cannot be put in order: the next run tries again.
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
    """Whether an interrupted run waits to be settled. Lets OSError through."""
    return read.lstat(resolve(paths.JOURNAL, root)) is not None


class Foreseen:
    """What `recover` will do: the state that it leaves, the story that it undoes, and in words."""

    __slots__ = ("state", "text", "undone")

    def __init__(
        self, state: State | None, undone: JournalContents | None = None, text: str = ""
    ) -> None:
        self.state = state
        self.undone = undone
        self.text = text


def foresee(vm_id: str, state: State | None, *, root: str = "/") -> Foreseen:
    """What the next run of this machine will find when it has settled; nothing is changed."""
    if not is_due(root=root):
        return Foreseen(state)
    from bootstrap.apply.transaction import journal as journals

    try:
        contents = journals.Journal(paths.JOURNAL, root).read() or journals.JournalContents()
    except journals.Damaged as error:
        return Foreseen(state, text=DAMAGED.format(error))
    next_state = _memo(contents)
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
    next_state = _memo(contents)
    if next_state:  # what would keep its state from being saved goes first
        store.clear(store.load(next_state.vm_id, root=root), root=root, now=now)
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
    return Recovered(verdict, f"{text}; {left}" if left else text)


def _sweep(root: str) -> str:
    """Try again to remove what earlier runs could not; in words what still cannot be."""
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
    """What a journal says, beside the memo, of the state that its run is to end with."""
    return {BECOMES: _state_id(after)} if _state_id(after) != _state_id(before) else {}


def _state_id(state: State) -> str:
    """What tells the state at the end of one run from that of any other."""
    return f"{state.configured_at} {state.fingerprint}"


def _end(contents: JournalContents, next_state: State | None, state: State | None) -> State | None:
    """The state that a finished run leaves: it may have lived to save a better one than its memo.

    By that, its handlers have run.
    """
    is_saved = next_state and state and _state_id(state) == contents.next_state.get(BECOMES)
    return state if is_saved else next_state or state


def _memo(contents: JournalContents) -> State | None:
    """The state that the interrupted run would have left."""
    try:
        return from_record(contents.next_state)
    except Damaged:
        return None


def _remember_due(next_state: State, root: str) -> None:
    """Names had changed, and who knows who has read the files since: the handlers are due."""
    loaded = store.load(next_state.vm_id, root=root)
    state = _still_due(loaded.state, next_state)
    if not loaded.damaged and loaded.state != state and state.pending_handlers:
        store.save(state, root=root)


def _still_due(state: State | None, next_state: State) -> State:
    before = state or State(vm_id=next_state.vm_id)
    pending = dict.fromkeys(before.pending_handlers + next_state.pending_handlers)
    return replace(before, pending_handlers=tuple(pending))
