"""The state of this machine on disk: looked at, put in order, saved."""

from __future__ import annotations

from bootstrap import ELEVATE, LIBRARY, RUNTIME
from bootstrap.errors import NotPermitted, Public, WriteError
from bootstrap.fs import atomic, read, write
from bootstrap.fs.path import resolve
from bootstrap.fs.temp_names import token
from bootstrap.state import paths
from bootstrap.state.record import Damaged, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bootstrap.fs.path import Place
    from bootstrap.state.record import State

ASIDE = ".corrupt-"  # follows the name of what is kept for a look
MAX_STATE = 16 << 20  # bytes: far more than any state, far less than memory


class Loaded:
    """What was found on disk for a machine.

    `state` is None on a first boot and when the record is `damaged` (why, in words; else empty).
    `strangers` are the folders of other machines: this one was made from a captured image.
    `misplaced` is what stands where a folder or a link of ours belongs.
    """

    __slots__ = ("damaged", "misplaced", "state", "strangers", "vm_id")

    def __init__(
        self,
        vm_id: str,
        state: State | None,
        damaged: str,
        strangers: tuple[str, ...] = (),
        misplaced: tuple[str, ...] = (),
    ) -> None:
        self.vm_id = vm_id
        self.state = state
        self.damaged = damaged
        self.strangers = strangers
        self.misplaced = misplaced

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should hear of it."""
        notes = []
        if self.strangers:
            was = ", ".join(self.strangers)
            notes.append(f"captured image: this was {was} and now is {self.vm_id}; starting afresh")
        if self.damaged:
            notes.append(f"the state is damaged ({self.damaged}); it is set aside and rebuilt")
        notes += [f"{path} is not what belongs there; it is set aside" for path in self.misplaced]
        return tuple(map(Public, notes))


def load(vm_id: str, *, root: str = "/") -> Loaded:
    """Look at the state of a machine; writes nothing, and no content of the file makes it fail.

    Raises NotPermitted when this process may not read it.
    """
    try:
        state, damaged = _read(vm_id, root)
        misplaced = _misplaced(vm_id, root, is_there=state is not None)
        return Loaded(vm_id, state, damaged, _strangers(vm_id, root), misplaced)
    except PermissionError as error:
        message = Public(f"reading the state: {error.strerror}")
        raise NotPermitted(message, hint=ELEVATE) from error


def _read(vm_id: str, root: str) -> tuple[State | None, str]:
    try:
        place = resolve(paths.state_file(vm_id), root)
        if read.lstat(place) is None:
            return None, ""
        data = read.read(place, MAX_STATE)
        state = decode(data or b"")
    except PermissionError:
        raise
    except OSError as error:
        return None, error.strerror or f"{error}"
    except Damaged as error:
        return None, f"{error}"
    return (state, "") if state.vm_id == vm_id else (None, "it is another machine's")


def _strangers(vm_id: str, root: str) -> tuple[str, ...]:
    mine = paths.folder_name(vm_id)
    others = (name for name in atomic.names(paths.INSTANCES, root=root) if name != mine)
    return tuple(sorted(name for name in others if not name.startswith(mine + ASIDE)))


def _misplaced(vm_id: str, root: str, *, is_there: bool) -> tuple[str, ...]:
    """What stands in the place of a folder, outermost first and then no further, or of the link.

    When the state `is_there` its folders need no look.
    """
    folders = (LIBRARY, paths.INSTANCES, paths.instance_folder(vm_id))
    for path in () if is_there else folders:
        found = read.lstat(resolve(path, root, follow=True))
        if found and found.kind != "folder":
            return (path,)
    place = resolve(paths.CURRENT, root)
    return (paths.CURRENT,) if read.lstat(place) and read.read_pointer(place) is None else ()


def current(*, root: str = "/") -> str | None:
    """The id of the machine that was last configured here; None when none was.

    Raises NotPermitted when this process may not look.
    """
    try:
        place = resolve(paths.CURRENT, root)
        target = read.read_pointer(place)
        return target.rpartition("/")[2] if target else None
    except PermissionError as error:
        message = Public(f"reading the state: {error.strerror}")
        raise NotPermitted(message, hint=ELEVATE) from error
    except OSError:
        return None


def remembered_settings(*, root: str = "/") -> Mapping[str, Any]:
    """What the last run remembered of its settings; empty when this process may not read it."""
    try:
        vm_id = current(root=root)
        state = load(vm_id, root=root).state if vm_id else None
    except NotPermitted:
        return {}
    return state.settings if state else {}


def repair(loaded: Loaded, *, root: str = "/", now: str = "") -> None:
    """Set a damaged state aside, forget other machines, and sweep what a dead run left of a state.

    Does nothing when all is well. `now` (a time, for the name of the damaged file) keeps an earlier
    one from being replaced. Raises WriteError.
    """
    try:
        clear(loaded, root=root, now=now)
        if loaded.damaged:
            _set_aside(resolve(paths.state_file(loaded.vm_id), root), now)
        for name in loaded.strangers:
            atomic.remove_tree(f"{paths.INSTANCES}/{name}", root=root)
        atomic.sweep(paths.state_file(loaded.vm_id), root=root)
    except OSError as error:
        raise WriteError(Public(f"putting the state in order: {error}")) from error


def clear(loaded: Loaded, *, root: str = "/", now: str = "") -> None:
    """Set aside what stands where a folder or a link of ours belongs. Lets OSError through."""
    for path in loaded.misplaced:
        _set_aside(resolve(path, root), now)


def _set_aside(place: Place, now: str) -> None:
    write.rename(place, f"{place.name}{ASIDE}{now or token()}")


def save(state: State, *, root: str = "/") -> bool:
    """Write the state, atomically and durably; False when it says so already.

    Raises WriteError or NotPermitted.
    """
    path = paths.state_file(state.vm_id)
    target = f"instances/{paths.folder_name(state.vm_id)}"
    try:
        atomic.make_folders(LIBRARY, paths.PRIVATE_FOLDER, root=root)
        atomic.make_folders(paths.instance_folder(state.vm_id), paths.PRIVATE_FOLDER, root=root)
        # The link first: a state without it would pass for a finished run that nobody can find.
        atomic.write_pointer(paths.CURRENT, target, root=root)
        written = atomic.write_file(path, encode(state), mode=paths.PRIVATE_FILE, root=root)
    except PermissionError as error:
        raise NotPermitted(Public(f"saving the state: {error}"), hint=ELEVATE) from error
    except OSError as error:
        raise WriteError(Public(f"saving the state: {error}")) from error
    return written


def remove_state(*, root: str = "/") -> tuple[str, ...]:
    """Forget every machine and the status of the last run, for image capture; what was removed.

    The lock stays: whoever waits for it must not find another one in its place. Raises
    NotPermitted or WriteError.
    """
    try:
        return tuple(path for path in _remembered(root) if atomic.remove_tree(path, root=root))
    except PermissionError as error:
        raise NotPermitted(Public(f"forgetting: {error}"), hint=ELEVATE) from error
    except OSError as error:
        raise WriteError(Public(f"forgetting: {error}")) from error


def _remembered(root: str) -> list[str]:
    found = [
        f"{folder}/{name}"
        for folder in (LIBRARY, RUNTIME)
        for name in sorted(atomic.names(folder, root=root))
    ]
    return [path for path in found if path != paths.LOCK]
