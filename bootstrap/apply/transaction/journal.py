"""The journal: what a commit is about to do, so that whoever comes after a crash can settle it.

One file of up to three lines, each flushed before what it announces:

    intent     the names that will be used: staged files, kept files, folders   → discard them
    prepared   everything is staged and kept; from here on names change         → undo
    committed  all names have changed, checks and handlers have done their work → finish

What follows a crash stands at the right. A line without its end was never written.
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

SCHEMA = 1  # a journal of another schema is not guessed at
MAX_BYTES = 64 << 20  # bytes: far more than any journal, far less than memory
MODE = 0o600
FOLDER_MODE = 0o700
COMMITTED = b'{"committed": true}\n'


class Damaged(ValueError):
    """The bytes are not a journal that this version wrote."""


class JournalContents:
    """What a journal tells: how far the commit came, what it does, and what to remember of it.

    `inodes` are those of the files that were staged, or are written over, in the order of the
    `entries`; `folders` those that were missing; `next_state` the caller's own.
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
    """The journal at `path` below `root`; everything lets OSError through."""

    def __init__(self, path: str, root: str = "/") -> None:
        self.path = path
        self.place: Place = resolve(path, root)
        self._root = root
        self._length = 0

    def begin(
        self, entries: Iterable[Entry], folders: Sequence[str], next_state: Mapping[str, Any]
    ) -> None:
        """Write the intent, and make the folder for it."""
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
        """Say that from now on names may have changed."""
        line = _line({"prepared": list(inodes)})
        self._append(line)
        self._length += len(line)

    def commit(self) -> None:
        """Say that all is done that could fail."""
        self._append(COMMITTED)

    def remove(self) -> None:
        """Say that all is settled.

        The removal is not flushed: a journal that comes back after a power cut is settled again.
        """
        write.remove(self.place)

    def set_aside(self, ending: str) -> None:
        """Give the journal another name, flushed: it is damaged, or only says what is left over."""
        write.rename(self.place, f"{self.place.name}.{ending}")
        write.sync(self.place)

    def _append(self, line: bytes) -> None:
        try:
            write.append(self.place, line)
        except OSError:
            # It may be on the disk all the same; nobody shall find it there.
            write.shorten(self.place, self._length)
            raise

    def read(self) -> JournalContents | None:
        """What the journal tells; None when there is none. Raises Damaged."""
        found = read.lstat(self.place)
        if found is None:
            return None
        if found.kind != "file":
            raise Damaged("it is not a regular file")
        if not found.access.mode:  # it was killed before its first line was complete
            return JournalContents()
        data = read.read(self.place, MAX_BYTES)
        if data is None:
            raise Damaged("it is too long")
        first, *others = data.split(b"\n")[:-1] or [b""]
        if not first:
            return JournalContents()
        return _story(first, others)


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record).encode("ascii") + b"\n"


def _story(first: bytes, others: Sequence[bytes]) -> JournalContents:
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
    """The numbers in the second line; what cannot be read is no number of any file.

    That of a new file counts only for the process that made it: when somebody removes the file,
    the number is soon given to another.
    """
    try:
        inodes = dict(zip(entries, json.loads(lines[0])["prepared"], strict=True))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        inodes = {}
    return [inodes.get(one, 0) if one.kind == "overwrite" else 0 for one in entries]
