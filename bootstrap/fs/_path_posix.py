"""The part of `path` that differs by system, for POSIX systems."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # noqa: S101  (Windows has a module of its own)

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FOREIGN = "it is a path of Windows, and this machine runs none"
LOOP = os.strerror(errno.ELOOP)
NOT_A_LINK = frozenset({errno.EINVAL, errno.ENOENT, errno.ENOTDIR})


def root_of(root: str) -> str:
    """Return the root as it is."""
    return root


def on_disk(root: str, relative: str) -> str:
    """Return the absolute path of a relative one below the root."""
    return os.path.join(root, relative)


def as_stated(relative: str) -> str:
    """Return a relative path as documents write it."""
    return f"/{relative}"


def key_of(path: str) -> str:
    """Return the path as it is: it has one spelling only."""
    return path


def drives_in(_: Sequence[str]) -> int:
    """Return how many of the names are a drive: none."""
    return 0


def is_absolute(path: str) -> bool:
    """Return whether a document's path is one of this system."""
    return path.startswith("/")


def split(path: str, _: str) -> tuple[list[str], list[str]]:
    """Return no drive, and the names of a path, the last one first."""
    return [], path.rstrip("/").split("/")[::-1]


def link_target(root: str, folders: list[str], name: str) -> str | None:
    """Return the target of a symbolic link; None if there is no link of that name."""
    try:
        return os.readlink(os.path.join(root, *folders, name))
    except OSError as error:
        if error.errno in NOT_A_LINK:
            return None
        raise


def with_long_names(_: str, relative: str) -> str:
    """Return the path as it is: only Windows has short names."""
    return relative
