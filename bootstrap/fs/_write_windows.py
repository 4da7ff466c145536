"""The part of `write` that differs by system, for Windows."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import errno
import msvcrt
import os
import time
from contextlib import ExitStack, contextmanager, suppress

from bootstrap.fs import kernel_windows as kernel
from bootstrap.fs import read
from bootstrap.fs import security_windows as security
from bootstrap.fs import sids_windows as sids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bootstrap.fs.path import Place
    from bootstrap.fs.read import Access

FOLDER_MODE = 0  # of folders on the way: they get the list that the one above hands on
WRITE_FLAGS = os.O_WRONLY | os.O_BINARY | os.O_NOINHERIT
LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_BINARY | os.O_NOINHERIT
LOCKED_AT = 1 << 30  # the byte that is locked: beyond the content, which could not be read
# Scanners and indexers open a new file for a moment; it cannot be renamed in the meantime.
IN_USE = frozenset({kernel.ERROR_ACCESS_DENIED, kernel.ERROR_SHARING_VIOLATION})
TRIES = 10
PAUSE = 0.05  # seconds between two tries
CANNOT_LINK = frozenset(
    {1, 17, 50, 1142}
)  # no such function, another device, not supported, too many


@contextmanager
def _held(place: Place) -> Iterator[None]:
    """Hold the folders that lead to the place, so that they cannot be renamed or replaced."""
    with ExitStack() as stack:
        for folder in place.way():
            stack.enter_context(kernel.held_folder(folder))
        yield


def _patiently(act: Callable[[], None], path: str) -> None:
    """Call `act` until no other program has the file open; raise "in use" after TRIES tries."""
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
    """Make one folder, created with its access list; return False if it exists already."""
    acl = read.own_access(mode).acl if mode else None
    try:
        with _held(place), security.descriptor(None, acl, folder=True) as attributes:
            kernel.create_folder(place.path, attributes)
    except FileExistsError:
        return False
    return True


def remove_folder(place: Place) -> None:
    """Remove a folder if it is empty."""
    with suppress(OSError), _held(place):
        os.rmdir(place.path)


@contextmanager
def created(place: Place, access: Access) -> Iterator[int]:
    """Create a file and yield its descriptor; then flush it to disk and check its access.

    It is created with its owner and its access list, and no other process can open it before it is
    closed. On any error it is removed again.
    """
    owner = access.owner if access.owner != sids.own_sid() else None
    if owner:
        sids.enable_restore_privilege()
    with _held(place):
        with security.descriptor(owner, access.acl) as attributes:
            handle = kernel.create_file(place.path, attributes)
        descriptor = msvcrt.open_osfhandle(handle, WRITE_FLAGS)
        try:
            yield descriptor
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
    """Raise OSError if the file system has not kept the access: FAT has no access lists."""
    if not security.KEEPS_LISTS:
        return
    present = read.Access(*security.read(place.path))
    if access.acl and (present.acl is None or present != access):
        message = "the file system does not keep the file's owner and access list"
        raise OSError(errno.EOPNOTSUPP, message, place.path)


@contextmanager
def opened_in_place(place: Place, access: Access) -> Iterator[int]:
    """Open an existing file and yield its descriptor; then flush it and give it its access.

    While it is open, only the system and the administrators have access if its list is to change.
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
            yield descriptor
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if changes:
            sids.enable_restore_privilege()
            security.set_on(place.path, access.owner, access.acl)


@contextmanager
def opened(place: Place, flags: int = 0) -> Iterator[int]:
    """Open a regular file for writing, with these flags too, and yield its descriptor."""
    with _held(place):
        descriptor = os.open(place.path, WRITE_FLAGS | flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def rename(place: Place, name: str) -> None:
    """Give the file another name in its folder; a file of that name is replaced."""
    target = place.sibling(name).path
    with _held(place):
        _patiently(lambda: kernel.move(place.path, target), target)


def link(place: Place, name: str) -> None:
    """Give the file a second name in its folder; raises FileExistsError if the name is taken."""
    with _held(place):
        os.link(place.path, place.sibling(name).path)


def cannot_link(error: OSError) -> bool:
    """Return whether the error means that hard links are not possible here or for this file."""
    return error.winerror in CANNOT_LINK


def remove(place: Place) -> None:
    """Remove a file or a link; do nothing if it does not exist."""
    found = read.lstat(place)
    if found:
        with suppress(FileNotFoundError), _held(place):
            delete = os.rmdir if _is_junction(place) else os.unlink
            _patiently(lambda: delete(place.path), place.path)


def _is_junction(place: Place) -> bool:
    return bool(os.lstat(place.path).st_file_attributes & 0x10)  # FILE_ATTRIBUTE_DIRECTORY


def sync(place: Place) -> None:
    """Do nothing: Windows flushes no folder, renames are written through, and NTFS keeps order."""


def try_lock(place: Place, mode: int) -> int | None:
    """Lock a file and return its descriptor; None while another process has the lock.

    The lock ends with the process.
    """
    if read.lstat(place) is None:
        with suppress(FileExistsError), created(place, read.own_access(mode)):
            pass
    descriptor = os.open(place.path, LOCK_FLAGS)
    try:
        if kernel.lock(msvcrt.get_osfhandle(descriptor), LOCKED_AT):
            return descriptor
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
