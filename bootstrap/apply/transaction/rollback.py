"""What was begun, brought to an end: by the commit itself when it fails, or after a crash.

Everything is decided from the journal's entries and from what is on the disk, never from what a
process remembers, and every function may be killed anywhere and be begun again. An old file is
put back only while it is kept, and it stops being kept the moment it is back.
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
    """Put every old file back, the last first; raises one error for all that could not be.

    Flushed. Nothing is removed yet that a second attempt would need.
    """
    if contents.phase in {"prepared", "committed"}:
        inodes = dict(zip(contents.entries, contents.inodes, strict=True))
        _each(contents.entries[::-1], lambda entry: _revert(entry, inodes[entry], root))
        _sync(root, [entry.path for entry in contents.entries if entry.kind != "overwrite"])


def remove_staged(contents: JournalContents, root: str) -> None:
    """Remove what was staged and kept, and the folders that were made if they are empty.

    Kept files go first: a staged one that is gone, with its old one kept, has been published.
    """
    _each(contents.entries[::-1], lambda entry: _discard(entry, root))
    for folder in contents.folders[::-1]:
        write.remove_folder(Place(root, folder))
    names = [name for entry in contents.entries for name in (entry.kept, entry.staged) if name]
    _sync(root, [*names, *contents.folders])


def remove_originals(contents: JournalContents, root: str) -> None:
    """Let go of the old files: each becomes the backup, or nothing."""
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
    What cannot be removed, for its file system has become read-only, is litter and no failure: the
    journal goes on as a list of it, for later runs to sweep. Gives that in words, else nothing.
    """
    try:
        conclude(contents, root)
        journal.remove()
    except (BootstrapError, OSError) as error:
        with suppress(OSError):  # the next run comes through here again
            journal.set_aside(LITTER + token())
        return f"what it left over cannot be removed yet: {error}"
    return ""


def _each(entries: Iterable[Entry], act: Callable[[Entry], None]) -> None:
    """Do everything that can be done, then say what could not."""
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
    """Flush the folders that hold these names, each once, those that still are there."""
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
    """Whether a new file was published, and is no other that somebody has put there since.

    `inode` is that of the new file if this process made it, else 0: then the content tells.
    """
    place = Place(root, entry.path)
    found = read.lstat(place)
    if found is None or found.kind != "file":
        return False
    if staged := read.lstat(Place(root, entry.staged)):  # for a moment it has both names
        return found.inode == staged.inode
    return found.inode == inode or read.digest(place) == entry.sha256


def needs_restore(entry: Entry, root: str) -> bool:
    """Whether an old file has lost its name, and nothing else has got it that is no file of ours.

    For a removed file that is anything; for a replaced one it is a folder.
    """
    if entry.staged and read.lstat(Place(root, entry.staged)):
        return False
    found = read.lstat(Place(root, entry.path))
    in_the_way = found and (entry.kind == "remove" or found.kind == "folder")
    return not in_the_way and read.lstat(Place(root, entry.kept)) is not None


def needs_rewrite(entry: Entry, inode: int, root: str) -> bool:
    """Whether a file was, or could have been, written over, and still is that file.

    What was mounted there then need not be mounted now.
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
