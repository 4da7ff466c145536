"""Filters that choose between values, or insist on one."""

from __future__ import annotations

from bootstrap.render.errors import Refusal
from bootstrap.render.undefined import Gap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DIGITS = 15  # a float holds no more


def default(value: Any, instead: Any = "", falsy: bool = False) -> Any:  # noqa: FBT001, FBT002  # Jinja's signature
    """`instead` if the value, or a mapping on the way to it, is missing; true: also if empty."""
    if isinstance(value, Gap):
        return instead
    return instead if falsy and not value else value


def mandatory(value: Any, message: str = "") -> Any:
    """The value, or an error with this message if it is missing, null or empty text."""
    if isinstance(value, Gap):
        if message:
            value.reason = message
        value.use()
        return ""
    if value is None or value == "":
        raise Refusal(message or "a value is required here, and it is empty")
    return value


def ternary(condition: Any, if_true: Any, if_false: Any = "") -> Any:
    """The first choice if the value is true, else the second."""
    return if_true if condition else if_false


def round_number(value: float, digits: int = 0, method: str = "common") -> float:
    """The number rounded to so many digits after the point; `method`: common, ceil or floor."""
    import math

    if abs(digits) > MAX_DIGITS:
        raise Refusal(f"a number is rounded to at most {MAX_DIGITS} digits")
    if method == "common":
        return round(value, digits)
    if method not in {"ceil", "floor"}:
        raise Refusal("a number is rounded by: common, ceil, floor")
    factor = 10.0**digits
    return float(getattr(math, method)(value * factor) / factor)
