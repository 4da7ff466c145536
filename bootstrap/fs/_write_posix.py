"""The part of `write` that differs by system, for POSIX systems."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # noqa: S101  (Windows has a module of its own)

import errno
import os
import stat
from contextlib import contextmanager, suppress

from bootstrap.fs._read_posix import FOLDER_FLAGS, is_privileged, lstat, opened_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.fs.path import Place
    from bootstrap.fs.read import Access

FOLDER_MODE = 0o755
CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
CANNOT_LINK = frozenset({
    errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS,  # the file system has no hard links
    errno.EMLINK,
    errno.EXDEV,  # the file is a mount point
})  # fmt: skip


def make_folder(place: Place, mode: int = FOLDER_MODE) -> bool:
    """Make one folder, created with exactly that mode; return False if it exists already.

    In a folder of another user it is given to that user, who could have made it there. Its name is
    not flushed to disk: see `sync`.
    """
    umask = os.umask(0)  # a kill before a later chmod would leave a wrong mode
    try:
        with opened_folder(place.root, place.folders) as parent:
            os.mkdir(place.name, mode, dir_fd=parent)
            _hand_over(place, parent)
    except FileExistsError:
        return False
    finally:
        os.umask(umask)
    return True


def _hand_over(place: Place, parent: int) -> None:
    """Give a folder that was just made to the owner of its parent.

    That owner may have put another folder in its place meanwhile. So only an empty folder that this
    process owns is given away; raises FileExistsError (EEXIST) for any other.
    """
    owner = os.fstat(parent)
    if owner.st_uid == os.geteuid() or not is_privileged():
        return
    folder = os.open(place.name, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=parent)
    try:
        if os.fstat(folder).st_uid != os.geteuid() or os.listdir(folder):
            message = "another folder was put in the place of the one that was made"
            raise OSError(errno.EEXIST, message, place.path)
        os.fchown(folder, owner.st_uid, owner.st_gid)
    finally:
        os.close(folder)


def remove_folder(place: Place) -> None:
    """Remove a folder if it is empty."""
    with suppress(OSError), opened_folder(place.root, place.folders) as parent:
        os.rmdir(place.name, dir_fd=parent)


@contextmanager
def created(place: Place, access: Access) -> Iterator[int]:
    """Create a file and yield its descriptor; then give it its access and flush it to disk.

    It is created with mode 0, so no other user can open it before its owner and its mode are final:
    with any wider mode a new owner with the right to read only could get a writable descriptor. On
    any error it is removed again.
    """
    with opened_folder(place.root, place.folders) as folder:
        descriptor = os.open(place.name, CREATE_FLAGS, 0, dir_fd=folder)
        try:
            yield descriptor
            _set_owner(descriptor, access)
            os.fchmod(descriptor, access.mode)
            os.fsync(descriptor)
        except BaseException:
            os.unlink(place.name, dir_fd=folder)
            raise
        finally:
            os.close(descriptor)


@contextmanager
def opened_in_place(place: Place, access: Access) -> Iterator[int]:
    """Open an existing file and yield its descriptor; then give it its access and flush it to disk.

    While it is open, its mode has only bits that both modes have. A file with a second name is
    refused: another user may have linked it here.
    """
    descriptor = _open_only_name(place)
    try:
        present = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if present & ~access.mode:
            os.fchmod(descriptor, present & access.mode)
        _set_owner(descriptor, access)
        yield descriptor
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != access.mode:
            os.fchmod(descriptor, access.mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_only_name(place: Place) -> int:
    """Open a regular file for writing that has this name and no other.

    The number of names is checked before and after the file is opened, for the same file: a second
    name can be removed in between, but not from a file whose first name is elsewhere.
    """
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with opened_folder(place.root, place.folders) as folder:
        before = os.lstat(place.name, dir_fd=folder)
        descriptor = os.open(place.name, flags, dir_fd=folder)
    after = os.fstat(descriptor)
    if os.path.samestat(before, after) and stat.S_ISREG(after.st_mode):
        if before.st_nlink == after.st_nlink == 1:
            return descriptor
        message = "it has another name, under which it would be written, too"
    else:
        message = "something else was put in its place"
    os.close(descriptor)
    raise OSError(errno.EMLINK, message, place.path)


def _set_owner(descriptor: int, access: Access) -> None:
    present = os.fstat(descriptor)
    if (present.st_uid, present.st_gid) != (access.uid, access.gid):
        os.fchown(descriptor, access.uid, access.gid)


def write_link(place: Place, target: str) -> None:
    """Make a symbolic link to `target`."""
    with opened_folder(place.root, place.folders) as folder:
        os.symlink(target, place.name, dir_fd=folder)


def rename(place: Place, name: str) -> None:
    """Give the file another name in its folder; a file of that name is replaced."""
    with opened_folder(place.root, place.folders) as folder:
        os.replace(place.name, name, src_dir_fd=folder, dst_dir_fd=folder)


def link(place: Place, name: str) -> None:
    """Give the file a second name in its folder; raises FileExistsError if the name is taken."""
    with opened_folder(place.root, place.folders) as folder:
        os.link(place.name, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)


def cannot_link(error: OSError) -> bool:
    """Return whether the error means that hard links are not possible here or for this file."""
    return error.errno in CANNOT_LINK


def remove(place: Place) -> None:
    """Remove a file or a link; do nothing if it does not exist or the name is too long to exist."""
    try:
        if lstat(place):  # a read-only file system refuses to remove even a missing file
            with opened_folder(place.root, place.folders) as folder:
                os.unlink(place.name, dir_fd=folder)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENAMETOOLONG}:
            raise


@contextmanager
def opened(place: Place, flags: int = 0) -> Iterator[int]:
    """Open a regular file for writing, with these flags too, and yield its descriptor."""
    flags |= os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with opened_folder(place.root, place.folders) as folder:
        descriptor = os.open(place.name, flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(place: Place, mode: int) -> int | None:
    """Lock a file and return its descriptor; None while another process has the lock.

    The lock ends with the process. A file that has lost its name in the meantime does not count.
    """
    import fcntl

    descriptor = os.open(place.path, LOCK_FLAGS, mode)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(place.path)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def sync(place: Place) -> None:
    """Flush the names in the folder of the place to disk."""
    with opened_folder(place.root, place.folders) as folder:
        os.fsync(folder)
