"""What a template may use of a value: its keys and items, and a closed list of methods."""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap.render.filters import text
from bootstrap.render.limits import bounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_TEXT = frozenset(
    [
        "capitalize",
        "casefold",
        "count",
        "endswith",
        "find",
        "index",
        "isalnum",
        "isalpha",
        "isascii",
        "isdecimal",
        "isdigit",
        "islower",
        "isnumeric",
        "isspace",
        "istitle",
        "isupper",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "rfind",
        "rindex",
        "rpartition",
        "rsplit",
        "rstrip",
        "splitlines",
        "startswith",
        "strip",
        "swapcase",
        "title",
        "upper",
    ]
)
_MAPPING = frozenset(["get", "items", "keys", "values"])
_LIST = frozenset(["count", "index"])

_METHODS: tuple[tuple[type | tuple[type, ...], frozenset[str]], ...] = (
    (str, _TEXT),
    (Mapping, _MAPPING),
    ((list, tuple), _LIST),
    ((int, float, complex, bytes, type(None)), frozenset()),
)
# These can make a text far larger than their input. The filter that they call checks the size.
_GROWING: dict[str, Callable[..., Any]] = {
    "join": lambda separator, items: text.join(items, separator),
    "replace": text.replace,
    "split": text.split,
}


def is_data(value: object) -> bool:
    """Return whether the value is data, not an object of the template language (`loop`)."""
    return any(isinstance(value, types) for types, _ in _METHODS)


def is_open(obj: object) -> bool:
    """Return whether templates may use attributes of an object of their language (`loop`)."""
    return not isinstance(obj, type) and not hasattr(obj, "__code__")


def method(value: Any, name: str) -> Callable[..., Any] | None:
    """Return the method `name` of a data value, or None if templates may not use it."""
    if isinstance(value, str) and name in _GROWING:
        growing = _GROWING[name]
        return lambda *arguments: growing(value, *arguments)
    for types, names in _METHODS:
        if isinstance(value, types) and name in names:
            own = getattr(value, name)
            return lambda *arguments: bounded(own(*arguments))
    return None
