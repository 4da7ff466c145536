"""What the agent left on the machine, and whether it still stands there as it was left."""

from __future__ import annotations

import os

from bootstrap.frozen import Frozen, replace
from bootstrap.fs import read
from bootstrap.fs.path import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bootstrap.fs.path import Place


class Written(Frozen):
    """One file as it was left: its content by digest, never the content itself.

    `path` is the document's, without the root. `mode`, `uid` and `gid` say who may do what with it,
    on Windows `acl`. `ours` says that this agent wrote it, rather than found it just as it was
    wanted; `once` that what happens to it later is nobody's drift; `follow`
    that the path may be a link; `secret` that the content must not be shown; `source` of which
    secret a sealed credential was made. `attributes` are the extended ones that it was left with,
    as far as they count; None where that is not known, as it never is of a file `in_place`.
    """

    path: str
    sha256: str
    mode: int = 0
    uid: int = 0
    gid: int = 0
    acl: str = ""
    ours: bool = True
    once: bool = False
    follow: bool = False
    secret: bool = False
    source: str = ""
    in_place: bool = False
    attributes: Mapping[str, bytes] | None = None


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

    Reasons are `missing`, `content`, `mode`, `owner`, `group`, `label …`, `acl`, `access list`,
    `attribute …`, `not a regular file`, or the system's own words when a file cannot be read. Reads
    every content; imports nothing heavy, for every unchanged boot comes through here.
    """
    compared = ((record.path, _reasons(record, root)) for record in records)
    return tuple(Drift(path, reasons) for path, reasons in compared if reasons)


def _reasons(record: Written, root: str) -> tuple[str, ...]:
    try:
        place = resolve(record.path, root, follow=record.follow)
        found = read.lstat(place)
        if found is None:
            return ("missing",)
        if record.once:
            return ()
        if found.kind != "file":
            return ("not a regular file",)
        digest = read.digest(place)
    except OSError as error:
        return (error.strerror or str(error),)
    content = () if digest == record.sha256 else ("content",)
    return content + found.access.drift(record) + _xattr_drift(place, record)


def has_content(record: Written, *, root: str = "/") -> bool:
    """Whether a file holds what it was left with, whoever may read it now."""
    try:
        place = resolve(record.path, root, follow=record.follow)
        found = read.lstat(place)
        return found is not None and found.kind == "file" and read.digest(place) == record.sha256
    except OSError:
        return False


def _xattr_drift(place: Place, record: Written) -> tuple[str, ...]:
    """In which attributes a file differs; most files have none, and then nothing is loaded."""
    left = record.attributes
    if left is None or not (left or _has_any(place)):
        return ()
    from bootstrap.fs.xattr import differences, get_all, wanted

    present = get_all(place)
    return differences(present, wanted(present, left))


def _has_any(place: Place) -> bool:
    if not hasattr(os, "listxattr"):  # only Linux has them
        return False
    try:
        return bool(os.listxattr(place.path, follow_symlinks=False))
    except OSError:
        return False


def as_left(records: Mapping[str, Written], *, root: str = "/") -> dict[str, Written]:
    """The records with the attributes that their files now have: this is how they were left."""
    return {path: _as_left(record, root) for path, record in records.items()}


def _as_left(record: Written, root: str) -> Written:
    from bootstrap.fs.xattr import get_all

    if record.once or record.in_place:
        return record
    try:
        place = resolve(record.path, root, follow=record.follow)
    except OSError:
        return record
    return replace(record, attributes=get_all(place))
