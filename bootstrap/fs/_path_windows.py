"""The part of `path` that differs by system, for Windows.

Below the root, which is the system drive, a path has slashes and no drive, as the agent's own paths
have: `/ProgramData/imds-bootstrap`. A document's path has a drive. The system drive is left out of
a place; another drive, which only the machine itself has, is the first name of its place.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import errno
import ntpath
import os

from bootstrap.fs.kernel_windows import is_link, long_name
from bootstrap.layout import ROOT, SYSTEM_DRIVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FOREIGN = "it has no drive, and this machine runs Windows"
LOOP = "too many links on the way"
VERBATIM = "\\\\?\\"  # the prefix of a path that the system does not interpret


def root_of(root: str) -> str:
    """Return the root; for `/`, which would be the current drive, the system drive's."""
    return ROOT if root == "/" else root


def on_disk(root: str, relative: str) -> str:
    """Return the system's own spelling of a relative path below the root, or on another drive."""
    drive, rest = ntpath.splitdrive(relative)
    top = f"{drive}\\" if drive else root
    return os.path.join(top, rest.strip("/").replace("/", "\\"))


def as_stated(relative: str) -> str:
    """Return a relative path as documents write it."""
    drive, rest = ntpath.splitdrive(relative)
    return f"{drive or SYSTEM_DRIVE}/{rest.lstrip('/')}"


def key_of(path: str) -> str:
    """Return the path with its case folded, because Windows ignores case."""
    return path.casefold()


def drives_in(names: Sequence[str]) -> int:
    """Return how many of the names are a drive: 1 if the first is, else 0."""
    return int(bool(names) and names[0].endswith(":"))


def is_absolute(path: str) -> bool:
    """Return whether a document's path is one of this system."""
    drive, rest = ntpath.splitdrive(path)
    return drive[1:] == ":" and rest[:1] in ("\\", "/")


def split(path: str, root: str) -> tuple[list[str], list[str]]:
    """Return the drive of a path, if it is not the root's, and its names, the last one first."""
    drive, rest = ntpath.splitdrive(path.replace("\\", "/"))
    names = rest.rstrip("/").split("/")[::-1]
    if drive and drive.upper() != SYSTEM_DRIVE:
        if root.casefold() != ROOT.casefold():
            raise OSError(errno.EXDEV, "it is on another drive than the root", path)
        return [drive.upper()], names
    return [], names


def link_target(root: str, folders: list[str], name: str) -> str | None:
    """Return the target of a symbolic link or a junction; None if there is none of that name."""
    path = on_disk(root, "/".join([*folders, name]))
    try:
        if not is_link(os.lstat(path)):
            return None
    except (FileNotFoundError, NotADirectoryError):
        return None
    target = os.readlink(path).removeprefix(VERBATIM)
    return None if target.startswith("Volume{") else target  # a disk that is mounted here


def with_long_names(root: str, relative: str) -> str:
    """Return the path with short names (`PROGRA~1`) spelt out: each folder has one name only."""
    if "~" not in relative:
        return relative
    spelt = long_name(on_disk(root, relative))
    top = on_disk(root, "")
    if not spelt.casefold().startswith(top.casefold()):
        return relative
    return spelt[len(top) :].strip("\\").replace("\\", "/")
