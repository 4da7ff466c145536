"""The part of `read` that differs by system, for POSIX systems."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # noqa: S101  (Windows has a module of its own)

import os
import stat
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Literal, Protocol

    from bootstrap.fs.path import Place

    Kind = Literal["file", "link", "folder", "other"]

    class Record(Protocol):
        """The access of a file as the state or the journal has recorded it."""

        @property
        def mode(self) -> int:
            """The permission bits."""
            ...

        @property
        def uid(self) -> int:
            """The number of the owner."""
            ...

        @property
        def gid(self) -> int:
            """The number of the group."""
            ...


FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Access:
    """The access to a file: permission bits, and the numbers of its owner and group."""

    __slots__ = ("gid", "mode", "uid")

    def __init__(self, mode: int, uid: int, gid: int) -> None:
        self.mode = mode
        self.uid = uid
        self.gid = gid

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Access) and self._all() == other._all()

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return f"Access({self.mode:04o} {self.uid}:{self.gid})"

    def fields(self) -> dict[str, Any]:
        """Return the fields that the state and the journal record."""
        return {"mode": self.mode, "uid": self.uid, "gid": self.gid}

    def drift(self, record: Record) -> tuple[str, ...]:
        """Return what differs from the record: any of `mode`, `owner` and `group`."""
        differs = {
            "mode": self.mode != record.mode,
            "owner": self.uid != record.uid,
            "group": self.gid != record.gid,
        }
        return tuple(name for name, is_other in differs.items() if is_other)

    def _all(self) -> tuple[int, int, int]:
        return self.mode, self.uid, self.gid


def access_of(record: Record) -> Access:
    """Return the access whose `Access.fields` were recorded."""
    return Access(record.mode, record.uid, record.gid)


class FileInfo:
    """What is at a place: its kind, access, size in bytes, inode number and number of names.

    `stamp` differs once the file has been written, or another has been put in its place.
    """

    __slots__ = ("access", "inode", "kind", "links", "size", "stamp")

    def __init__(self, status: os.stat_result) -> None:
        self.kind = _kind(status.st_mode)
        self.access = Access(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
        self.size = status.st_size
        self.inode = status.st_ino
        self.links = status.st_nlink
        self.stamp = (status.st_ino, status.st_mtime_ns, status.st_mode, *status[4:7])


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISLNK(mode):
        return "link"
    return "folder" if stat.S_ISDIR(mode) else "other"


@contextmanager
def opened_folder(root: str, names: tuple[str, ...]) -> Iterator[int]:
    """Open the folder that these names lead to, step by step, and yield its descriptor.

    No link below `root` is followed. Raises NotADirectoryError if a folder has been swapped for a
    link since its path was resolved.
    """
    descriptor = os.open(root, FOLDER_FLAGS)
    try:
        for name in names:
            inner = os.open(name, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def lstat(place: Place) -> FileInfo | None:
    """Return what is at the place, links not followed; None if nothing is."""
    try:
        with opened_folder(place.root, place.folders) as folder:
            return FileInfo(os.lstat(place.name or ".", dir_fd=folder))
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_link(place: Place) -> str:
    """Return the target of a symbolic link as it is written there."""
    with opened_folder(place.root, place.folders) as folder:
        return os.readlink(place.name, dir_fd=folder)


def open_file(place: Place) -> int:
    """Open a file for reading and return its descriptor.

    No link is followed, neither on the way nor at its end, and a named pipe is not waited for.
    """
    with opened_folder(place.root, place.folders) as folder:
        return os.open(place.name, READ_FLAGS, dir_fd=folder)


def own_access(mode: int) -> Access:
    """Return the access of a file that this process creates for itself."""
    return Access(mode, os.geteuid(), os.getegid())


def is_privileged() -> bool:
    """Return whether this process runs as root."""
    return os.geteuid() == 0
