"""The journal: what a commit is about to do, so that the next run can recover after a crash.

One file of up to three lines, each flushed before what it announces:

    intent     the names that will be used: staged files, kept files, folders   → discard them
    prepared   everything is staged and kept; from here on names change         → undo
    committed  all names have changed, checks and handlers have done their work → finish

The right column says what recovery does after a crash. A line without its newline is ignored, as
if it had never been written.
"""

from __future__ import annotations

import json
import os

from bootstrap.apply.transaction.journal_entry import decode_entry, encode_entry, is_inside
from bootstrap.fs import atomic, read, write
from bootstrap.fs.path import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Literal

    from bootstrap.apply.transaction.journal_entry import Entry
    from bootstrap.fs.path import Place

    Phase = Literal["nothing", "intent", "prepared", "committed"]

SCHEMA = 1  # a journal with another schema number is treated as damaged
MAX_BYTES = 64 << 20  # bytes: far more than any journal, far less than memory
MODE = 0o600
FOLDER_MODE = 0o700
COMMITTED = b'{"committed": true}\n'


class Damaged(ValueError):
    """The bytes are not a journal that this version wrote."""


class JournalContents:
    """The contents of a journal: how far the commit came, its changes, and the state to save.

    `inodes` are those of the files that were staged, or are overwritten, in the order of the
    `entries`; `folders` are the ones that were missing; `next_state` belongs to the caller.
    """

    __slots__ = ("entries", "folders", "inodes", "next_state", "phase")

    def __init__(
        self,
        phase: Phase = "nothing",
        entries: tuple[Entry, ...] = (),
        folders: tuple[str, ...] = (),
        next_state: Mapping[str, Any] | None = None,
        inodes: Sequence[int] = (),
    ) -> None:
        self.phase = phase
        self.entries = entries
        self.folders = folders
        self.next_state = next_state or {}
        self.inodes = tuple(inodes) or (0,) * len(entries)


class Journal:
    """The journal at `path` below `root`; every method lets OSError through."""

    def __init__(self, path: str, root: str = "/") -> None:
        self.path = path
        self.place: Place = resolve(path, root)
        self._root = root
        self._length = 0

    def begin(
        self, entries: Iterable[Entry], folders: Sequence[str], next_state: Mapping[str, Any]
    ) -> None:
        """Write the intent, and make the folder of the journal."""
        intent = {
            "schema": SCHEMA,
            "changes": [encode_entry(entry) for entry in entries],
            "folders": list(folders),
            "memo": next_state,
        }
        atomic.make_folders(os.path.dirname(self.path), FOLDER_MODE, root=self._root)
        self.place = resolve(self.path, self._root)
        line = _line(intent)
        write.write(self.place, line, read.own_access(MODE))
        self._length = len(line)
        try:
            write.sync(self.place)
        except OSError:
            self.remove()
            raise

    def prepare(self, inodes: Sequence[int]) -> None:
        """Record that from now on names may have changed."""
        line = _line({"prepared": list(inodes)})
        self._append(line)
        self._length += len(line)

    def commit(self) -> None:
        """Record that everything that could fail is done."""
        self._append(COMMITTED)

    def remove(self) -> None:
        """Remove the journal, because recovery has nothing left to do.

        The removal is not flushed: if the journal comes back after a power cut, recovery repeats.
        """
        write.remove(self.place)

    def set_aside(self, ending: str) -> None:
        """Rename the journal and flush, because it is damaged or only lists what is left over."""
        write.rename(self.place, f"{self.place.name}.{ending}")
        write.sync(self.place)

    def _append(self, line: bytes) -> None:
        try:
            write.append(self.place, line)
        except OSError:
            # The line may be on the disk in spite of the error, and recovery must not find it.
            write.shorten(self.place, self._length)
            raise

    def read(self) -> JournalContents | None:
        """Return the contents of the journal; None when there is none. Raises Damaged."""
        found = read.lstat(self.place)
        if found is None:
            return None
        if found.kind != "file":
            raise Damaged("it is not a regular file")
        if not found.access.mode:  # the process was killed before the first line was complete
            return JournalContents()
        data = read.read(self.place, MAX_BYTES)
        if data is None:
            raise Damaged("it is too long")
        first, *others = data.split(b"\n")[:-1] or [b""]
        if not first:
            return JournalContents()
        return _parse_contents(first, others)


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record).encode("ascii") + b"\n"


def _parse_contents(first: bytes, others: Sequence[bytes]) -> JournalContents:
    try:
        intent = json.loads(first)
        entries = tuple(map(decode_entry, intent["changes"]))
        schema, folders, next_state = intent["schema"], tuple(intent["folders"]), intent["memo"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged(f"it does not say what was begun: {type(error).__name__}") from error
    if schema != SCHEMA:
        raise Damaged(f"its schema is not {SCHEMA}")
    if not all(isinstance(folder, str) and is_inside(folder) for folder in folders):
        raise Damaged("it names a folder that is none")
    phase: Phase = "intent"
    if others:
        phase = "committed" if COMMITTED.strip() in others[1:] else "prepared"
    return JournalContents(phase, entries, folders, next_state, _inodes(others, entries))


def _inodes(lines: Sequence[bytes], entries: Sequence[Entry]) -> list[int]:
    """Return the inode numbers from the second line; 0, which no file has, where none is readable.

    The number of a new file counts only for the process that made it, and is 0 here: if the file
    is removed, its number is soon given to another file.
    """
    try:
        inodes = dict(zip(entries, json.loads(lines[0])["prepared"], strict=True))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        inodes = {}
    return [inodes.get(one, 0) if one.kind == "overwrite" else 0 for one in entries]
