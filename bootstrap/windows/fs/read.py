"""What stands at a place of a Windows file system; what can be done to it is in `writing`.

Every function works on a `Place`, changes nothing and lets OSError through.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import ctypes
import errno
import os
import stat
from contextlib import contextmanager
from hashlib import sha256

from bootstrap.windows.fs import security, sids
from bootstrap.windows.fs.kernel import is_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Literal, Protocol

    from bootstrap.windows.fs.path import Place

    Kind = Literal["file", "link", "folder", "other"]

    class Record(Protocol):
        """What was remembered of a file's access."""

        @property
        def acl(self) -> str:
            """The owner and the list, as `Access.fields` gave them."""
            ...


CHUNK = 1 << 18
READ_FLAGS = os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT
OTHERS = 0o077  # of a POSIX mode: whether anybody but the owner is meant


class Access:
    """Who may do what with a file: the SID of its owner, and its access list (see `security`).

    An empty list is the one that the folder hands on, or will. None is what this file system does
    not tell, and is as good as anything.
    """

    __slots__ = ("acl", "owner")

    mode = 0o600  # a file here is never born without any right, as on POSIX systems

    def __init__(self, owner: str | None, acl: str | None) -> None:
        self.owner = owner
        self.acl = acl

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Access) and not self.differences(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Access({self.owner} {self.acl})"

    def differences(self, other: Access) -> tuple[str, ...]:
        """In which respects two accesses differ: `acl`, `owner`."""
        pairs = {"acl": (self.acl, other.acl), "owner": (self.owner, other.owner)}
        return tuple(name for name, pair in pairs.items() if None not in pair and len({*pair}) > 1)

    def fields(self) -> dict[str, Any]:
        """What the state and the journal keep of it."""
        return {"acl": f"{self.owner or ''}/{self.acl or ''}"}

    def drift(self, record: Record) -> tuple[str, ...]:
        """In which respects it is no longer as it was remembered."""
        return access_of(record).differences(self)


def access_of(record: Record) -> Access:
    """The access that `Access.fields` was asked of; a list that was handed on may be another."""
    owner, _, acl = record.acl.partition("/")
    return Access(owner or None, acl or None)


class FileInfo:
    """What stands at a place: its kind, access, size in bytes, file number and number of names.

    `stamp` is all that differs once somebody has written the file, or put another in its place.
    """

    __slots__ = ("_access", "_path", "inode", "kind", "links", "size", "stamp")

    def __init__(self, path: str, status: os.stat_result) -> None:
        self.kind = _kind(status)
        self.size = status.st_size
        self.inode = status.st_ino
        self.links = status.st_nlink
        self.stamp = (status.st_ino, status.st_mtime_ns, status.st_file_attributes, status.st_size)
        self._path = path
        self._access: Access | None = None

    @property
    def access(self) -> Access:
        """Read when it is asked for: most places are only asked whether something is there."""
        if self._access is None:
            self._access = Access(*security.read(self._path))
        return self._access

    @access.setter
    def access(self, access: Access) -> None:
        self._access = access


def _kind(status: os.stat_result) -> Kind:
    if is_link(status):
        return "link"
    if stat.S_ISREG(status.st_mode):
        return "file"
    return "folder" if stat.S_ISDIR(status.st_mode) else "other"


def lstat(place: Place) -> FileInfo | None:
    """What stands at the place, links not followed; None when nothing does."""
    try:
        return FileInfo(place.path, os.lstat(place.path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def read(place: Place, limit: int) -> bytes | None:
    """The content of a regular file; None when it is longer than `limit` bytes."""
    content = b"".join(chunks(place, limit + 1))
    return content if len(content) <= limit else None


def read_link(place: Place) -> str:
    """Where a symbolic link points, in its own words."""
    return os.readlink(place.path)


def read_pointer(place: Place) -> str | None:
    """The name that `writing.write_pointer` left at the place; None when there is none.

    In a file: a link would take a right that not every administrator has.
    """
    found = lstat(place)
    if found is None or found.kind != "file":
        return None
    content = read(place, CHUNK)
    return content.decode("utf-8", "replace").strip() if content else None


def digest(place: Place) -> str:
    """The SHA-256 of a regular file's content, in hexadecimal."""
    hashed = sha256()
    for chunk in chunks(place):
        hashed.update(chunk)
    return hashed.hexdigest()


@contextmanager
def opened_file(place: Place) -> Iterator[int]:
    """Open a regular file for reading; a link at its end is not followed."""
    if is_link(os.lstat(place.path)):
        raise OSError(errno.ELOOP, "it is a link", place.path)
    descriptor = os.open(place.path, READ_FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", place.path)
        yield descriptor
    finally:
        os.close(descriptor)


def chunks(place: Place, limit: int | None = None) -> Iterator[bytes]:
    """The content of a regular file, piece by piece, up to `limit` bytes."""
    with opened_file(place) as descriptor:
        left = CHUNK if limit is None else limit
        while left and (chunk := os.read(descriptor, min(left, CHUNK))):
            yield chunk
            left = CHUNK if limit is None else left - len(chunk)


def own_access(mode: int) -> Access:
    """The access of a file that this process creates for itself, as a POSIX mode would say it."""
    acl = security.PUBLIC if mode & OTHERS else security.PRIVATE
    return Access(sids.own_sid(), acl)


def is_privileged() -> bool:
    """Whether this process runs with an administrator's full rights, or as the system."""
    return bool(ctypes.windll.shell32.IsUserAnAdmin())
