"""What the POSIX file system can do for one file.

Every function works on a `Place` and lets OSError through. Each opens the folder step by step and
refuses links on the way, so that a folder swapped for a link between the plan and the commit cannot
lead the agent somewhere else.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

from bootstrap.fs import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from bootstrap.fs.path import Place
    from bootstrap.fs.read import Access

    Dress: TypeAlias = Callable[[int], None]

FOLDER_MODE = 0o755
CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
CANNOT_LINK = frozenset({
    errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS,  # no such thing on this file system
    errno.EMLINK,
    errno.EXDEV,  # the file is a mount point
})  # fmt: skip


def make_folder(place: Place, mode: int = FOLDER_MODE) -> bool:
    """Make one folder, with exactly that mode from its first moment; False when it is there.

    In a folder of another user it becomes that user's, as what the user makes there would.
    Its name is not flushed: see `sync`.
    """
    umask = os.umask(0)  # a mode set afterwards would be missing after a kill in between
    try:
        with read.opened_folder(place.root, place.folders) as parent:
            os.mkdir(place.name, mode, dir_fd=parent)
            _hand_over(place, parent)
    except FileExistsError:
        return False
    finally:
        os.umask(umask)
    return True


def _hand_over(place: Place, parent: int) -> None:
    """Give a folder that was just made to the owner of its parent.

    That owner may have put another folder in its place meanwhile: only an empty one of our own is
    given away.
    """
    owner = os.fstat(parent)
    if owner.st_uid == os.geteuid() or not read.is_privileged():
        return
    folder = os.open(place.name, read.FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=parent)
    try:
        if os.fstat(folder).st_uid != os.geteuid() or os.listdir(folder):
            message = "another folder was put in the place of the one that was made"
            raise OSError(errno.EEXIST, message, place.path)
        os.fchown(folder, owner.st_uid, owner.st_gid)
    finally:
        os.close(folder)


def remove_folder(place: Place) -> None:
    """Remove a folder if it is empty."""
    with suppress(OSError), read.opened_folder(place.root, place.folders) as parent:
        os.rmdir(place.name, dir_fd=parent)


def write(place: Place, content: bytes, access: Access, *, set_xattrs: Dress | None = None) -> None:
    """Write a new file, flushed to disk; on any error it is gone again.

    It is born with mode 0, so nobody else can open it before its owner and its mode are final:
    with any wider mode a new owner that shall only read could catch a writable descriptor. It
    is told to `set_xattrs`, by its descriptor, for its label and other attributes.
    """
    with read.opened_folder(place.root, place.folders) as folder:
        descriptor = os.open(place.name, CREATE_FLAGS, 0, dir_fd=folder)
        try:
            _write_all(descriptor, content)
            if set_xattrs:
                set_xattrs(descriptor)
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

    Not atomic: a reader may see half of it. A file with a second name is refused: it may be one
    that somebody else has linked here.
    """
    descriptor = _open_only_name(place)
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


def _open_only_name(place: Place) -> int:
    """Open a regular file for writing that has this name and no other.

    That there is one name is seen before and after, for the same file: a second name can be taken
    away in between, but not that of a file which has its first one elsewhere.
    """
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with read.opened_folder(place.root, place.folders) as folder:
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
    with read.opened_folder(place.root, place.folders) as folder:
        os.symlink(target, place.name, dir_fd=folder)


def write_pointer(place: Place, name: str) -> None:
    """Leave a name for whoever asks `disk.read_pointer`."""
    write_link(place, name)


def rename(place: Place, name: str) -> None:
    """Give the file another name in its folder, replacing what has that name."""
    with read.opened_folder(place.root, place.folders) as folder:
        os.replace(place.name, name, src_dir_fd=folder, dst_dir_fd=folder)


def link(place: Place, name: str) -> None:
    """Give the file a second name in its folder, one that nothing has yet."""
    with read.opened_folder(place.root, place.folders) as folder:
        os.link(place.name, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)


def cannot_link(error: OSError) -> bool:
    """Whether it says that this file system has no hard links, or has none for this file."""
    return error.errno in CANNOT_LINK


def save_original(place: Place, name: str) -> None:
    """Give the file a second name in its folder; where there are no hard links, a copy."""
    try:
        link(place, name)
    except OSError as error:
        if not cannot_link(error):
            raise
        _copy(place, place.sibling(name))


def _copy(place: Place, other: Place) -> None:
    found = read.lstat(place)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place.path)
    if found.kind == "link":
        write_link(other, read.read_link(place))
    else:
        from bootstrap.fs.xattr import like  # an unchanged boot copies no file

        write(other, b"".join(read.chunks(place)), found.access, set_xattrs=like(place))


def remove(place: Place) -> None:
    """Remove a file or a link; nothing to do when it is gone, or no file can be called so."""
    try:
        if read.lstat(place):  # a read-only file system refuses to remove even what is not there
            with read.opened_folder(place.root, place.folders) as folder:
                os.unlink(place.name, dir_fd=folder)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENAMETOOLONG}:
            raise


def append(place: Place, data: bytes) -> None:
    """Write at the end of a file, flushed to disk."""
    with read.opened_folder(place.root, place.folders) as folder:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(place.name, flags, dir_fd=folder)
    try:
        _write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def shorten(place: Place, length: int) -> None:
    """Cut a file off after `length` bytes, flushed to disk; takes no room."""
    with read.opened_folder(place.root, place.folders) as folder:
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(place.name, flags, dir_fd=folder)
    try:
        os.ftruncate(descriptor, length)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def try_lock(place: Place, mode: int) -> int | None:
    """Take the lock that a file stands for; its descriptor, or None while another process has it.

    It ends with the process. One that has lost its name meanwhile is nobody's.
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
    """Flush the names in the place's folder to disk."""
    with read.opened_folder(place.root, place.folders) as folder:
        os.fsync(folder)
