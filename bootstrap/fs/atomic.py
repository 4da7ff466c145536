"""The agent's own files by path: written atomically and durably, or not at all.

State and status go this way, under the lock of the run. Every function resolves its path below
`root` and lets OSError through.
"""

from __future__ import annotations

import os

from bootstrap.fs import read, write
from bootstrap.fs.path import resolve
from bootstrap.fs.temp_names import staged_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.fs.path import Place


def write_file(path: str, data: bytes, *, mode: int, root: str = "/") -> bool:
    """Write a whole file; False, and nothing is touched, when it is just so already."""
    place = resolve(path, root)
    access = read.own_access(mode)
    found = read.lstat(place)
    alike = found and found.kind == "file" and found.access == access
    if alike and read.read(place, len(data)) == data:
        return False
    _publish(place, lambda staged: write.write(staged, data, access))
    return True


def write_pointer(path: str, target: str, *, root: str = "/") -> bool:
    """Leave the name `target` for `disk.read_pointer`; False when it is there already."""
    place = resolve(path, root)
    if read.read_pointer(place) == target:
        return False
    _publish(place, lambda staged: write.write_pointer(staged, target))
    return True


def _publish(place: Place, create: Callable[[Place], None]) -> None:
    staged = _staged(place)
    write.remove(staged)
    create(staged)
    try:
        write.rename(staged, place.name)
    except OSError:
        write.remove(staged)
        raise
    write.sync(place)


def _staged(place: Place) -> Place:
    """Always the same, for only one process writes: the next write sweeps what a dead one left."""
    return place.sibling(staged_name(place.name, "new"))


def sweep(path: str, *, root: str = "/") -> None:
    """Remove what a `write_file` that was killed has left beside its file."""
    write.remove(_staged(resolve(path, root)))


def make_folders(path: str, mode: int, *, root: str = "/") -> None:
    """Make a folder with that mode, and what is missing above it as usual folders."""
    place = resolve(path, root, follow=True)
    if read.lstat(place) is None:
        for folder in place.parents():
            if write.make_folder(folder):
                write.sync(folder)
        write.make_folder(place, mode)
        write.sync(place)


def names(path: str, *, root: str = "/") -> list[str]:
    """The names in a folder; none when there is no such folder."""
    try:
        return os.listdir(resolve(path, root, follow=True).path)
    except (FileNotFoundError, NotADirectoryError):
        return []


def remove_tree(path: str, *, root: str = "/") -> bool:
    """Remove a file, a link, or a folder with all that is in it; False when there is none."""
    place = resolve(path, root)
    found = read.lstat(place)
    if found is None:
        return False
    if found.kind == "folder":
        from shutil import rmtree  # only a captured image pays for it

        rmtree(place.path)
    else:
        write.remove(place)
    return True
