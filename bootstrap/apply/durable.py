"""The agent's own files by path: written atomically and durably, or not at all.

State and status go this way, under the lock of the run. Every function resolves its path below
`root` and lets OSError through.
"""

from __future__ import annotations

import os

from bootstrap.apply import disk, writing
from bootstrap.apply.names import staged_name
from bootstrap.apply.place import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.apply.place import Place


def write(path: str, data: bytes, *, mode: int, root: str = "/") -> bool:
    """Write a whole file; False, and nothing is touched, when it is just so already."""
    place = resolve(path, root)
    access = disk.own_access(mode)
    found = disk.look(place)
    alike = found and found.kind == "file" and found.access == access
    if alike and disk.read(place, len(data)) == data:
        return False
    _publish(place, lambda staged: writing.write(staged, data, access))
    return True


def point(path: str, target: str, *, root: str = "/") -> bool:
    """Leave the name `target` for `disk.pointed`; False when it is there already."""
    place = resolve(path, root)
    if disk.pointed(place) == target:
        return False
    _publish(place, lambda staged: writing.point(staged, target))
    return True


def _publish(place: Place, create: Callable[[Place], None]) -> None:
    staged = _staged(place)
    writing.remove(staged)
    create(staged)
    try:
        writing.rename(staged, place.name)
    except OSError:
        writing.remove(staged)
        raise
    writing.sync(place)


def _staged(place: Place) -> Place:
    """Always the same, for only one process writes: the next write sweeps what a dead one left."""
    return place.beside(staged_name(place.name, "new"))


def sweep(path: str, *, root: str = "/") -> None:
    """Remove what a `write` that was killed has left beside its file."""
    writing.remove(_staged(resolve(path, root)))


def make_folders(path: str, mode: int, *, root: str = "/") -> None:
    """Make a folder with that mode, and what is missing above it as usual folders."""
    place = resolve(path, root, follow=True)
    if disk.look(place) is None:
        for folder in place.above():
            if writing.make_folder(folder):
                writing.sync(folder)
        writing.make_folder(place, mode)
        writing.sync(place)


def names(path: str, *, root: str = "/") -> list[str]:
    """The names in a folder; none when there is no such folder."""
    try:
        return os.listdir(resolve(path, root, follow=True).path)
    except (FileNotFoundError, NotADirectoryError):
        return []


def forget(path: str, *, root: str = "/") -> bool:
    """Remove a file, a link, or a folder with all that is in it; False when there is none."""
    place = resolve(path, root)
    found = disk.look(place)
    if found is None:
        return False
    if found.kind == "folder":
        from shutil import rmtree  # only a captured image pays for it

        rmtree(place.path)
    else:
        writing.remove(place)
    return True
