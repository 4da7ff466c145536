"""Where a machine comes from: a file that may be edited while it is served, or a mapping."""

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
    """The origin for what a caller has: a path, a mapping of a machine file's keys, or nothing.

    Raises InvalidDocument for a machine that is not valid, MissingInput for a file that cannot
    be read.
    """
    if isinstance(machine, (str, os.PathLike)):
        return FileOrigin(os.fspath(machine), log)
    return MappingOrigin(machine or {})


class MappingOrigin:
    """A machine that lives in this process."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = dict(keys)
        self._machine = _from_mapping(self._keys)

    def current(self) -> Machine:
        """The machine as it is now."""
        return self._machine

    def change(self, keys: Mapping[str, Any]) -> None:
        """Replace some keys; a change that is not valid changes nothing."""
        changed = {**self._keys, **keys}
        self._machine = _from_mapping(changed)
        self._keys = changed


class FileOrigin:
    """A machine file, read again when it, or the userData file that it names, has changed."""

    def __init__(self, path: str, log: Callable[[str], None]) -> None:
        self._path = path
        self._log = log
        self._lock = threading.Lock()
        self._stamp = _stamp([path])
        self._machine = self._read()

    def current(self) -> Machine:
        """The machine as the file describes it now, or did when it was last valid."""
        with self._lock:
            watched = [self._path, *filter(None, [self._machine.user_data_file])]
            stamp = _stamp(watched)  # before reading: what changes meanwhile is seen next time
            if stamp != self._stamp and not _half_written(self._stamp, stamp):
                self._stamp = stamp
                self._reread()
            return self._machine

    def change(self, keys: Mapping[str, Any]) -> None:
        """Refused: the file is the machine."""
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
    """What tells that a file has changed: replaced, rewritten, or gone."""
    return tuple(_mark(path) for path in paths)


def _mark(path: str) -> tuple[int, int, int]:
    try:
        about = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (about.st_ino, about.st_mtime_ns, about.st_size)


def _half_written(before: Stamp, now: Stamp) -> bool:
    """An editor empties or removes a file before it writes it: that is no change yet."""
    return any(new[2] == 0 != old[2] for old, new in zip(before, now, strict=False))
