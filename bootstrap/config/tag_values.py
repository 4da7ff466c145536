"""The text of a tag, converted to the type that the image's schema asks for at its path."""

from __future__ import annotations

import json
import re

from bootstrap.config.schema.messages import TYPES, shorten
from bootstrap.document import parse
from bootstrap.errors import InvalidDocument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from bootstrap.config.schema.lookup import Shape
    from bootstrap.document import Path

INTEGER = re.compile(r"[-+]?[0-9]{1,100}")
NUMBER = re.compile(r"[-+]?[0-9]{1,100}(\.[0-9]{1,100})?([eE][-+]?[0-9]{1,2})?")
BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class ConversionError(ValueError):
    """The text cannot be converted to any type that is asked for."""

    def __init__(self, text: str, wanted: str) -> None:
        super().__init__(f"{shorten(text)} is not {wanted}")
        self.without_value = f"the value is not {wanted}"


def convert(text: str, shape: Shape, path: Path, *, is_entry: bool = False) -> Any:
    """Return the value of `text` at `path` below `values`.

    If the schema accepts text, or gives no type, it stays text: nothing is guessed. An entry of a
    list with commas is not itself a list or a mapping; those are written as JSON. Raises
    ConversionError if
    no type that the schema gives fits.
    """
    types = shape.types(path)
    if not types or "string" in types:
        return text
    wanted = [name for name in READERS if name in types]
    for name in wanted:
        if not (is_entry and name in NESTED):
            value = READERS[name](text.strip(), shape, path)
            if value is not FAILED:
                return value
    raise ConversionError(text, " or ".join(TYPES[name] for name in wanted))


FAILED = object()
NESTED = ("array", "object")


def _null(text: str, _shape: Shape, _path: Path) -> Any:
    return None if text in {"", "null"} else FAILED


def _boolean(text: str, _shape: Shape, _path: Path) -> Any:
    return BOOLEANS.get(text.lower(), FAILED)


def _integer(text: str, _shape: Shape, _path: Path) -> Any:
    return int(text) if INTEGER.fullmatch(text) else FAILED


def _number(text: str, _shape: Shape, _path: Path) -> Any:
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if NUMBER.fullmatch(text) else FAILED


def _array(text: str, shape: Shape, path: Path) -> Any:
    if text.startswith("["):
        return _json(text, list)
    items = [item.strip() for item in text.split(",")] if text else []
    return [convert(item, shape, (*path, at), is_entry=True) for at, item in enumerate(items)]


def _object(text: str, _shape: Shape, _path: Path) -> Any:
    return _json(text, dict)


def _json(text: str, kind: type) -> Any:
    try:
        # Only JSON is read: no YAML, and no words that Python takes for numbers.
        json.loads(text, parse_constant=_no_constant)
        value = parse(text, "tag").data  # checks limits and duplicate keys
    except (ValueError, RecursionError, InvalidDocument):
        return FAILED
    return value if isinstance(value, kind) else FAILED


def _no_constant(word: str) -> NoReturn:
    """Raise ValueError for `NaN` and `Infinity`, which are not JSON; YAML reads them as texts."""
    raise ValueError(word)


# In the order in which they are tried: more specific types come first.
READERS: dict[str, Callable[[str, Shape, Path], Any]] = {
    "null": _null,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
}
