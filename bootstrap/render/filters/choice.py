"""Filters that choose between values, or require one."""

from __future__ import annotations

from bootstrap.render.errors import FilterError
from bootstrap.render.undefined import MissingValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DIGITS = 15  # a float holds no more digits


def default(value: Any, instead: Any = "", falsy: bool = False) -> Any:  # noqa: FBT001, FBT002  # Jinja's signature
    """Return `instead` if the value or a mapping in its path is missing; true: also if empty."""
    if isinstance(value, MissingValue):
        return instead
    return instead if falsy and not value else value


def mandatory(value: Any, message: str = "") -> Any:
    """Return the value; fail with this message if it is missing, null or empty text."""
    if isinstance(value, MissingValue):
        if message:
            value.reason = message
        value.use()
        return ""
    if value is None or value == "":
        raise FilterError(message or "a value is required here, and it is empty")
    return value


def ternary(condition: Any, if_true: Any, if_false: Any = "") -> Any:
    """Return the first choice if the value is true, else the second."""
    return if_true if condition else if_false


def round_number(value: float, digits: int = 0, method: str = "common") -> float:
    """Round the number to `digits` digits after the point; `method`: common, ceil or floor."""
    import math

    if abs(digits) > MAX_DIGITS:
        raise FilterError(f"a number is rounded to at most {MAX_DIGITS} digits")
    if method == "common":
        return round(value, digits)
    if method not in {"ceil", "floor"}:
        raise FilterError("a number is rounded by: common, ceil, floor")
    factor = 10.0**digits
    return float(getattr(math, method)(value * factor) / factor)
