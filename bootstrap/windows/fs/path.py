"""Where a path lies on the disks of a Windows machine.

Below the root, the system drive, a path is written with slashes and without a drive, as the
agent's own are: `/ProgramData/imds-bootstrap`. A document's path has a drive: on the system drive
it is the same as without; on another, which only the machine itself has, it stays part of the
place.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101  (nothing imports it elsewhere)

import errno
import ntpath
import os

from bootstrap.windows import ROOT, SYSTEM_DRIVE
from bootstrap.windows.fs.kernel import is_link, long_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_LINKS = 40  # as many as anybody needs; Windows itself follows 63
OWN_WORDS = "\\\\?\\"  # how the system begins a path that it does not interpret


class Place:
    """One name in one folder under `root`, or on another drive.

    `relative` has neither links, `.` nor `..` in its folders; its last name may be a link.
    `visited_folders`
    are the folders, also relative, in which a name was looked up to get here.
    """

    __slots__ = ("relative", "root", "visited_folders")

    def __init__(self, root: str, relative: str, visited_folders: tuple[str, ...] = ()) -> None:
        self.root = ROOT if root == "/" else root  # else it would be that of the current drive
        self.relative = relative
        self.visited_folders = visited_folders

    def __repr__(self) -> str:
        return f"Place({self.path})"

    @property
    def path(self) -> str:
        """The absolute path, root included: what a command is told."""
        return on_disk(self.root, self.relative)

    @property
    def stated(self) -> str:
        """The path as a document would say it."""
        drive, rest = ntpath.splitdrive(self.relative)
        return f"{drive or SYSTEM_DRIVE}/{rest.lstrip('/')}"

    @property
    def key(self) -> str:
        """The same for every spelling of the place: capitals do not count."""
        return self.path.casefold()

    @property
    def name(self) -> str:
        """The last name; empty for the root itself."""
        return self.relative.rpartition("/")[2]

    @property
    def folders(self) -> tuple[str, ...]:
        """The names that lead from the root to the folder; the first may be another drive."""
        folder = self.relative.rpartition("/")[0]
        return tuple(folder.split("/")) if folder else ()

    def parents(self) -> tuple[Place, ...]:
        """The folders that lead here, outermost first, without the root."""
        names = self.folders
        depths = range(_drives(names), len(names))
        return tuple(Place(self.root, "/".join(names[: depth + 1])) for depth in depths)

    def way(self) -> tuple[str, ...]:
        """The paths of all folders on the way, the root's first."""
        names = self.folders
        depths = range(_drives(names), len(names) + 1)
        return tuple(on_disk(self.root, "/".join(names[:depth])) for depth in depths)

    def sibling(self, name: str) -> Place:
        """Another name in the same folder."""
        return Place(self.root, "/".join((*self.folders, name)))


def on_disk(root: str, relative: str) -> str:
    """The system's own spelling of a relative path below the root, or on another drive."""
    drive, rest = ntpath.splitdrive(relative)
    top = f"{drive}\\" if drive else root
    return os.path.join(top, rest.strip("/").replace("/", "\\"))


def is_absolute(path: str) -> bool:
    """Whether a document's path is one of this system."""
    drive, rest = ntpath.splitdrive(path)
    return drive[1:] == ":" and rest[:1] in ("\\", "/")


def refuse_foreign(path: str) -> None:
    """Raise OSError for a path that a document meant for another system."""
    if not is_absolute(path):
        message = "it has no drive, and this machine runs Windows"
        raise OSError(errno.EINVAL, message, path)


def resolve(
    path: str,
    root: str = ROOT,
    *,
    follow: bool = False,
    on_link: Callable[[Place], None] = lambda _: None,
) -> Place:
    """The place of `path`, every link and junction on the way read.

    A link that is the last name itself is resolved only when `follow` is set. `on_link` is called
    with the place of each link before it is followed, and may raise. What does not exist
    yet is taken by its word. Raises OSError when links go in circles, a folder is unreadable, or a
    path leads to another drive than a root that is not the machine's own.
    """
    root = ROOT if root == "/" else root
    passed, ahead = _started(path, root)
    visited_folders: dict[str, None] = {}
    links = 0
    while ahead:
        name = ahead.pop()
        if name == "..":
            del passed[max(len(passed) - 1, _drives(passed)) :]
        elif name not in {"", "."}:
            visited_folders["/".join(passed)] = None
            target = _link(root, passed, name) if ahead or follow else None
            if target is None:
                passed.append(name)
                continue
            links += 1
            if links > MAX_LINKS:
                raise OSError(errno.ELOOP, "too many links on the way", path)
            on_link(Place(root, "/".join([*passed, name])))
            started, more = _started(target, root)
            if ntpath.isabs(target):
                passed = started
            ahead.extend(more)
    return Place(root, _spelt_out(root, "/".join(passed)), tuple(visited_folders))


def _drives(names: Sequence[str]) -> int:
    """How many of the names are a drive: one, if the first is."""
    return int(bool(names) and names[0].endswith(":"))


def _started(path: str, root: str) -> tuple[list[str], list[str]]:
    """The drive of a path, where it is not the root's, and its names, the last one first."""
    drive, rest = ntpath.splitdrive(path.replace("\\", "/"))
    if drive and drive.upper() != SYSTEM_DRIVE:
        if root.casefold() != ROOT.casefold():
            raise OSError(errno.EXDEV, "it is on another drive than the root", path)
        return [drive.upper()], rest.rstrip("/").split("/")[::-1]
    return [], rest.rstrip("/").split("/")[::-1]


def _link(root: str, folders: list[str], name: str) -> str | None:
    path = on_disk(root, "/".join([*folders, name]))
    try:
        if not is_link(os.lstat(path)):
            return None
    except (FileNotFoundError, NotADirectoryError):
        return None
    target = os.readlink(path).removeprefix(OWN_WORDS)
    return None if target.startswith("Volume{") else target  # a disk that is mounted here


def _spelt_out(root: str, relative: str) -> str:
    """The same place with short names spelt out, so that nobody's folder goes by two names."""
    if "~" not in relative:
        return relative
    spelt = long_name(on_disk(root, relative))
    top = on_disk(root, "")
    if not spelt.casefold().startswith(top.casefold()):
        return relative
    return spelt[len(top) :].strip("\\").replace("\\", "/")
