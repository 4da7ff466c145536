"""The mistakes of a mapping in a machine file, each at its place."""

from __future__ import annotations

from bootstrap.errors import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Any

    from bootstrap.emulator.kinds import Kind
    from bootstrap.errors import Problem
    from bootstrap.source import Path, Source


def key_problems(
    source: Source,
    path: Path,
    data: Mapping[str, Any],
    kinds: Mapping[str, Kind],
    *,
    hidden: bool = False,
) -> Iterator[Problem]:
    """Keys that are not in the table, and values that are not of their kind.

    `hidden`: the lines of the file hold secrets, and are not shown.
    """
    for key, value in data.items():
        where = (*path, key)
        if key not in kinds:
            message, hint = f"unknown key `{key}`", suggestion(key, kinds)
            yield source.problem(where, message, hint=hint, at_key=True, hidden=hidden)
        elif not kinds[key].accepts(value):
            yield source.problem(where, f"`{key}` is not {kinds[key].words}", hidden=hidden)


def same_names(source: Source, path: Path, names: Iterable[str], words: str) -> Iterator[Problem]:
    """Names that differ in case alone, where the service does not tell such names apart."""
    folded: set[str] = set()
    for name in names:
        if name.casefold() in folded:
            message = f"{words} names ignore case: this one is there"
            yield source.problem((*path, name), message, at_key=True, hidden=True)
        folded.add(name.casefold())


def missing_key(source: Source, path: Path, data: Mapping[str, Any], key: str) -> Iterator[Problem]:
    """The problem of a mapping that lacks a key, if it does."""
    if key not in data:
        yield source.problem(path, f"`{key}` is missing", hidden=True)


def not_a_mapping(source: Source, path: Path, words: str) -> Problem:
    """The problem of an entry that should have been a mapping; its text may be a secret."""
    return source.problem(path, f"{words} is a mapping", hidden=True)


def suggestion(name: str, known: Collection[str]) -> str:
    """The hint for an unknown name."""
    close = nearest(name, known)
    return f"did you mean `{close}`?" if close else f"known: {', '.join(known)}"
