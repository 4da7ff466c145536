"""Filters between values and the text of a format."""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from collections.abc import Mapping

from bootstrap.errors import InvalidDocument
from bootstrap.render.errors import Refusal, kind
from bootstrap.render.filters.text import string
from bootstrap.render.limits import ITEMS, require_text, require_width
from bootstrap.render.masking import Veil
from bootstrap.render.undefined import Gap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

SCALARS = (str, int, float, type(None))
_LATE_CONTROLS = re.compile("[\x7f-\x9f\u2028\u2029]")
DEPTH = 100  # mappings within mappings; deeper ones come from a template that nests its own


def to_json(value: Any, indent: int | None = None, *, sort_keys: bool = False) -> str:
    """The value as JSON; `indent` columns for each level, else one line; keys keep their order."""
    require_width(indent or 0)
    data = plain(value)
    try:
        text = json.dumps(
            data, indent=indent, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False
        )
    except ValueError:
        raise Refusal("JSON has no word for infinity or not-a-number") from None
    # TOML's texts hold no DEL, and not every reader of lines takes C1 and separators for text.
    return _LATE_CONTROLS.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def to_yaml(value: Any) -> str:
    """The value as YAML in block style, with a newline at the end."""
    from bootstrap.document import dump

    return dump(plain(value))


def to_toml(value: Any) -> str:
    """A mapping as a TOML document, with a newline at the end of each line."""
    from bootstrap.render.filters.toml import write

    return write(plain(value))


def to_ini(value: Any, separator: str = " = ") -> str:
    """A mapping of sections as an INI file; `separator` stands between a key and its value."""
    from bootstrap.render.filters.ini import write

    return write(plain(value), separator)


def from_json(value: Any) -> Any:
    """The value that a JSON text stands for."""
    try:
        return json.loads(string(value), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise Refusal(f"the text is not JSON: line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise Refusal("the text is not JSON that can be read: it is nested too deep") from None


def from_yaml(value: Any) -> Any:
    """The value that a YAML text stands for, read as the documents are."""
    from bootstrap.document import parse

    name = "the text"
    try:
        return parse(string(value), name).data
    except InvalidDocument as error:
        places = [problem.where.removeprefix(name).strip(":") for problem in error.problems]
        raise Refusal(f"the text is not YAML that can be used: {', '.join(places)}") from None


def b64encode(value: Any) -> str:
    """The base64 of a text's UTF-8."""
    return binascii.b2a_base64(_utf8(value), newline=False).decode()


def b64decode(value: Any) -> str:
    """The text whose UTF-8 the base64 stands for; line breaks in it are ignored."""
    compact = "".join(string(value).split())
    try:
        decoded = binascii.a2b_base64(compact)
        if binascii.b2a_base64(decoded, newline=False).decode() != compact:
            raise Refusal("the text is not base64")  # binascii skips what it does not know
        return decoded.decode()
    except binascii.Error:
        raise Refusal("the text is not base64") from None
    except UnicodeDecodeError:
        raise Refusal("the base64 stands for bytes that are not UTF-8 text") from None


def sha256(value: Any) -> str:
    """The SHA-256 of a text's UTF-8, in hexadecimal."""
    return hashlib.sha256(_utf8(value)).hexdigest()


def plain(value: Any) -> Any:
    """A copy of a value in which only mappings, lists and scalars occur, of bounded size."""
    return _Copy().copy(value, 0)


class _Copy:
    """Counts while it copies: lists that share their items are small until they are written."""

    def __init__(self) -> None:
        self._items = 0
        self._characters = 0

    def copy(self, value: Any, depth: int) -> Any:
        self._count(value, depth)
        if isinstance(value, SCALARS):
            return value[:] if isinstance(value, Veil) else value
        if isinstance(value, Gap):
            value.use()
            return None
        if isinstance(value, Mapping):
            return {self._key(key): self.copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.copy(item, depth + 1) for item in value]
        raise Refusal(
            f"{kind(value)} cannot be written as data", hint="make a list of it: {{ … | list }}"
        )

    def _count(self, value: Any, depth: int) -> None:
        self._items += 1
        if self._items > ITEMS or depth > DEPTH:
            raise Refusal("the value is too large or too deep to be written as data")
        if isinstance(value, str):
            self._characters += len(value)
            require_text(self._characters)

    def _key(self, key: Any) -> str:
        if not isinstance(key, str):
            raise Refusal(f"the keys of a mapping are text, and one is {kind(key)}")
        self._count(key, 0)
        return key


def _utf8(value: Any) -> bytes:
    try:
        return string(value).encode()
    except UnicodeEncodeError:
        raise Refusal("the text holds half a character (a lone surrogate)") from None


def _refuse_constant(_: str) -> NoReturn:
    raise Refusal("the text is not JSON: it holds NaN or Infinity")
