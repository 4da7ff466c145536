"""The part of `read` that differs by system, for Windows."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import ctypes
import errno
import os
import stat

from bootstrap.fs import security_windows as security
from bootstrap.fs import sids_windows as sids
from bootstrap.fs.kernel_windows import is_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, Protocol

    from bootstrap.fs.path import Place

    Kind = Literal["file", "link", "folder", "other"]

    class Record(Protocol):
        """The access of a file as the state or the journal has recorded it."""

        @property
        def acl(self) -> str:
            """The owner and the access list, as `Access.fields` gives them."""
            ...


READ_FLAGS = os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT
OTHERS = 0o077  # the bits of a POSIX mode that give rights to anyone but the owner


class Access:
    """The access to a file: the SID of its owner, and its access list (see `security_windows`).

    An empty list means that the file has only the entries that its folder hands on. None means
    that the file system does not give the value; None equals every value.
    """

    __slots__ = ("acl", "owner")

    mode = 0o600  # on POSIX systems a staged file may have mode 0; here it always has some rights

    def __init__(self, owner: str | None, acl: str | None) -> None:
        self.owner = owner
        self.acl = acl

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Access) and not self.differences(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Access({self.owner} {self.acl})"

    def differences(self, other: Access) -> tuple[str, ...]:
        """Return in which respects two accesses differ: any of `acl` and `owner`."""
        pairs = {"acl": (self.acl, other.acl), "owner": (self.owner, other.owner)}
        return tuple(name for name, pair in pairs.items() if None not in pair and len({*pair}) > 1)

    def fields(self) -> dict[str, Any]:
        """Return the fields that the state and the journal record."""
        return {"acl": f"{self.owner or ''}/{self.acl or ''}"}

    def drift(self, record: Record) -> tuple[str, ...]:
        """Return what differs from the record: any of `acl` and `owner`."""
        return access_of(record).differences(self)


def access_of(record: Record) -> Access:
    """Return the access whose `Access.fields` were recorded.

    An empty list is returned as None, because what a folder hands on may change.
    """
    owner, _, acl = record.acl.partition("/")
    return Access(owner or None, acl or None)


class FileInfo:
    """What is at a place: its kind, access, size in bytes, file number and number of names.

    `stamp` differs once the file has been written, or another has been put in its place.
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
        """The access, read at its first use: most callers only ask whether something exists."""
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
    """Return what is at the place, links not followed; None if nothing is."""
    try:
        return FileInfo(place.path, os.lstat(place.path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_link(place: Place) -> str:
    """Return the target of a symbolic link as it is written there."""
    return os.readlink(place.path)


def open_file(place: Place) -> int:
    """Open a file for reading and return its descriptor; a link at its end is refused."""
    if is_link(os.lstat(place.path)):
        raise OSError(errno.ELOOP, "it is a link", place.path)
    return os.open(place.path, READ_FLAGS)


def own_access(mode: int) -> Access:
    """Return the access of a file that this process creates for itself.

    Of the POSIX mode it only counts whether anyone but the owner has a right.
    """
    acl = security.PUBLIC if mode & OTHERS else security.PRIVATE
    return Access(sids.own_sid(), acl)


def is_privileged() -> bool:
    """Return whether this process runs with an administrator's full rights, or as the system."""
    return bool(ctypes.windll.shell32.IsUserAnAdmin())
