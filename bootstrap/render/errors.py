"""The errors that filters and operators raise, with messages for the author of the template.

The messages are shown. So they describe values by their kind and size, and never quote them.
"""

from __future__ import annotations

from collections.abc import Mapping


class FilterError(Exception):
    """A template asks for something that is not possible; `hint` says what to write instead."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class LimitExceeded(FilterError):
    """The time for the whole rendering is used up. No other file is begun."""


def kind(value: object) -> str:
    """Return the name that messages use for a value of this type: `text`, `a list`, `null`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return "a function" if callable(value) else "something else"


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "text"),
    ((int, float), "a number"),
    ((list, tuple), "a list"),
    (Mapping, "a mapping"),
)
