"""What the agent left on the machine, and whether it still stands there as it was left."""

from __future__ import annotations

from bootstrap.apply import disk
from bootstrap.apply.place import resolve
from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Written(Frozen):
    """One file as it was left: its content by digest, never the content itself.

    `path` is the document's, without the root. `ours` says that this agent wrote it, rather than
    found it just as it was wanted; `once` that what happens to its content later is nobody's
    drift; `follow` that the path may be a link; `secret` that the content must not be shown;
    `source` of which secret a sealed credential was made.
    """

    path: str
    sha256: str
    mode: int
    uid: int
    gid: int
    ours: bool = True
    once: bool = False
    follow: bool = False
    secret: bool = False
    source: str = ""


class Drift:
    """One file that is no longer as it was left, and in which respects."""

    __slots__ = ("path", "reasons")

    def __init__(self, path: str, reasons: tuple[str, ...]) -> None:
        self.path = path
        self.reasons = reasons

    def __repr__(self) -> str:
        return f"Drift({self.path}: {', '.join(self.reasons)})"


def verify(records: Iterable[Written], *, root: str = "/") -> tuple[Drift, ...]:
    """The files that no longer match their records, in the order of the records.

    Reasons are `missing`, `content`, `mode`, `owner`, `group`, `not a regular file`, or the
    system's own words when a file cannot be read. Reads every content; imports nothing heavy, for
    every unchanged boot comes through here.
    """
    compared = ((record.path, _reasons(record, root)) for record in records)
    return tuple(Drift(path, reasons) for path, reasons in compared if reasons)


def _reasons(record: Written, root: str) -> tuple[str, ...]:
    try:
        place = resolve(record.path, root, follow=record.follow)
        found = disk.look(place)
        if found is None:
            return ("missing",)
        if record.once:
            return ()
        if found.kind != "file":
            return ("not a regular file",)
        digest = disk.digest(place)
    except OSError as error:
        return (error.strerror or str(error),)
    access = found.access
    differs = {
        "content": digest != record.sha256,
        "mode": access.mode != record.mode,
        "owner": access.uid != record.uid,
        "group": access.gid != record.gid,
    }
    return tuple(reason for reason, so in differs.items() if so)
