"""What stands at a place: as the disk has it, or as it will be once an interrupted run is undone.

A plan that is shown while a journal waits has to be the plan that the next run will make, and that
run undoes first.
"""

from __future__ import annotations

import os

from bootstrap.apply.transaction import rollback
from bootstrap.fs import read, xattr
from bootstrap.fs.path import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.transaction.journal import JournalContents
    from bootstrap.apply.transaction.journal_entry import Entry
    from bootstrap.fs.read import FileInfo


class PendingView:
    """The files below `root`; with a `story` that will be undone, as they will be after that."""

    def __init__(self, root: str, story: JournalContents | None = None) -> None:
        self._root = root
        self._redirected: dict[str, Place | None] = {}
        self._rewritten: dict[str, Entry] = {}
        self._removed_folders: set[str] = set()
        if story and story.phase != "committed":
            self._undo(story)

    def lstat(self, place: Place) -> FileInfo | None:
        """What stands at the place, links not followed; None when nothing does."""
        there = self.of(place)
        found = read.lstat(there) if there else None
        poured = self._rewritten.get(place.relative)
        if found and poured:
            found.access = read.access_of(poured)
        return found

    def of(self, place: Place) -> Place | None:
        """Where the file of this place is to be read; None when nothing stands there."""
        if place.relative in self._removed_folders:
            return None
        return self._redirected.get(place.relative, place)

    def read(self, place: Place, limit: int) -> bytes | None:
        """The content of a file that stands there; None when it is longer than `limit` bytes."""
        return read.read(self.of(place) or place, limit)

    def digest(self, place: Place) -> str:
        """The SHA-256 of the content of a file that stands there."""
        return read.digest(self.of(place) or place)

    def attributes(self, place: Place) -> dict[str, bytes]:
        """The attributes that count of what stands there."""
        return xattr.get_all(self.of(place) or place)

    def read_link(self, place: Place) -> str:
        """Where a symbolic link that stands there points."""
        return read.read_link(self.of(place) or place)

    def _undo(self, story: JournalContents) -> None:
        if story.phase == "prepared":
            for entry, inode in zip(story.entries, story.inodes, strict=True):
                self._undo_one(entry, inode)
        for folder in story.folders[::-1]:
            if not self._names_left(Place(self._root, folder), story):
                self._removed_folders.add(folder)

    def _undo_one(self, entry: Entry, inode: int) -> None:
        if entry.kind == "create":
            if rollback.was_created(entry, inode, self._root):
                self._redirected[entry.path] = None
        elif entry.kind == "overwrite":
            if rollback.needs_rewrite(entry, inode, self._root):
                self._redirected[entry.path] = Place(self._root, entry.kept)
                self._rewritten[entry.path] = entry
        elif rollback.needs_restore(entry, self._root):
            self._redirected[entry.path] = Place(self._root, entry.kept)

    def _names_left(self, folder: Place, story: JournalContents) -> set[str]:
        """What will still be in a folder, which is removed if that is nothing."""
        try:
            names = {f"{folder.relative}/{name}" for name in os.listdir(folder.path)}
        except OSError:
            return set()
        hidden = {name for entry in story.entries for name in (entry.staged, entry.kept)}
        gone = {path for path, instead in self._redirected.items() if instead is None}
        return names - hidden - gone - self._removed_folders
