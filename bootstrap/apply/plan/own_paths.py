"""What no file may be written over: all that the agent itself reads, by the place it leads to.

A path is compared by what it is, not by its text: the number of the deepest file or folder that
exists, and the names below it. So a link, a bind mount, a hard link and another spelling on a file
system that ignores case all lead to the same answer.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import bootstrap
from bootstrap import LIBRARY, OWN_FOLDERS, ROOT
from bootstrap.apply.plan.preflight import backup_of
from bootstrap.config.reserved_paths import CA_VARIABLES, WHOSE, fits
from bootstrap.fs import read
from bootstrap.fs.errors import unsafe
from bootstrap.fs.path import resolve
from bootstrap.image import DOCUMENT_FOLDER
from bootstrap.settings import Settings
from bootstrap.settings.load import SETTINGS_FILE, SETTINGS_FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from bootstrap.config.model import FileSpec
    from bootstrap.fs.path import Place

    Number: TypeAlias = tuple[int, int]  # a device, and an inode on it
    Names: TypeAlias = tuple[str, ...]

OWN = "this agent keeps its own files"
HINT = "choose another path"
SYSTEM_HINT = "a document of the image may write there"
DEFAULTS = Settings()
# The agent's own, and what in there may be a link to the real one.
OWN_NAMES = (
    *OWN_FOLDERS,
    SETTINGS_FILE,
    SETTINGS_FOLDER,
    DOCUMENT_FOLDER,
    f"{LIBRARY}/instances",
    f"{LIBRARY}/instance",
)


class OwnPaths:
    """The paths that the agent of one machine reads or writes for itself.

    `settings_file` is the one that takes the place of agent.yaml, `environ` the environment. Paths
    of both, and of the program, are those of the running system; all others are below `root`.
    """

    def __init__(
        self,
        root: str = "/",
        settings: Settings = DEFAULTS,
        *,
        settings_file: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._root = root
        self._settings = settings
        self._settings_file = settings_file
        self._environ = environ or {}
        self._closed: _Closed | None = None
        self._of_system: _Closed | None = None

    def refuse(self, spec: FileSpec, place: Place) -> None:
        """Raise UnsafeDestination for a file, or a backup, over what the agent itself reads.

        A file of userData may not lie over what is the system's either. Lets OSError through.
        """
        for one in (place, backup_of(place)) if spec.backup else (place,):
            if title := self.title(one):
                message = f"it leads to {one.stated}, where {title}"
                raise unsafe(message, path=spec.path, origin=spec.origin, hint=HINT)
            if spec.layer == "userData" and (title := self._system().title(one)):
                message = f"userData may not write at {one.stated}, where {title}"
                raise unsafe(message, path=spec.path, origin=spec.origin, hint=SYSTEM_HINT)

    def title(self, place: Place) -> str:
        """What of the agent's own lies at the place, in words; empty for any other place."""
        if self._closed is None:
            self._closed = _Closed()
            for path, title in self._rooted():
                self._closed.add(path, self._root, title)
                if self._root not in {"/", ROOT}:  # a link there may name the root itself
                    whole = os.path.join(os.path.abspath(self._root), path.lstrip("/"))
                    self._closed.add(whole, "/", title, inside=False)
            for path, title in self._running():
                self._closed.add(os.path.abspath(path), "/", title, inside=False)
        return self._closed.title(place)

    def _rooted(self) -> Iterator[tuple[str, str]]:
        """What the agent reads and writes below its root."""
        from bootstrap.identity.arc_key import TOKENS

        yield from ((path, OWN) for path in OWN_NAMES)
        yield from ((one, "this agent finds its templates") for one in self._settings.templates)
        yield self._settings.values_schema, "this agent finds the schema of the values"
        if self._settings.vaults.ca_file:
            yield self._settings.vaults.ca_file, "this agent finds whom it trusts"
        yield TOKENS, "Azure Arc proves to this agent who it is"

    def _running(self) -> Iterator[tuple[str, str]]:
        """What the agent reads outside of its root, wherever that is."""
        package = os.path.dirname(os.path.abspath(bootstrap.__file__))
        yield package, "this program lies"
        for beside in ("schema", "templates"):  # where a checkout has what a package has inside
            yield os.path.join(os.path.dirname(package), beside), "this program lies"
        if self._settings_file:
            yield self._settings_file, "this agent finds its settings"
        if self._settings.vaults.ca_file:
            yield self._settings.vaults.ca_file, "this agent finds whom it trusts"

    def _system(self) -> _Closed:
        """What is the image's alone: whom the system trusts, and what starts the agent."""
        if self._of_system is None:
            from bootstrap.identity.arc import AGENT

            self._of_system = _Closed()
            for path, title in WHOSE.items():
                self._of_system.add(path, self._root, f"{title} lie")
            self._of_system.add(os.path.dirname(AGENT), self._root, "the agent of Azure Arc lies")
            for path in self._bundles():
                self._of_system.add(path, "/", "this agent finds whom it trusts")
            for path in _modules() if self._root in {"/", ROOT} else ():
                self._of_system.add(path, "/", "the Python of this agent lies", inside=False)
        return self._of_system

    def _bundles(self) -> Iterator[str]:
        """The authorities that the environment names, in files and folders."""
        for name in CA_VARIABLES:
            places = self._environ.get(name, "").split(os.pathsep)
            yield from (os.path.abspath(path) for path in places if path)


def _modules() -> Iterator[str]:
    """The interpreter, and where it takes modules from, but for the folder it was started in."""
    yield sys.executable
    try:
        started = os.getcwd()
    except FileNotFoundError:  # somebody removed it since
        started = ""
    yield from (path for path in sys.path if os.path.isabs(path) and path not in {started, "/"})


class _Closed:
    """Places, each by its number and the names below, with what lies there in words."""

    def __init__(self) -> None:
        self._places: dict[Number, list[tuple[Names, str]]] = {}
        self._folders: dict[str, str] = {}  # where links lead, of those that were met

    def add(self, path: str, root: str, title: str, *, inside: bool = True) -> None:
        """Close a path, each link on the way to it, and what it holds; `*` may end its last name.

        A path whose links go in circles, or that cannot be looked at, leads nowhere.
        """
        folder, name = os.path.split(path)
        with suppress(OSError):
            if name.endswith("*"):
                self._add_all(resolve(folder, root, follow=True), name, title)
            else:
                self._add(path, root, title)
                if inside:
                    self._add_inside(resolve(path, root, follow=True), title)

    def title(self, place: Place) -> str:
        """What lies at the place, below it or above it, in words; empty when nothing does."""
        for number, names in _trail(place.path):
            for wanted, title in self._places.get(number, ()):
                if all(map(fits, names, wanted)):
                    return title
        return ""

    def _add(self, path: str, root: str, title: str) -> None:
        place = resolve(path, root, follow=True)
        self._close(place.path, title)
        if place.relative != path.lstrip("/"):
            for link in _links(path, root):
                self._close(link.path, title)

    def _add_all(self, folder: Place, pattern: str, title: str) -> None:
        self._close(folder.path, title, below=(pattern.casefold(),))
        for name in os.listdir(folder.path):
            if fits(name, pattern):
                self._add(f"{folder.stated}/{name}", folder.root, title)

    def _add_inside(self, folder: Place, title: str) -> None:
        """Close each part of a folder: it may be mounted elsewhere too, or be a link."""
        for top, folders, files in os.walk(folder.path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in (*folders, *files):
                self._close(os.path.join(top, name), title)
            for name in files:
                self._add_aim(os.path.join(top, name), folder.root, title)

    def _add_aim(self, path: str, root: str, title: str) -> None:
        """Close what a file is a link to; a link to a name beside it leads to what is closed."""
        if not os.path.islink(path):
            return
        folder, name = os.path.split(os.readlink(path))
        if not folder:
            return
        whole = os.path.join(_below(os.path.dirname(path), root), folder)
        if whole not in self._folders:  # hundreds of authorities are links into one folder
            self._folders[whole] = resolve(whole, root, follow=True).path
        aim = os.path.join(self._folders[whole], name)
        if os.path.islink(aim) or name in {"", ".", ".."}:
            aim = resolve(f"{whole}/{name}", root, follow=True).path
        self._close(aim, title)

    def _close(self, path: str, title: str, below: Names = ()) -> None:
        for number, names in _trail(path):
            self._places.setdefault(number, []).append(((*names, *below), title))
            break


def _below(path: str, root: str) -> str:
    """A path of the running system, as it is called below the root."""
    return path if root in {"/", ROOT} else os.path.relpath(path, root)


def _trail(path: str) -> Iterator[tuple[Number, Names]]:
    """What exists of a path, from its end upwards: the number of each, and the names below it."""
    names: Names = ()
    while True:
        with suppress(OSError):
            status = os.lstat(path)
            yield (status.st_dev, status.st_ino), names
        above, name = os.path.split(path)
        if above == path:
            return
        path, names = above, (name.casefold(), *names)


def _links(path: str, root: str) -> Iterator[Place]:
    """Every link on the way of a path that leads somewhere: who replaces one decides where."""
    names = path.replace(os.sep, "/").split("/")
    for depth in range(1, len(names) + 1):
        place = resolve("/".join(names[:depth]), root)
        found = read.lstat(place) if place.relative else None
        if found and found.kind == "link":
            yield place
            target = read.read_link(place)
            is_whole = os.path.isabs(target)
            yield from _links(target if is_whole else f"{place.sibling(target).stated}", root)
