"""Undo or finish what was begun, when a commit fails or after a crash.

Every decision depends only on the journal's entries and on the disk, never on the memory of a
process. Every function may be killed at any moment and be started again. An old file is put back
only while its saved original exists, and putting it back removes the saved original.
"""

from __future__ import annotations

from contextlib import suppress

from bootstrap.errors import BootstrapError
from bootstrap.fs import read, write
from bootstrap.fs.errors import from_os_error, together
from bootstrap.fs.path import Place
from bootstrap.fs.temp_names import BACKUP, LITTER, token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bootstrap.apply.transaction.journal import Journal, JournalContents
    from bootstrap.apply.transaction.journal_entry import Entry


def revert(contents: JournalContents, root: str) -> None:
    """Put every old file back, the last first, and flush.

    Raises one error for all files that could not be put back. Nothing that a second attempt would
    need is removed yet.
    """
    if contents.phase in {"prepared", "committed"}:
        inodes = dict(zip(contents.entries, contents.inodes, strict=True))
        _each(contents.entries[::-1], lambda entry: _revert(entry, inodes[entry], root))
        _sync(root, [entry.path for entry in contents.entries if entry.kind != "overwrite"])


def remove_staged(contents: JournalContents, root: str) -> None:
    """Remove the staged and saved files, and the folders that were made if they are empty.

    Saved files go first, because a missing staged file with a saved original means that the new
    file has been published.
    """
    _each(contents.entries[::-1], lambda entry: _discard(entry, root))
    for folder in contents.folders[::-1]:
        write.remove_folder(Place(root, folder))
    names = [name for entry in contents.entries for name in (entry.kept, entry.staged) if name]
    _sync(root, [*names, *contents.folders])


def remove_originals(contents: JournalContents, root: str) -> None:
    """Remove the old files, or rename them to backups where a backup is asked for."""
    _each(contents.entries, lambda entry: _finish(entry, root))
    _sync(root, [entry.kept for entry in contents.entries if entry.kept])


def cleanup(
    journal: Journal,
    contents: JournalContents,
    root: str,
    conclude: Callable[[JournalContents, str], None],
) -> str:
    """Remove what is not needed any more, and the journal.

    `conclude` is `remove_originals` or `remove_staged`.
    What cannot be removed, for example because its file system has become read-only, is litter and
    not a failure: the journal is renamed and stays as a list of it, for later runs to remove.
    Return a description of what remains, or an empty text.
    """
    try:
        conclude(contents, root)
        journal.remove()
    except (BootstrapError, OSError) as error:
        with suppress(OSError):  # the next run tries again
            journal.set_aside(LITTER + token())
        return f"what it left over cannot be removed yet: {error}"
    return ""


def _each(entries: Iterable[Entry], act: Callable[[Entry], None]) -> None:
    """Call `act` on every entry, also after a failure, then raise one error for all failures."""
    errors = [error for entry in entries if (error := _attempt(entry, act))]
    if errors:
        raise together(errors)


def _attempt(entry: Entry, act: Callable[[Entry], None]) -> BootstrapError | None:
    try:
        act(entry)
    except OSError as error:
        return _stranded(entry, error)
    return None


def _stranded(entry: Entry, error: OSError) -> BootstrapError:
    failed = from_os_error(error, "settling", path=f"/{entry.path}")
    for problem in failed.problems:
        problem.hint = f"if /{entry.kept} exists, it is the old file" if entry.kept else ""
    return failed


def _sync(root: str, names: Iterable[str]) -> None:
    """Flush the folders that hold these names, each once, if they still exist."""
    folders = {place.folders: place for place in (Place(root, name) for name in names)}
    for names_to_it, place in folders.items():
        folder = "/".join(names_to_it)
        try:
            if not folder or read.lstat(Place(root, folder)):
                write.sync(place)
        except OSError as error:
            raise from_os_error(error, "flushing the folder", path=f"/{folder}") from error


def _revert(entry: Entry, inode: int, root: str) -> None:
    place, kept = Place(root, entry.path), Place(root, entry.kept)
    if entry.kind == "create":
        if was_created(entry, inode, root):
            write.remove(place)
    elif entry.kind == "overwrite":
        if needs_rewrite(entry, inode, root):
            _rewrite_original(entry, place, kept)
    elif needs_restore(entry, root):
        write.rename(kept, place.name)


def was_created(entry: Entry, inode: int, root: str) -> bool:
    """Return whether a new file was published and still is the file at its path.

    False when another process has put a different file there since. `inode` is that of the new
    file if this process made it, else 0: in that case the content decides.
    """
    place = Place(root, entry.path)
    found = read.lstat(place)
    if found is None or found.kind != "file":
        return False
    if staged := read.lstat(Place(root, entry.staged)):  # for a moment the file has both names
        return found.inode == staged.inode
    return found.inode == inode or read.digest(place) == entry.sha256


def needs_restore(entry: Entry, root: str) -> bool:
    """Return whether an old file is saved, has lost its name, and nothing blocks its return.

    A removed file is blocked by anything new at its path, a replaced one only by a folder.
    """
    if entry.staged and read.lstat(Place(root, entry.staged)):
        return False
    found = read.lstat(Place(root, entry.path))
    in_the_way = found and (entry.kind == "remove" or found.kind == "folder")
    return not in_the_way and read.lstat(Place(root, entry.kept)) is not None


def needs_rewrite(entry: Entry, inode: int, root: str) -> bool:
    """Return whether a file was, or could have been, overwritten, and still is that file.

    What was a mount point then may not be mounted now.
    """
    place = Place(root, entry.path)
    found = read.lstat(place)
    if found is None or found.kind != "file" or read.lstat(Place(root, entry.kept)) is None:
        return False
    same = not entry.mounted or found.inode == inode
    return same or read.digest(place) == entry.sha256


def _rewrite_original(entry: Entry, place: Place, kept: Place) -> None:
    content = b"".join(read.chunks(kept))
    access = read.access_of(entry)
    found = read.lstat(place)
    if found is None or found.access != access or read.read(place, len(content)) != content:
        write.overwrite(place, content, access)


def _discard(entry: Entry, root: str) -> None:
    for place in (Place(root, name) for name in (entry.kept, entry.staged) if name):
        write.remove(place)


def _finish(entry: Entry, root: str) -> None:
    kept = Place(root, entry.kept)
    if entry.backup and read.lstat(kept):
        write.rename(kept, Place(root, entry.path).name + BACKUP)
    _discard(entry, root)
