"""What the Windows file system can do for one file.

Every function works on a `Place` and lets OSError through. Each holds the folders on the way open
while it is at work, in a way that nobody can rename them or put a junction in their place, so that
the agent is not led somewhere else.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import errno
import msvcrt
import os
import time
from contextlib import ExitStack, contextmanager, suppress

from bootstrap.windows.fs import kernel, read, security, sids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from bootstrap.windows.fs.path import Place
    from bootstrap.windows.fs.read import Access

    Dress: TypeAlias = Callable[[int], None]

FOLDER_MODE = 0  # for folders on the way: they take what the one above hands on
WRITE_FLAGS = os.O_WRONLY | os.O_BINARY | os.O_NOINHERIT
LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_BINARY | os.O_NOINHERIT
LOCKED_AT = 1 << 30  # beyond the content: what is locked cannot be read
# Scanners and indexers open a new file for a moment, and nobody can rename it meanwhile.
IN_USE = frozenset({kernel.ERROR_ACCESS_DENIED, kernel.ERROR_SHARING_VIOLATION})
TRIES = 10
PAUSE = 0.05  # seconds between two of them
CANNOT_LINK = frozenset({1, 17, 50, 1142})  # no such function, another device, not supported, many


@contextmanager
def _held(place: Place) -> Iterator[None]:
    with ExitStack() as stack:
        for folder in place.way():
            stack.enter_context(kernel.held_folder(folder))
        yield


def _patiently(act: Callable[[], None], path: str) -> None:
    """Do what other programs may be in the way of for a moment; they are named if they stay."""
    for left in reversed(range(TRIES)):
        try:
            return act()
        except OSError as error:  # noqa: PERF203
            if error.winerror not in IN_USE:
                raise
            if not left:
                raise (_in_use(path) if kernel.is_in_use(path) else error) from None
            time.sleep(PAUSE)
    return None


def _in_use(path: str) -> OSError:
    return kernel.refused(path, kernel.ERROR_SHARING_VIOLATION)


def make_folder(place: Place, mode: int = FOLDER_MODE) -> bool:
    """Make one folder, with its access list from its first moment; False when it is there."""
    acl = read.own_access(mode).acl if mode else None
    try:
        with _held(place), security.descriptor(None, acl, folder=True) as born:
            kernel.create_folder(place.path, born)
    except FileExistsError:
        return False
    return True


def remove_folder(place: Place) -> None:
    """Remove a folder if it is empty."""
    with suppress(OSError), _held(place):
        os.rmdir(place.path)


def write(place: Place, content: bytes, access: Access, *, set_xattrs: Dress | None = None) -> None:
    """Write a new file, flushed to disk; on any error it is gone again.

    It is born with its owner and its access list, and until it is whole nobody else can open it.
    It is told to `set_xattrs`, by its descriptor.
    """
    owner = access.owner if access.owner != sids.own_sid() else None
    if owner:
        sids.may_give_away()
    with _held(place):
        with security.descriptor(owner, access.acl) as born:
            handle = kernel.create_file(place.path, born)
        descriptor = msvcrt.open_osfhandle(handle, WRITE_FLAGS)
        try:
            _write_all(descriptor, content)
            if set_xattrs:
                set_xattrs(descriptor)
            os.fsync(descriptor)
            os.close(descriptor)
            descriptor = -1
            _require(place, access)
        except BaseException:
            if descriptor >= 0:
                os.close(descriptor)
            os.unlink(place.path)
            raise


def _require(place: Place, access: Access) -> None:
    """Refuse a file system that did not keep what it was told: FAT keeps no access lists."""
    if not security.KEEPS_LISTS:
        return
    present = read.Access(*security.read(place.path))
    if access.acl and (present.acl is None or present != access):
        message = "the file system does not keep the file's owner and access list"
        raise OSError(errno.EOPNOTSUPP, message, place.path)


def overwrite(place: Place, content: bytes, access: Access) -> None:
    """Write over a file that shall not be replaced; never wider than asked.

    Not atomic: a reader may see half of it.
    """
    with _held(place):
        found = read.lstat(place)
        if found is None or found.kind != "file":
            raise OSError(errno.ELOOP, "it is not a regular file", place.path)
        changes = found.access != access
        if changes:
            security.set_on(place.path, None, security.PRIVATE if access.acl else None)
        descriptor = os.open(place.path, WRITE_FLAGS)
        try:
            _write_all(descriptor, content)
            os.ftruncate(descriptor, len(content))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if changes:
            sids.may_give_away()
            security.set_on(place.path, access.owner, access.acl)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_pointer(place: Place, name: str) -> None:
    """Leave a name for whoever asks `disk.read_pointer`."""
    write(place, f"{name}\n".encode(), read.own_access(0o600))


def rename(place: Place, name: str) -> None:
    """Give the file another name in its folder, replacing what has that name."""
    target = place.sibling(name).path
    with _held(place):
        _patiently(lambda: kernel.move(place.path, target), target)


def link(place: Place, name: str) -> None:
    """Give the file a second name in its folder, one that nothing has yet."""
    with _held(place):
        os.link(place.path, place.sibling(name).path)


def cannot_link(error: OSError) -> bool:
    """Whether it says that this file system has no hard links, or has none for this file."""
    return error.winerror in CANNOT_LINK


def save_original(place: Place, name: str) -> None:
    """Give the file a second name in its folder; where there are no hard links, a copy."""
    try:
        link(place, name)
    except OSError as error:
        found = read.lstat(place)
        if not cannot_link(error) or found is None:
            raise
        write(place.sibling(name), b"".join(read.chunks(place)), found.access)


def remove(place: Place) -> None:
    """Remove a file or a link; nothing to do when it is gone."""
    found = read.lstat(place)
    if found:
        with suppress(FileNotFoundError), _held(place):
            away = os.rmdir if _is_junction(place) else os.unlink
            _patiently(lambda: away(place.path), place.path)


def _is_junction(place: Place) -> bool:
    return bool(os.lstat(place.path).st_file_attributes & 0x10)  # FILE_ATTRIBUTE_DIRECTORY


def append(place: Place, data: bytes) -> None:
    """Write at the end of a file, flushed to disk."""
    with _held(place):
        descriptor = os.open(place.path, WRITE_FLAGS | os.O_APPEND)
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def shorten(place: Place, length: int) -> None:
    """Cut a file off after `length` bytes, flushed to disk; takes no room."""
    with _held(place):
        descriptor = os.open(place.path, WRITE_FLAGS)
        try:
            os.ftruncate(descriptor, length)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync(place: Place) -> None:
    """A folder cannot be flushed here: a rename is written through, and NTFS keeps its order."""


def try_lock(place: Place, mode: int) -> int | None:
    """Take the lock that a file stands for; its descriptor, or None while another process has it.

    It ends with the process.
    """
    if read.lstat(place) is None:
        with suppress(FileExistsError):
            write(place, b"", read.own_access(mode))
    descriptor = os.open(place.path, LOCK_FLAGS)
    try:
        if kernel.lock(msvcrt.get_osfhandle(descriptor), LOCKED_AT):
            return descriptor
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
