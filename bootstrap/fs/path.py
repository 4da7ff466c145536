"""Where a path lies on the disk if no link leads out of `root`.

`_path_posix` and `_path_windows` have the parts that differ by system.
"""

from __future__ import annotations

import errno
import os
import sys

if sys.platform == "win32":
    from bootstrap.fs._path_windows import (
        FOREIGN,
        LOOP,
        as_stated,
        drives_in,
        is_absolute,
        key_of,
        link_target,
        on_disk,
        root_of,
        split,
        with_long_names,
    )
else:
    from bootstrap.fs._path_posix import (
        FOREIGN,
        LOOP,
        as_stated,
        drives_in,
        is_absolute,
        key_of,
        link_target,
        on_disk,
        root_of,
        split,
        with_long_names,
    )

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Place", "is_absolute", "on_disk", "refuse_foreign", "resolve"]

MAX_LINKS = 40  # links that Linux follows in one path: path_resolution(7); Windows follows 63


class Place:
    """One name in one folder under `root`; on Windows also on another drive.

    `relative` has neither links, `.` nor `..` in its folders, so a later walk can refuse every
    link; its last name may be a link. `visited_folders` are the folders, also relative, in which a
    name was
    looked up to get here: a user who can write to one of them decides where the place is.
    """

    __slots__ = ("relative", "root", "visited_folders")

    def __init__(self, root: str, relative: str, visited_folders: tuple[str, ...] = ()) -> None:
        self.root = root_of(root)
        self.relative = relative
        self.visited_folders = visited_folders

    def __repr__(self) -> str:
        return f"Place({self.path})"

    @property
    def path(self) -> str:
        """The absolute path, root included, as commands get it."""
        return on_disk(self.root, self.relative)

    @property
    def stated(self) -> str:
        """The path as documents write it."""
        return as_stated(self.relative)

    @property
    def key(self) -> str:
        """A text that is the same for every spelling of the place."""
        return key_of(self.path)

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
        """Return the folders that lead here, outermost first, without the root."""
        names = self.folders
        depths = range(drives_in(names), len(names))
        return tuple(Place(self.root, "/".join(names[: depth + 1])) for depth in depths)

    def way(self) -> tuple[str, ...]:
        """Return the paths of all folders that lead here, the root's or the drive's first."""
        names = self.folders
        depths = range(drives_in(names), len(names) + 1)
        return tuple(on_disk(self.root, "/".join(names[:depth])) for depth in depths)

    def sibling(self, name: str) -> Place:
        """Return another name in the same folder."""
        return Place(self.root, "/".join((*self.folders, name)))


def refuse_foreign(path: str) -> None:
    """Raise OSError for a path that a document meant for another system."""
    if not is_absolute(path):
        raise OSError(errno.EINVAL, FOREIGN, path)


def resolve(
    path: str,
    root: str = "/",
    *,
    follow: bool = False,
    on_link: Callable[[Place], None] = lambda _: None,
) -> Place:
    """Return the place of `path`, each link on the way read as a process with that root reads it.

    A link that is the last name itself is resolved only if `follow` is set. `on_link` is called
    with the place of each link before it is followed, and may raise. Names that do not exist yet
    are kept as they are. Raises OSError if links go in circles, if a folder is unreadable, or, on
    Windows, if a path leads to another drive than a root that is not the machine's own.
    """
    root = root_of(root)
    passed, ahead = split(path, root)
    visited_folders: dict[str, None] = {}
    links = 0
    while ahead:
        name = ahead.pop()
        if name == "..":
            del passed[max(len(passed) - 1, drives_in(passed)) :]
        elif name not in {"", "."}:
            visited_folders["/".join(passed)] = None
            target = link_target(root, passed, name) if ahead or follow else None
            if target is None:
                passed.append(name)
                continue
            links += 1
            if links > MAX_LINKS:
                raise OSError(errno.ELOOP, LOOP, path)
            on_link(Place(root, "/".join([*passed, name])))
            start, names = split(target, root)
            if os.path.isabs(target):
                passed = start
            ahead.extend(names)
    return Place(root, with_long_names(root, "/".join(passed)), tuple(visited_folders))
