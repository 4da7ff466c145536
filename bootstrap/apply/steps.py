"""How one change is carried out, and how it is undone: stage, publish, then finish or undo.

The three kinds of step share one life. `stage` prepares everything that can fail for want of room
or rights; `publish` makes the change visible; `finish` lets go of the old; `undo` puts the old
back, or does nothing when nothing was published; `discard` removes what was staged. All let
OSError through.
"""

from __future__ import annotations

from contextlib import suppress

from bootstrap.apply import disk
from bootstrap.apply.ground import backup_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.apply.change import Change, Snapshot
    from bootstrap.apply.place import Place

PLACEHOLDER = "{path}"


class Step:
    """One change on its way to the disk; `token` makes the names of this commit its own."""

    def __init__(self, change: Change, token: str) -> None:
        self.change = change
        self.place = change.place
        self.staged: Place | None = None
        self.kept = self.place.beside(disk.kept_name(self.place.name, token))
        self._staged_name = disk.staged_name(self.place.name, token)
        self._folders: list[Place] = []
        self._has_kept = False
        self._published = False

    def stage(self) -> None:
        """Write the new file beside its target, making the folders that lead there."""

    def publish(self) -> None:
        """Make the change visible."""
        raise NotImplementedError

    def undo(self) -> None:
        """Put the old file back, or remove the new one where there was none."""
        if self._published and self._has_kept:
            disk.rename(self.kept, self.place.name)
        elif self._published:
            disk.remove(self.place)
        elif self._has_kept:
            disk.remove(self.kept)
        self._published = self._has_kept = False

    def discard(self) -> None:
        """Remove the staged file, and the folders that were made for it."""
        if self.staged:
            disk.remove(self.staged)
            self.staged = None
        while self._folders:
            disk.remove_folder(self._folders.pop())

    def finish(self) -> None:
        """Let go of the old file: it becomes the backup, or nothing.

        The commit is done, and nothing may fail it any more: what cannot be removed stays.
        """
        if self._has_kept:
            with suppress(OSError):
                if self.change.backup:
                    disk.rename(self.kept, backup_of(self.place).name)
                else:
                    disk.remove(self.kept)

    def _write_staged(self, after: Snapshot) -> None:
        for folder in self.place.above():
            if disk.make_folder(folder):
                self._folders.append(folder)
        staged = self.place.beside(self._staged_name)
        disk.write(staged, after.content or b"", after.access, label_of=self.place)
        self.staged = staged


class Replace(Step):
    """A new file takes the name of the old one, in one step that no reader sees half of."""

    def stage(self) -> None:
        """Write the new file, flushed and with its final access."""
        if self.change.after:
            self._write_staged(self.change.after)

    def publish(self) -> None:
        """Give the old file a second name, then the new one its place."""
        if self.staged is None:
            return
        if self.change.before:
            disk.keep(self.place, self.kept.name)
            self._has_kept = True
        disk.rename(self.staged, self.place.name)
        self._published = True
        self.staged = None


class Overwrite(Step):
    """The content goes into the file that is there, for a mount point cannot be replaced.

    It is staged only for a check to read: the folder around a mount point may be read-only.
    """

    def stage(self) -> None:
        """Write a copy, if a check wants to read one."""
        if self.change.after and any(PLACEHOLDER in word for word in self.change.check):
            self._write_staged(self.change.after)

    def publish(self) -> None:
        """Write the new content over the old."""
        if self.change.backup and self.change.before:
            self._back_up(self.change.before)
        self._published = True  # from the first byte on
        self._pour(self.change.after)

    def undo(self) -> None:
        """Write the old content over the new, whole or half."""
        if self._published:
            self._pour(self.change.before)
        self._published = False

    def finish(self) -> None:
        """Remove the copy that the check has read."""
        with suppress(OSError):
            self.discard()

    def _pour(self, snapshot: Snapshot | None) -> None:
        if snapshot and snapshot.content is not None:
            disk.overwrite(self.place, snapshot.content, snapshot.access)

    def _back_up(self, before: Snapshot) -> None:
        disk.write(self.kept, before.content or b"", before.access, label_of=self.place)
        try:
            disk.rename(self.kept, backup_of(self.place).name)
        except OSError:
            disk.remove(self.kept)
            raise


class Remove(Step):
    """The file loses its name; until the commit is final it has another."""

    def publish(self) -> None:
        """Give the file a name that nobody looks for."""
        disk.rename(self.place, self.kept.name)
        self._has_kept = self._published = True


def step_for(change: Change, token: str) -> Step:
    """The kind of step that a change takes."""
    if change.action == "remove":
        return Remove(change, token)
    return Overwrite(change, token) if change.in_place else Replace(change, token)
