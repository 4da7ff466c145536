"""A value as a TOML 1.0 document: <https://toml.io/en/v1.0.0>."""

from __future__ import annotations

import re

from bootstrap.render.errors import FilterError, kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029]')
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_INTEGERS = range(-(2**63), 2**63)  # "64-bit signed integers … should be accepted"


def write(value: Any) -> str:
    """Return the mapping as a document: its own keys, then its tables, each in their order."""
    if not isinstance(value, dict):
        raise FilterError(f"a TOML document is a mapping, and this is {kind(value)}")
    return "".join(_table((), value)).lstrip("\n")


def _table(path: tuple[str, ...], table: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a table's own keys, then those of the tables inside it."""
    for key, value in table.items():
        if not _is_table(value) and not _is_tables(value):
            yield f"{_key(key)} = {_inline((*path, key), value)}\n"
    for key, value in table.items():
        inner = (*path, key)
        if _is_tables(value):
            for item in value:
                yield f"\n[[{_name(inner)}]]\n"
                yield from _table(inner, item)
        elif _is_table(value):
            if not value or not all(_is_table(item) or _is_tables(item) for item in value.values()):
                yield f"\n[{_name(inner)}]\n"
            yield from _table(inner, value)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_table(item) for item in value)


def _inline(path: tuple[str, ...], value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _integer(path, value)
    if isinstance(value, float):
        return repr(value)  # `1e+16`, `inf` and `nan` are valid TOML
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list):
        return f"[{', '.join(_inline(path, item) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_key(key)} = {_inline((*path, key), item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise FilterError(f"TOML has no null, and `{'.'.join(path)}` is null")


def _integer(path: tuple[str, ...], value: int) -> str:
    if value not in _INTEGERS:
        raise FilterError(f"TOML's numbers have 64 bits, and `{'.'.join(path)}` has more")
    return str(value)


def _string(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


def _name(path: tuple[str, ...]) -> str:
    return ".".join(map(_key, path))


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)
