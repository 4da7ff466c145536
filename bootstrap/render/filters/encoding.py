"""Filters that convert a value to the text of a format, and back."""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from collections.abc import Mapping

from bootstrap.errors import InvalidDocument
from bootstrap.render.errors import FilterError, kind
from bootstrap.render.filters.text import string
from bootstrap.render.limits import ITEMS, require_text, require_width
from bootstrap.render.masking import MaskedText
from bootstrap.render.undefined import MissingValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

SCALARS = (str, int, float, type(None))
_LATE_CONTROLS = re.compile("[\x7f-\x9f\u2028\u2029]")
DEPTH = 100  # nested mappings and lists; only a template that nests its own makes deeper ones


def to_json(value: Any, indent: int | None = None, *, sort_keys: bool = False) -> str:
    """Return the value as JSON: one line, or `indent` columns a level; keys keep their order."""
    require_width(indent or 0)
    data = plain(value)
    try:
        text = json.dumps(
            data, indent=indent, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False
        )
    except ValueError:
        raise FilterError("JSON has no word for infinity or not-a-number") from None
    # A TOML text may not hold DEL. Not every program that reads lines treats C1 controls and
    # separators as text.
    return _LATE_CONTROLS.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def to_yaml(value: Any) -> str:
    """Return the value as YAML in block style, with a newline at the end."""
    from bootstrap.document import dump

    return dump(plain(value))


def to_toml(value: Any) -> str:
    """Return a mapping as a TOML document, with a newline at the end of each line."""
    from bootstrap.render.filters.toml import write

    return write(plain(value))


def to_ini(value: Any, separator: str = " = ") -> str:
    """Return a mapping of sections as an INI file; `separator` is between a key and its value."""
    from bootstrap.render.filters.ini import write

    return write(plain(value), separator)


def from_json(value: Any) -> Any:
    """Return the value of a JSON text."""
    try:
        return json.loads(string(value), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise FilterError(
            f"the text is not JSON: line {error.lineno} column {error.colno}"
        ) from None
    except RecursionError:
        raise FilterError("the text is not JSON that can be read: it is nested too deep") from None


def from_yaml(value: Any) -> Any:
    """Return the value of a YAML text, which is parsed as the documents are."""
    from bootstrap.document import parse

    name = "the text"
    try:
        return parse(string(value), name).data
    except InvalidDocument as error:
        places = [problem.where.removeprefix(name).strip(":") for problem in error.problems]
        raise FilterError(f"the text is not YAML that can be used: {', '.join(places)}") from None


def b64encode(value: Any) -> str:
    """Encode a text's UTF-8 bytes as base64."""
    return binascii.b2a_base64(_utf8(value), newline=False).decode()


def b64decode(value: Any) -> str:
    """Decode base64 to UTF-8 text; line breaks and spaces in the base64 are ignored."""
    compact = "".join(string(value).split())
    try:
        decoded = binascii.a2b_base64(compact)
        if binascii.b2a_base64(decoded, newline=False).decode() != compact:
            raise FilterError("the text is not base64")  # binascii skips invalid characters
        return decoded.decode()
    except binascii.Error:
        raise FilterError("the text is not base64") from None
    except UnicodeDecodeError:
        raise FilterError("the base64 encodes bytes that are not UTF-8 text") from None


def sha256(value: Any) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(_utf8(value)).hexdigest()


def plain(value: Any) -> Any:
    """Return a copy of a value, of limited size, that holds only mappings, lists and scalars."""
    return _Copy().copy(value, 0)


class _Copy:
    """A copy that counts its items and characters.

    Lists that share their items take little memory, but become large when they are written.
    """

    def __init__(self) -> None:
        self._items = 0
        self._characters = 0

    def copy(self, value: Any, depth: int) -> Any:
        self._count(value, depth)
        if isinstance(value, SCALARS):
            return value[:] if isinstance(value, MaskedText) else value
        if isinstance(value, MissingValue):
            value.use()
            return None
        if isinstance(value, Mapping):
            return {self._key(key): self.copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.copy(item, depth + 1) for item in value]
        raise FilterError(
            f"{kind(value)} cannot be written as data", hint="make a list of it: {{ … | list }}"
        )

    def _count(self, value: Any, depth: int) -> None:
        self._items += 1
        if self._items > ITEMS or depth > DEPTH:
            raise FilterError("the value is too large or too deep to be written as data")
        if isinstance(value, str):
            self._characters += len(value)
            require_text(self._characters)

    def _key(self, key: Any) -> str:
        if not isinstance(key, str):
            raise FilterError(f"the keys of a mapping are text, and one is {kind(key)}")
        self._count(key, 0)
        return key


def _utf8(value: Any) -> bytes:
    try:
        return string(value).encode()
    except UnicodeEncodeError:
        raise FilterError("the text holds half a character (a lone surrogate)") from None


def _refuse_constant(_: str) -> NoReturn:
    raise FilterError("the text is not JSON: it holds NaN or Infinity")
