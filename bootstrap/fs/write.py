"""The changes that can be made to one file; `read` has what is there.

Every function works on a `Place` and lets OSError through. On POSIX systems each opens the folder
step by step and refuses links on the way. On Windows each holds the folders on the way open, so
that they cannot be renamed and no junction can be put in their place. So a folder that is swapped
for a link between the plan and the commit cannot lead the agent somewhere else. `_write_posix` and
`_write_windows` have the parts that differ by system.
"""

from __future__ import annotations

import errno
import os
import sys

from bootstrap.fs import read

if sys.platform == "win32":
    from bootstrap.fs._write_windows import (
        FOLDER_MODE,
        cannot_link,
        created,
        link,
        make_folder,
        opened,
        opened_in_place,
        remove,
        remove_folder,
        rename,
        sync,
        try_lock,
    )
else:
    from bootstrap.fs._write_posix import (
        FOLDER_MODE,
        cannot_link,
        created,
        link,
        make_folder,
        opened,
        opened_in_place,
        remove,
        remove_folder,
        rename,
        sync,
        try_lock,
        write_link,
    )

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from bootstrap.fs.path import Place
    from bootstrap.fs.read import Access

    Dress: TypeAlias = Callable[[int], None]

__all__ = [
    "FOLDER_MODE",
    "append",
    "cannot_link",
    "link",
    "make_folder",
    "overwrite",
    "remove",
    "remove_folder",
    "rename",
    "save_original",
    "shorten",
    "sync",
    "try_lock",
    "write",
    "write_pointer",
]


def write(place: Place, content: bytes, access: Access, *, set_xattrs: Dress | None = None) -> None:
    """Write a new file, flushed to disk; on any error it is removed again.

    No other user can open it before it is whole and has its owner and its access. `set_xattrs` is
    called with its descriptor, to set its label and other attributes.
    """
    with created(place, access) as descriptor:
        _write_all(descriptor, content)
        if set_xattrs:
            set_xattrs(descriptor)


def overwrite(place: Place, content: bytes, access: Access) -> None:
    """Write over a file that cannot or must not be replaced, such as a bind mount.

    Its access is never wider than the one asked for. Not atomic: a reader may see half of the new
    content.
    """
    with opened_in_place(place, access) as descriptor:
        _write_all(descriptor, content)
        os.ftruncate(descriptor, len(content))


def write_pointer(place: Place, name: str) -> None:
    """Leave a name that `read.read_pointer` returns."""
    if sys.platform == "win32":
        write(place, f"{name}\n".encode(), read.own_access(0o600))
    else:
        write_link(place, name)


def save_original(place: Place, name: str) -> None:
    """Give the file a second name in its folder; make a copy where hard links are not possible."""
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
    if sys.platform != "win32" and found.kind == "link":
        write_link(other, read.read_link(place))
    else:
        from bootstrap.fs.xattr import like  # an unchanged boot copies no file

        write(other, b"".join(read.chunks(place)), found.access, set_xattrs=like(place))


def append(place: Place, data: bytes) -> None:
    """Write at the end of a file, flushed to disk."""
    with opened(place, os.O_APPEND) as descriptor:
        _write_all(descriptor, data)
        os.fsync(descriptor)


def shorten(place: Place, length: int) -> None:
    """Cut a file off after `length` bytes, flushed to disk; this needs no free space."""
    with opened(place) as descriptor:
        os.ftruncate(descriptor, length)
        os.fsync(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
