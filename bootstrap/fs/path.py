"""Where a path lies on the disk when `root` is the ceiling that no link leads out of."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LINKS = 40  # what Linux follows in one path: path_resolution(7)
NOT_A_LINK = frozenset({errno.EINVAL, errno.ENOENT, errno.ENOTDIR})


class Place:
    """One name in one folder under `root`.

    `relative` has neither links, `.` nor `..` in its folders, so that whoever walks it again can
    insist on meeting none; its last name may be a link. `visited_folders` are the folders, also
    relative,
    in which a name was looked up to get here: whoever can write to one of them decides where this
    is.
    """

    __slots__ = ("relative", "root", "visited_folders")

    def __init__(self, root: str, relative: str, visited_folders: tuple[str, ...] = ()) -> None:
        self.root = root
        self.relative = relative
        self.visited_folders = visited_folders

    def __repr__(self) -> str:
        return f"Place({self.path})"

    @property
    def path(self) -> str:
        """The absolute path, root included: what a command is told."""
        return os.path.join(self.root, self.relative)

    @property
    def stated(self) -> str:
        """The path as a document would say it."""
        return f"/{self.relative}"

    @property
    def key(self) -> str:
        """The same for every spelling of the place."""
        return self.path

    @property
    def name(self) -> str:
        """The last name; empty for the root itself."""
        return os.path.basename(self.relative)

    @property
    def folders(self) -> tuple[str, ...]:
        """The names that lead from the root to the folder."""
        folder = os.path.dirname(self.relative)
        return tuple(folder.split("/")) if folder else ()

    def parents(self) -> tuple[Place, ...]:
        """The folders that lead here, outermost first, without the root."""
        names = self.folders
        return tuple(Place(self.root, "/".join(names[: depth + 1])) for depth in range(len(names)))

    def sibling(self, name: str) -> Place:
        """Another name in the same folder."""
        return Place(self.root, "/".join((*self.folders, name)))


def is_absolute(path: str) -> bool:
    """Whether a document's path is one of this system."""
    return path.startswith("/")


def refuse_foreign(path: str) -> None:
    """Raise OSError for a path that a document meant for another system."""
    if not is_absolute(path):
        raise OSError(errno.EINVAL, "it is a path of Windows, and this machine runs none", path)


def resolve(
    path: str,
    root: str = "/",
    *,
    follow: bool = False,
    on_link: Callable[[Place], None] = lambda _: None,
) -> Place:
    """The place of `path`, every link on the way read as a process with that root would read it.

    A link that is the last name itself is resolved only when `follow` is set. `on_link` is called
    with the place of each link before it is followed, and may raise. What does not exist
    yet is taken by its word. Raises OSError when links go in circles or a folder is unreadable.
    """
    ahead = path.rstrip("/").split("/")[::-1]
    passed: list[str] = []
    visited_folders: dict[str, None] = {}
    links = 0
    while ahead:
        name = ahead.pop()
        if name == "..":
            del passed[-1:]
        elif name not in {"", "."}:
            visited_folders["/".join(passed)] = None
            target = _link(root, passed, name) if ahead or follow else None
            if target is None:
                passed.append(name)
                continue
            links += 1
            if links > MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            on_link(Place(root, "/".join([*passed, name])))
            if target.startswith("/"):
                passed.clear()
            ahead.extend(target.split("/")[::-1])
    return Place(root, "/".join(passed), tuple(visited_folders))


def _link(root: str, folders: list[str], name: str) -> str | None:
    try:
        return os.readlink(os.path.join(root, *folders, name))
    except OSError as error:
        if error.errno in NOT_A_LINK:
            return None
        raise
