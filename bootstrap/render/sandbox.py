"""What a template may reach inside a value: its keys and items, and a closed list of methods."""

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
# These can make a text far larger than their own: they go through the filter that counts first.
_GROWING: dict[str, Callable[..., Any]] = {
    "join": lambda separator, items: text.join(items, separator),
    "replace": text.replace,
    "split": text.split,
}


def is_data(value: object) -> bool:
    """Whether the value is data, as opposed to something of the template language (`loop`)."""
    return any(isinstance(value, types) for types, _ in _METHODS)


def is_open(obj: object) -> bool:
    """Whether a thing of the template language has attributes for templates (`loop` has)."""
    return not isinstance(obj, type) and not hasattr(obj, "__code__")


def method(value: Any, name: str) -> Callable[..., Any] | None:
    """The method of a piece of data, or None when templates may not have it."""
    if isinstance(value, str) and name in _GROWING:
        growing = _GROWING[name]
        return lambda *arguments: growing(value, *arguments)
    for types, names in _METHODS:
        if isinstance(value, types) and name in names:
            own = getattr(value, name)
            return lambda *arguments: bounded(own(*arguments))
    return None
