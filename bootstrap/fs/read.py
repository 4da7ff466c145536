"""What stands at a place of a POSIX file system; what can be done to it is in `writing`.

Every function works on a `Place`, changes nothing and lets OSError through.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Literal, Protocol

    from bootstrap.fs.path import Place

    Kind = Literal["file", "link", "folder", "other"]

    class Record(Protocol):
        """What was remembered of a file's access."""

        @property
        def mode(self) -> int:
            """Permission bits."""
            ...

        @property
        def uid(self) -> int:
            """The number of its owner."""
            ...

        @property
        def gid(self) -> int:
            """The number of its group."""
            ...


CHUNK = 1 << 18
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Access:
    """Who may do what with a file: permission bits, and the numbers of its owner and group."""

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
        """What the state and the journal keep of it."""
        return {"mode": self.mode, "uid": self.uid, "gid": self.gid}

    def drift(self, record: Record) -> tuple[str, ...]:
        """In which respects it is no longer as it was remembered: `mode`, `owner`, `group`."""
        differs = {
            "mode": self.mode != record.mode,
            "owner": self.uid != record.uid,
            "group": self.gid != record.gid,
        }
        return tuple(reason for reason, so in differs.items() if so)

    def _all(self) -> tuple[int, int, int]:
        return self.mode, self.uid, self.gid


def access_of(record: Record) -> Access:
    """The access that `Access.fields` was asked of."""
    return Access(record.mode, record.uid, record.gid)


class FileInfo:
    """What stands at a place: its kind, access, size in bytes, inode number and number of names.

    `stamp` is all that differs once somebody has written the file, or put another in its place.
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
    """Open the folder that these names lead to, step by step; no link below `root` is followed.

    A folder that has been swapped for a link since its path was resolved leads nowhere:
    NotADirectoryError.
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
    """What stands at the place, links not followed; None when nothing does."""
    try:
        with opened_folder(place.root, place.folders) as folder:
            return FileInfo(os.lstat(place.name or ".", dir_fd=folder))
    except (FileNotFoundError, NotADirectoryError):
        return None


def read(place: Place, limit: int) -> bytes | None:
    """The content of a regular file; None when it is longer than `limit` bytes."""
    content = b"".join(chunks(place, limit + 1))
    return content if len(content) <= limit else None


def read_link(place: Place) -> str:
    """Where a symbolic link points, in its own words."""
    with opened_folder(place.root, place.folders) as folder:
        return os.readlink(place.name, dir_fd=folder)


def read_pointer(place: Place) -> str | None:
    """The name that `writing.write_pointer` left at the place; None when there is none."""
    found = lstat(place)
    return read_link(place) if found and found.kind == "link" else None


def digest(place: Place) -> str:
    """The SHA-256 of a regular file's content, in hexadecimal."""
    hashed = sha256()
    for chunk in chunks(place):
        hashed.update(chunk)
    return hashed.hexdigest()


@contextmanager
def opened_file(place: Place) -> Iterator[int]:
    """Open a regular file for reading; no link is followed, neither on the way nor at its end."""
    with opened_folder(place.root, place.folders) as folder:
        descriptor = os.open(place.name, READ_FLAGS, dir_fd=folder)
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
    """The access of a file that this process creates for itself."""
    return Access(mode, os.geteuid(), os.getegid())


def is_privileged() -> bool:
    """Whether this process is root's."""
    return os.geteuid() == 0
