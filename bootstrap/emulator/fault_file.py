"""A script of faults in a machine file, read and checked."""

from __future__ import annotations

from bootstrap.emulator.checks import key_problems, suggestion
from bootstrap.emulator.fault import Fault
from bootstrap.emulator.kinds import FAULT_EXCLUDES, FAULT_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from bootstrap.emulator.kinds import Kind
    from bootstrap.errors import Problem
    from bootstrap.source import Path, Source


def read_faults(entries: Sequence[str | Mapping[str, Any]]) -> tuple[Fault, ...]:
    """The script that valid entries describe."""
    return tuple(_fault(entry) for entry in entries)


def script_problems(
    source: Source, path: Path, entries: Sequence[Any], kinds: Mapping[str, Kind]
) -> Iterator[Problem]:
    """Everything that is wrong with the script at `path`."""
    for position, entry in enumerate(entries):
        yield from _fault_problems(source, (*path, position), entry, kinds)


def _fault(entry: str | Mapping[str, Any]) -> Fault:
    keys: dict[str, Any] = {entry: True} if isinstance(entry, str) else dict(entry)
    if keys.get("times") == "forever":
        keys["times"] = None
    keys["headers"] = tuple((name, str(said)) for name, said in keys.get("headers", {}).items())
    return Fault(**keys)


def _fault_problems(
    source: Source, path: Path, entry: Any, kinds: Mapping[str, Kind]
) -> Iterator[Problem]:
    if isinstance(entry, str):
        words = [word for word in FAULT_WORDS if word in kinds]
        if entry not in words:
            hint = suggestion(entry, words)
            yield source.problem(path, f"unknown fault `{entry}`", hint=hint)
        return
    if not isinstance(entry, dict):
        yield source.problem(path, "a fault is a mapping or a word")
        return
    yield from key_problems(source, path, entry, kinds)
    for key in FAULT_EXCLUDES.keys() & entry.keys():
        for other in sorted(FAULT_EXCLUDES[key] & entry.keys()):
            message = f"`{other}` cannot go with `{key}`"
            yield source.problem((*path, other), message, at_key=True)
