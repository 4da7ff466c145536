"""What the POSIX file system can do for one file: the only place where Windows will differ.

Every function works on a `Place` and lets OSError through. Whatever writes opens the folder step
by step and refuses links on the way, so that a folder swapped for a link between the plan and the
commit cannot lead the agent somewhere else.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal, TypeAlias

    from bootstrap.apply.place import Place

    Kind = Literal["file", "link", "folder", "other"]
    Dress: TypeAlias = Callable[[int], None]

CHUNK = 1 << 18
FOLDER_MODE = 0o755
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
CANNOT_LINK = frozenset({
    errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS,  # no such thing on this file system
    errno.EMLINK,
    errno.EXDEV,  # the file is a mount point
})  # fmt: skip


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

    def _all(self) -> tuple[int, int, int]:
        return self.mode, self.uid, self.gid


class Found:
    """What stands at a place: its kind, access, size in bytes and inode number.

    `stamp` is all that differs once somebody has written the file, or put another in its place.
    """

    __slots__ = ("access", "inode", "kind", "size", "stamp")

    def __init__(self, status: os.stat_result) -> None:
        self.kind = _kind(status.st_mode)
        self.access = Access(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
        self.size = status.st_size
        self.inode = status.st_ino
        self.stamp = (status.st_ino, status.st_mtime_ns, status.st_mode, *status[4:7])


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISLNK(mode):
        return "link"
    return "folder" if stat.S_ISDIR(mode) else "other"


def look(place: Place) -> Found | None:
    """What stands at the place, links not followed; None when nothing does."""
    try:
        return Found(os.lstat(place.path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def read(place: Place, limit: int) -> bytes | None:
    """The content of a regular file; None when it is longer than `limit` bytes."""
    content = b"".join(chunks(place, limit + 1))
    return content if len(content) <= limit else None


def read_link(place: Place) -> str:
    """Where a symbolic link points, in its own words."""
    return os.readlink(place.path)


def digest(place: Place) -> str:
    """The SHA-256 of a regular file's content, in hexadecimal."""
    hashed = sha256()
    for chunk in chunks(place):
        hashed.update(chunk)
    return hashed.hexdigest()


def chunks(place: Place, limit: int | None = None) -> Iterator[bytes]:
    """The content of a regular file, piece by piece, up to `limit` bytes."""
    descriptor = os.open(place.path, READ_FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", place.path)
        left = CHUNK if limit is None else limit
        while left and (chunk := os.read(descriptor, min(left, CHUNK))):
            yield chunk
            left = CHUNK if limit is None else left - len(chunk)
    finally:
        os.close(descriptor)


def own_access(mode: int) -> Access:
    """The access of a file that this process creates for itself."""
    return Access(mode, os.geteuid(), os.getegid())


@contextmanager
def _opened(root: str, names: tuple[str, ...]) -> Iterator[int]:
    descriptor = os.open(root, FOLDER_FLAGS)
    try:
        for name in names:
            inner = os.open(name, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def make_folder(place: Place, mode: int = FOLDER_MODE) -> bool:
    """Make one folder, with exactly that mode from its first moment; False when it is there.

    Its name is not flushed: see `sync`.
    """
    umask = os.umask(0)  # a mode set afterwards would be missing after a kill in between
    try:
        with _opened(place.root, place.folders) as parent:
            os.mkdir(place.name, mode, dir_fd=parent)
    except FileExistsError:
        return False
    finally:
        os.umask(umask)
    return True


def remove_folder(place: Place) -> None:
    """Remove a folder if it is empty."""
    with suppress(OSError), _opened(place.root, place.folders) as parent:
        os.rmdir(place.name, dir_fd=parent)


def write(place: Place, content: bytes, access: Access, *, dress: Dress | None = None) -> None:
    """Write a new file, flushed to disk; on any error it is gone again.

    It is born with mode 0, so nobody else can open it before its owner and its mode are final:
    with any wider mode a new owner that shall only read could catch a writable descriptor. It
    is told to `dress`, by its descriptor, for its label and other attributes.
    """
    with _opened(place.root, place.folders) as folder:
        descriptor = os.open(place.name, CREATE_FLAGS, 0, dir_fd=folder)
        try:
            _write_all(descriptor, content)
            if dress:
                dress(descriptor)
            _set_owner(descriptor, access)
            os.fchmod(descriptor, access.mode)
            os.fsync(descriptor)
        except BaseException:
            os.unlink(place.name, dir_fd=folder)
            raise
        finally:
            os.close(descriptor)


def overwrite(place: Place, content: bytes, access: Access) -> None:
    """Write over a file that cannot be replaced, such as a bind mount; never wider than asked.

    Not atomic: a reader may see half of it.
    """
    with _opened(place.root, place.folders) as folder:
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(place.name, flags, dir_fd=folder)
    try:
        present = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if present & ~access.mode:
            os.fchmod(descriptor, present & access.mode)
        _set_owner(descriptor, access)
        _write_all(descriptor, content)
        os.ftruncate(descriptor, len(content))
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != access.mode:
            os.fchmod(descriptor, access.mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _set_owner(descriptor: int, access: Access) -> None:
    present = os.fstat(descriptor)
    if (present.st_uid, present.st_gid) != (access.uid, access.gid):
        os.fchown(descriptor, access.uid, access.gid)


def write_link(place: Place, target: str) -> None:
    """Make a symbolic link that says `target`."""
    with _opened(place.root, place.folders) as folder:
        os.symlink(target, place.name, dir_fd=folder)


def rename(place: Place, name: str) -> None:
    """Give the file another name in its folder, replacing what has that name."""
    with _opened(place.root, place.folders) as folder:
        os.replace(place.name, name, src_dir_fd=folder, dst_dir_fd=folder)


def link(place: Place, name: str) -> None:
    """Give the file a second name in its folder, one that nothing has yet."""
    with _opened(place.root, place.folders) as folder:
        os.link(place.name, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)


def keep(place: Place, name: str) -> None:
    """Give the file a second name in its folder; where there are no hard links, a copy."""
    try:
        link(place, name)
    except OSError as error:
        if error.errno not in CANNOT_LINK:
            raise
        _copy(place, place.beside(name))


def _copy(place: Place, other: Place) -> None:
    found = Found(os.lstat(place.path))
    if found.kind == "link":
        write_link(other, read_link(place))
    else:
        from bootstrap.apply.attributes import like  # an unchanged boot copies no file

        write(other, b"".join(chunks(place)), found.access, dress=like(place))


def remove(place: Place) -> None:
    """Remove a file or a link; nothing to do when it is gone, or no file can be called so."""
    try:
        if look(place):  # a read-only file system refuses to remove even what is not there
            with _opened(place.root, place.folders) as folder:
                os.unlink(place.name, dir_fd=folder)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENAMETOOLONG}:
            raise


def append(place: Place, data: bytes) -> None:
    """Write at the end of a file, flushed to disk."""
    with _opened(place.root, place.folders) as folder:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(place.name, flags, dir_fd=folder)
    try:
        _write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def shorten(place: Place, length: int) -> None:
    """Cut a file off after `length` bytes, flushed to disk; takes no room."""
    with _opened(place.root, place.folders) as folder:
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(place.name, flags, dir_fd=folder)
    try:
        os.ftruncate(descriptor, length)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync(place: Place) -> None:
    """Flush the names in the place's folder to disk."""
    with _opened(place.root, place.folders) as folder:
        os.fsync(folder)
