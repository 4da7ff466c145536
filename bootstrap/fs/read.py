"""What is at a place: its kind, its access and its content; `write` changes it.

Every function works on a `Place`, changes nothing and lets OSError through. `_read_posix` and
`_read_windows` have the parts that differ by system.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager
from hashlib import sha256

if sys.platform == "win32":
    from bootstrap.fs._read_windows import (
        Access,
        FileInfo,
        access_of,
        is_privileged,
        lstat,
        open_file,
        own_access,
        read_link,
    )
else:
    from bootstrap.fs._read_posix import (
        Access,
        FileInfo,
        access_of,
        is_privileged,
        lstat,
        open_file,
        own_access,
        read_link,
    )

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.fs.path import Place

__all__ = [
    "Access",
    "FileInfo",
    "access_of",
    "chunks",
    "digest",
    "is_privileged",
    "lstat",
    "opened_file",
    "own_access",
    "read",
    "read_link",
    "read_pointer",
]

CHUNK = 1 << 18  # bytes


def read(place: Place, limit: int) -> bytes | None:
    """Return the content of a regular file; None if it is longer than `limit` bytes."""
    content = b"".join(chunks(place, limit + 1))
    return content if len(content) <= limit else None


def read_pointer(place: Place) -> str | None:
    """Return the name that `write.write_pointer` has left at the place; None if there is none.

    On POSIX systems it is the target of a symbolic link. On Windows it is the content of a file,
    because a link takes a right that not every administrator has.
    """
    found = lstat(place)
    if sys.platform == "win32":
        content = read(place, CHUNK) if found and found.kind == "file" else None
        return content.decode("utf-8", "replace").strip() if content else None
    return read_link(place) if found and found.kind == "link" else None


def digest(place: Place) -> str:
    """Return the SHA-256 of a regular file's content, in hexadecimal."""
    hashed = sha256()
    for chunk in chunks(place):
        hashed.update(chunk)
    return hashed.hexdigest()


@contextmanager
def opened_file(place: Place) -> Iterator[int]:
    """Open a regular file for reading and yield its descriptor; a link at its end is not followed.

    On POSIX systems no link on the way is followed either.
    """
    descriptor = open_file(place)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", place.path)
        yield descriptor
    finally:
        os.close(descriptor)


def chunks(place: Place, limit: int | None = None) -> Iterator[bytes]:
    """Yield the content of a regular file in pieces, up to `limit` bytes in all."""
    with opened_file(place) as descriptor:
        left = CHUNK if limit is None else limit
        while left and (chunk := os.read(descriptor, min(left, CHUNK))):
            yield chunk
            left = CHUNK if limit is None else left - len(chunk)
