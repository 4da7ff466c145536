"""The files that the agent left on the machine, and whether they have drifted since."""

from __future__ import annotations

import os

from bootstrap.frozen import Frozen, field, replace
from bootstrap.fs import read
from bootstrap.fs.path import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from bootstrap.fs.path import Place


class Written(Frozen):
    """One file as it was left: its content by digest, never the content itself.

    `path` is the one in the document, without the root. `mode`, `uid` and `gid` are its access, on
    Windows `acl`. `ours` says that this agent wrote it; it is False if the file was already as
    wanted. `once` says that later changes to it are not drift; `follow` that the path may be a
    link; `secret` that the content must not be shown; `source` identifies the secret that an
    encrypted credential was made of. `attributes` are the extended ones that it was left with, as
    far as they count; None if unknown, as always for a file `in_place`. `unknown` are the fields of
    a later version's record, kept until the file is changed.
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
    unknown: Mapping[str, Any] = field(default_factory=dict)


class Drift:
    """One file that is no longer as it was left, and the respects in which it differs."""

    __slots__ = ("path", "reasons")

    def __init__(self, path: str, reasons: tuple[str, ...]) -> None:
        self.path = path
        self.reasons = reasons

    def __repr__(self) -> str:
        return f"Drift({self.path}: {', '.join(self.reasons)})"


def verify(records: Iterable[Written], *, root: str = "/") -> tuple[Drift, ...]:
    """Return the files that no longer match their records, in the order of the records.

    Reasons are `missing`, `content`, `mode`, `owner`, `group`, `label …`, `acl`, `access list`,
    `attribute …`, `not a regular file`, or the system's error message when a file cannot be read.
    Reads every content. Imports nothing slow, because every unchanged boot calls this.
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
    """Return whether a file has the content that it was left with, whatever its access is now."""
    try:
        place = resolve(record.path, root, follow=record.follow)
        found = read.lstat(place)
        return found is not None and found.kind == "file" and read.digest(place) == record.sha256
    except OSError:
        return False


def _xattr_drift(place: Place, record: Written) -> tuple[str, ...]:
    """Return the attributes in which a file differs.

    Most files have no attributes; for those no module is loaded.
    """
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
    """Return the records with the attributes that their files have now, after the run."""
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
