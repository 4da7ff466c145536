"""Calls of kernel32 that Python does not make, or not as this agent needs them."""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import ctypes
import errno
import os
import stat
from contextlib import contextmanager
from ctypes import wintypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew
FILE_LIST_DIRECTORY = 0x1  # the least right with which an open folder cannot be renamed
DELETE = 0x10000
GENERIC_READ, GENERIC_WRITE = 0x80000000, 0x40000000
SHARE_NOTHING, SHARE_READ, SHARE_WRITE, SHARE_DELETE = 0, 1, 2, 4
CREATE_NEW, OPEN_EXISTING = 1, 3
BACKUP_SEMANTICS = 0x02000000  # opens folders too
OPEN_REPARSE_POINT = 0x00200000  # opens a link itself, and not its target
MOVE_REPLACE_EXISTING, MOVE_WRITE_THROUGH = 0x1, 0x8

ERROR_ACCESS_DENIED = 5
ERROR_SHARING_VIOLATION = 32
ERROR_LOCK_VIOLATION = 33
LOCK_AT_ONCE, LOCK_EXCLUSIVE = 0x1, 0x2
REPARSE_POINT = 0x400
INVALID_HANDLE = ctypes.c_void_p(-1).value

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)


class SecurityAttributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES: the access list that a file or a folder is created with."""

    _fields_ = (
        ("length", wintypes.DWORD),
        ("descriptor", ctypes.c_void_p),
        ("inherit", wintypes.BOOL),
    )


class Overlapped(ctypes.Structure):
    """OVERLAPPED: the offset in a file that a call works on."""

    _fields_ = (
        *(("internal", ctypes.c_void_p), ("internal_high", ctypes.c_void_p)),
        *(("offset", wintypes.DWORD), ("offset_high", wintypes.DWORD)),
        ("event", ctypes.c_void_p),
    )


class FileInformation(ctypes.Structure):
    """BY_HANDLE_FILE_INFORMATION; only its attributes are read."""

    _fields_ = (("attributes", wintypes.DWORD), ("rest", wintypes.DWORD * 12))


_create_file = _kernel32.CreateFileW
_create_file.restype = ctypes.c_void_p
_create_file.argtypes = (
    *(wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, ctypes.c_void_p),
    *(wintypes.DWORD, wintypes.DWORD, ctypes.c_void_p),
)
_create_directory = _kernel32.CreateDirectoryW
_create_directory.argtypes = (wintypes.LPCWSTR, ctypes.c_void_p)
_move_file = _kernel32.MoveFileExW
_move_file.argtypes = (wintypes.LPCWSTR, wintypes.LPCWSTR, wintypes.DWORD)
_close_handle = _kernel32.CloseHandle
_close_handle.argtypes = (ctypes.c_void_p,)
_file_information = _kernel32.GetFileInformationByHandle
_file_information.argtypes = (ctypes.c_void_p, ctypes.POINTER(FileInformation))
_lock_file = _kernel32.LockFileEx
_lock_file.argtypes = (
    *(ctypes.c_void_p, wintypes.DWORD, wintypes.DWORD, wintypes.DWORD, wintypes.DWORD),
    ctypes.POINTER(Overlapped),
)
_long_name = _kernel32.GetLongPathNameW
_long_name.argtypes = (wintypes.LPCWSTR, wintypes.LPWSTR, wintypes.DWORD)


def refused(path: str, code: int | None = None) -> OSError:
    """Return the error of the last call, or of `code`, with the system's message and the path."""
    number = ctypes.get_last_error() if code is None else code
    message = ctypes.FormatError(number).strip().rstrip(".")
    return OSError(0, message, path, number)


def security_attributes(descriptor: int | None) -> SecurityAttributes | None:
    """Return the attributes that give a new file or folder this security descriptor."""
    if descriptor is None:
        return None
    return SecurityAttributes(ctypes.sizeof(SecurityAttributes), descriptor, False)


def create_file(path: str, descriptor: int | None) -> int:
    """Create a file and return its handle; no other process can open it before it is closed."""
    attributes = security_attributes(descriptor)
    rights = GENERIC_READ | GENERIC_WRITE
    return _opened(path, rights, SHARE_NOTHING, attributes=attributes, how=CREATE_NEW)


def create_folder(path: str, descriptor: int | None) -> None:
    """Create a folder; raises FileExistsError if the name is taken."""
    attributes = security_attributes(descriptor)
    if not _create_directory(path, ctypes.byref(attributes) if attributes else None):
        raise refused(path)


@contextmanager
def held_folder(path: str) -> Iterator[None]:
    """Hold a folder open, so that it cannot be renamed, removed or replaced with a link.

    Raises OSError (ELOOP) if it is a link already.
    """
    flags = BACKUP_SEMANTICS | OPEN_REPARSE_POINT
    share = SHARE_READ | SHARE_WRITE
    handle = _opened(path, FILE_LIST_DIRECTORY, share, flags=flags)
    try:
        information = FileInformation()
        if not _file_information(handle, ctypes.byref(information)):
            raise refused(path)
        if information.attributes & REPARSE_POINT and is_link(os.lstat(path)):
            raise OSError(errno.ELOOP, "a link stands where a folder is expected", path)
        yield
    finally:
        _close_handle(handle)


def move(source: str, target: str) -> None:
    """Rename a file within its folder, written through to disk; a file of that name is replaced."""
    if not _move_file(source, target, MOVE_REPLACE_EXISTING | MOVE_WRITE_THROUGH):
        raise refused(target)


def is_link(status: os.stat_result) -> bool:
    """Return whether it is a symbolic link or a junction.

    Other reparse points, such as those of compressed or deduplicated files, count as files.
    """
    return status.st_reparse_tag in {stat.IO_REPARSE_TAG_SYMLINK, stat.IO_REPARSE_TAG_MOUNT_POINT}


def is_in_use(path: str) -> bool:
    """Return whether another program has the file open so that it cannot be replaced."""
    share = SHARE_READ | SHARE_WRITE | SHARE_DELETE
    try:
        _close_handle(_opened(path, DELETE, share))
    except OSError as error:
        return error.winerror == ERROR_SHARING_VIOLATION
    return False


def lock(handle: int, offset: int) -> bool:
    """Lock one byte of a file until it is closed; return False if another process has the lock."""
    position = Overlapped(offset=offset)
    if _lock_file(handle, LOCK_AT_ONCE | LOCK_EXCLUSIVE, 0, 1, 0, ctypes.byref(position)):
        return True
    if ctypes.get_last_error() != ERROR_LOCK_VIOLATION:
        raise refused("the lock")
    return False


def long_name(path: str) -> str:
    """Return the path with every short name (`PROGRA~1`) spelt out; a missing path as it is."""
    size = 32_768  # characters: no path is longer
    buffer = ctypes.create_unicode_buffer(size)
    return buffer.value if 0 < _long_name(path, buffer, size) < size else path


def _opened(
    path: str,
    access: int,
    share: int,
    *,
    attributes: SecurityAttributes | None = None,
    how: int = OPEN_EXISTING,
    flags: int = OPEN_REPARSE_POINT,
) -> int:
    """Open or create a file or a folder and return its handle; raises OSError."""
    pointer = ctypes.byref(attributes) if attributes else None
    handle = _create_file(path, access, share, pointer, how, flags, None)
    if handle is None or handle == INVALID_HANDLE:
        raise refused(path)
    return int(handle)
