"""One change forward: stage, save the original, rename into place. `rollback` undoes it.

`stage` and `save_original` do everything that can fail because the disk is full or permission is
denied; `rename_into_place` makes the change visible. All three let OSError through. They raise
WriteError when the file is no longer the one that was planned for, so a file that another process
has changed meanwhile is not replaced without notice. Between the last lstat and the rename that
replaces an existing file, a change by another process can still be lost; a new file never
replaces another one.
"""

from __future__ import annotations

from functools import partial

from bootstrap.fs import read, write, xattr
from bootstrap.fs.errors import refusal
from bootstrap.fs.path import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootstrap.apply.plan.change import Change
    from bootstrap.apply.transaction.journal_entry import Entry
    from bootstrap.fs.read import FileInfo


class Step:
    """One change on its way to the disk, with the names of its entry in the journal."""

    __slots__ = ("_staged_info", "_staged_xattrs", "_stamp", "change", "entry", "place", "staged")

    def __init__(self, change: Change, entry: Entry) -> None:
        self.change = change
        self.entry = entry
        self.place = change.place
        self.staged = Place(self.place.root, entry.staged) if entry.staged else None
        self._staged_info: FileInfo | None = (
            None  # a file system may not support every mode that is asked for
        )
        self._stamp: tuple[int, ...] | None = None
        self._staged_xattrs: Mapping[str, bytes] = {}

    def stage(self) -> None:
        """Write the new file beside its target, flushed and with its final access."""
        after = self.change.after
        if self.staged and after:
            # Below a folder that only root can write to, a new file keeps the rights that the
            # folder gives to new files.
            is_new = self.change.before is None and not self.change.untrusted
            set_xattrs = partial(xattr.set_all, attributes=after.attributes, is_new=is_new)
            write.write(self.staged, after.content or b"", after.access, set_xattrs=set_xattrs)
            self._staged_info = read.lstat(self.staged)
            self._staged_xattrs = xattr.get_all(self.staged)

    def is_as_staged(self) -> bool:
        """Return whether the staged file still is what was written; False if it cannot be read."""
        after, born = self.change.after, self._staged_info
        if not (self.staged and after and born):
            return False
        try:
            found = read.lstat(self.staged)
            content = read.read(self.staged, len(after.content or b""))
        except OSError:
            return False
        same = found is not None and found.access == born.access and content == after.content
        return same and xattr.get_all(self.staged) == self._staged_xattrs

    def save_original(self) -> int:
        """Give the old file a second name, or copy its content to a second file.

        Return the inode number of the file that will have the target's name; 0 if there is none.
        """
        planned = self.change.before.stamp if self.change.before else None
        self._refuse_unless(same=_stamp(self.place) == planned)
        if self.entry.kind == "replace":
            write.save_original(self.place, self._kept.name)
        elif self.entry.kind == "overwrite":
            self._keep_content()
        self._stamp = _stamp(self.place)
        # If the file was read from a lower layer of an overlay, a link changes its inode number.
        self._refuse_unless(same=(self._stamp or ())[1:] == (planned or ())[1:])
        new = self.staged if self.staged and self.entry.kind != "overwrite" else self.place
        found = read.lstat(new)
        return found.inode if found else 0

    def _keep_content(self) -> None:
        before = self.change.before
        if before and before.content is not None:
            access = before.access if self.entry.backup else read.own_access(0o600)
            write.write(self._kept, before.content, access)

    def rename_into_place(self) -> None:
        """Make the change visible, in one atomic step unless the file is overwritten in place."""
        after = self.change.after
        self._refuse_unless(same=_stamp(self.place) == self._stamp)
        if self.entry.kind == "remove":
            write.rename(self.place, self._kept.name)
        elif self.entry.kind == "overwrite" and after:
            write.overwrite(self.place, after.content or b"", after.access)
        elif self.entry.kind == "replace" and self.staged:
            write.rename(self.staged, self.place.name)
        elif self.staged:
            _claim(self.staged, self.place.name)

    def _refuse_unless(self, *, same: bool) -> None:
        if same:
            return
        if self.entry.kind == "overwrite":
            write.remove(self._kept)
        what = "it has changed" if self.change.before else "something was put there"
        raise refusal(
            f"{what} since the plan was made",
            path=self.change.path,
            origin=self.change.origin,
            hint="it is left as it is; run again, and the plan is made anew",
        )

    @property
    def _kept(self) -> Place:
        return Place(self.place.root, self.entry.kept)


def _stamp(place: Place) -> tuple[int, ...] | None:
    found = read.lstat(place)
    return found.stamp if found else None


def _claim(place: Place, name: str) -> None:
    """Give the file another name in its folder, a name that does not exist yet."""
    try:
        write.link(place, name)
    except OSError as error:
        if not write.cannot_link(error) or read.lstat(place.sibling(name)):
            raise
        write.rename(place, name)
    else:
        write.remove(place)
