"""What the journal says of each change: names and numbers enough to finish or undo it."""

from __future__ import annotations

from hashlib import sha256

from bootstrap.frozen import Frozen, fields_of
from bootstrap.fs import read
from bootstrap.fs.mounts import is_mount_point
from bootstrap.fs.path import Place
from bootstrap.fs.temp_names import kept_name, staged_name
from bootstrap.process.command import takes_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from bootstrap.apply.plan.change import Change

KINDS = ("create", "replace", "overwrite", "remove")


class Entry(Frozen):
    """One change, by the names it uses on the way; all paths are relative to the root.

    `staged` is where the new file waits and `kept` where the old one does; empty when there is
    none. `sha256` is the new content's; `mounted` says that the file was a mount point. `mode`,
    `uid` and `gid` (on Windows `acl`) are the old file's, for the one kind of change that has to
    write them again.
    """

    kind: str
    path: str
    staged: str = ""
    kept: str = ""
    backup: bool = False
    mounted: bool = False
    sha256: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    acl: str = ""


def entry_for(change: Change, token: str, library: Place) -> Entry:
    """How a change is going to be made; `token` makes the names of this commit its own.

    The old content of a file that is written over goes beside `library`, for the folder around a
    mount point may be read-only; but where a backup is asked for it goes where that will be.
    """
    place, before = change.place, change.before
    kind = _kind(change)
    staged = kind in {"create", "replace"} or (kind == "overwrite" and takes_path(change.check))
    beside = library if kind == "overwrite" and not change.backup else place
    after = change.after.content if change.after else None
    return Entry(
        kind=kind,
        path=place.relative,
        staged=place.sibling(staged_name(place.name, token)).relative if staged else "",
        kept=beside.sibling(kept_name(place.name, token)).relative if before else "",
        backup=change.backup and before is not None,
        mounted=kind == "overwrite" and is_mount_point(place),
        sha256=sha256(after or b"").hexdigest(),
        **(before.access.fields() if before else {}),
    )


def _kind(change: Change) -> str:
    if change.action == "remove":
        return "remove"
    if change.in_place:
        return "overwrite"
    return "replace" if change.before else "create"


def missing_folders(entries: Iterable[Entry], root: str) -> tuple[str, ...]:
    """The folders that have to be made first, outermost first."""
    missing: dict[str, None] = {}
    for entry in entries:
        above = Place(root, entry.staged).parents() if entry.staged else ()
        missing.update((one.relative, None) for one in above if read.lstat(one) is None)
    return tuple(missing)


def encode_entry(entry: Entry) -> dict[str, Any]:
    """The entry as JSON has it, without what is not set."""
    named = {name: getattr(entry, name) for name in fields_of(Entry)}
    return {name: value for name, value in named.items() if value}


def decode_entry(record: object) -> Entry:
    """The entry that `encode_entry` made; raises ValueError or TypeError for anything else."""
    if not isinstance(record, dict):
        raise TypeError("a change is not an object")
    entry = Entry(**record)
    kinds = {name: type(default) for name, default in _DEFAULTS.items()}
    if any(type(getattr(entry, name)) is not kind for name, kind in kinds.items()):
        raise TypeError("a field of a change has the wrong type")
    paths = (entry.path, entry.staged, entry.kept)
    if entry.kind not in KINDS or not entry.path or not all(map(is_inside, paths)):
        raise ValueError("a change is none that this agent makes")
    return entry


_DEFAULTS = {name: "" if name in {"kind", "path"} else one.default
             for name, one in fields_of(Entry).items()}  # fmt: skip


def is_inside(path: str) -> bool:
    """Whether a relative path leads down, and nowhere else."""
    return "\0" not in path and not {"", ".", ".."} & set(path.split("/")) if path else True
