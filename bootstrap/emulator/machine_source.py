"""The source of a machine: a file that may be edited while it is served, or a mapping."""

from __future__ import annotations

import os
import threading

from bootstrap.document import dump
from bootstrap.emulator.machine_file import read_machine
from bootstrap.errors import BootstrapError, MissingInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from bootstrap.emulator.machine import Machine

    Stamp = tuple[tuple[int, int, int], ...]


def machine_origin(
    machine: str | os.PathLike[str] | Mapping[str, Any] | None, log: Callable[[str], None]
) -> FileOrigin | MappingOrigin:
    """Return the source for a path, a mapping of a machine file's keys, or None for a plain VM.

    Raises InvalidDocument for a machine that is not valid, MissingInput for a file that cannot
    be read.
    """
    if isinstance(machine, (str, os.PathLike)):
        return FileOrigin(os.fspath(machine), log)
    return MappingOrigin(machine or {})


class MappingOrigin:
    """A machine that is given as a mapping in this process."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = dict(keys)
        self._machine = _from_mapping(self._keys)

    def current(self) -> Machine:
        """Return the current machine."""
        return self._machine

    def change(self, keys: Mapping[str, Any]) -> None:
        """Replace some keys.

        Raises InvalidDocument, without any change, if the machine would not be valid.
        """
        changed = {**self._keys, **keys}
        self._machine = _from_mapping(changed)
        self._keys = changed


class FileOrigin:
    """A machine file that is read again after a change of it, or of its userData file."""

    def __init__(self, path: str, log: Callable[[str], None]) -> None:
        self._path = path
        self._log = log
        self._lock = threading.Lock()
        self._stamp = _stamp([path])
        self._machine = self._read()

    def current(self) -> Machine:
        """Return the machine that the file describes now, or described when it was last valid."""
        with self._lock:
            watched = [self._path, *filter(None, [self._machine.user_data_file])]
            # Taken before reading, so that the next call sees a change that is made meanwhile.
            stamp = _stamp(watched)
            if stamp != self._stamp and not _half_written(self._stamp, stamp):
                self._stamp = stamp
                self._reread()
            return self._machine

    def change(self, keys: Mapping[str, Any]) -> None:
        """Raise ValueError: a machine file is changed by editing it."""
        raise ValueError(f"{self._path} is changed by editing it, not by {sorted(keys)}")

    def _read(self) -> Machine:
        try:
            with open(self._path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            message = f"reading the machine file {self._path}: {reason}"
            hint = "name a YAML file; `emulate` without one serves a plain machine"
            raise MissingInput(message, hint=hint) from error
        return read_machine(text, self._path, os.path.dirname(self._path))

    def _reread(self) -> None:
        try:
            machine = self._read()
        except BootstrapError as error:
            self._log(f"machine.invalid {error.message}; the last valid one stays")
            for problem in error.problems:
                self._log(f"machine.invalid {problem.where} {problem.path}: {problem.message}")
            return
        if machine != self._machine:
            self._log(f"machine.changed {self._path}")
        self._machine = machine


def _from_mapping(keys: Mapping[str, Any]) -> Machine:
    return read_machine(dump(dict(keys)) if keys else "", "machine")


def _stamp(paths: list[str]) -> Stamp:
    """Return a value that differs once one of the files is replaced, rewritten, or removed."""
    return tuple(_file_stamp(path) for path in paths)


def _file_stamp(path: str) -> tuple[int, int, int]:
    try:
        about = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (about.st_ino, about.st_mtime_ns, about.st_size)


def _half_written(before: Stamp, now: Stamp) -> bool:
    """Return whether an editor has emptied or removed a file, and not written it yet."""
    return any(new[2] == 0 != old[2] for old, new in zip(before, now, strict=False))
