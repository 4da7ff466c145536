"""The limits of a rendering: its time, and the size of its intermediate results.

Python cannot interrupt an operation. So no operation that could take long is begun: operators and
filters check the size of their result first, and each turn of a loop checks the clock.
"""

from __future__ import annotations

import re

from bootstrap.render.errors import FilterError, LimitExceeded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TEXT = 8 * 1024 * 1024  # characters of one text: twice the largest file of the default settings
ITEMS = 200_000  # items of one list; Jinja's own `range` ends at 100,000
BITS = 4096  # bits of one whole number; Python's time to print a larger one grows quadratically
WIDTH = 1000  # columns of padding
COPIES = 16  # times that the largest file may be printed in total (macros, captured blocks)


class Budget:
    """The time and the number of printed characters that are left.

    All files together have `seconds` on `clock`; each file has `max_bytes`.
    """

    def __init__(self, *, seconds: float, max_bytes: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._end = clock() + seconds
        self._max_bytes = max_bytes
        self._printed = 0

    def begin_file(self) -> None:
        """Reset the count of printed characters. The time is for all files together."""
        self._printed = 0
        self.check_time()

    def spend(self, characters: int) -> None:
        """Count the characters that are printed, to the file or into a variable.

        Raises FilterError for more than COPIES times `max_bytes`, LimitExceeded when the time is
        over.
        """
        self._printed += characters
        if self._printed > COPIES * self._max_bytes:
            raise FilterError(
                f"the file is larger than {self._max_bytes} bytes many times over",
                hint="look for a loop that repeats itself; the limit is render.max_bytes",
            )
        self.check_time()

    def require_file(self, size: int) -> None:
        """Raise FilterError if a file of `size` bytes is too large."""
        if size > self._max_bytes:
            raise FilterError(
                f"the file is larger than {self._max_bytes} bytes",
                hint="the limit is render.max_bytes",
            )

    def check_time(self) -> None:
        """Raise LimitExceeded if the time for all files is over."""
        if self._clock() > self._end:
            raise LimitExceeded(
                f"the rendering took longer than {self._seconds:g} seconds",
                hint="look for nested loops; the limit is render.timeout",
            )


def bounded(value: Any) -> Any:
    """Return `value`; raise FilterError if it is a text or a list that is too long."""
    if isinstance(value, str):
        require_text(len(value))
    elif isinstance(value, list | tuple):
        require_items(len(value))
    return value


def require_text(length: int) -> None:
    """Raise FilterError if a text of `length` characters is too long to be made."""
    if length > TEXT:
        raise FilterError(f"this would make a text of more than {TEXT} characters")


def require_items(count: int) -> None:
    """Raise FilterError if a list of `count` items is too long to be made."""
    if count > ITEMS:
        raise FilterError(f"this would make a list of more than {ITEMS} items")


def require_width(width: int) -> None:
    """Raise FilterError if padding to `width` columns is too wide."""
    if abs(width) > WIDTH:
        raise FilterError(f"a width is at most {WIDTH}")


def add(left: Any, right: Any) -> Any:
    """Return `left + right`; raise FilterError if the text or the list would be too long."""
    if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        require = require_text if isinstance(left, str) else require_items
        require(len(left) + len(right))
    return left + right


def multiply(left: Any, right: Any) -> Any:
    """Return `left * right`; raise FilterError if the text, list or number would be too large."""
    for many, times in ((left, right), (right, left)):
        if isinstance(times, int) and isinstance(many, str | list | tuple):
            require = require_text if isinstance(many, str) else require_items
            require(len(many) * times)
    if isinstance(left, int) and isinstance(right, int):
        _require_bits(left.bit_length() + right.bit_length())
    return left * right


def power(base: Any, exponent: Any) -> Any:
    """Return `base ** exponent`; raise FilterError if the number would be too slow to print."""
    if isinstance(base, int) and isinstance(exponent, int):
        _require_bits(base.bit_length() * abs(exponent))
    return base**exponent


def _require_bits(bits: int) -> None:
    if bits > BITS:
        raise FilterError(f"this would make a number of more than {BITS} bits")


_DIRECTIVE = re.compile(r"%(?:\(.*?\))?[#0\- +]*(\d+|\*)?(?:\.(\d+|\*))?")


def require_format(form: str, arguments: list[str | int | float]) -> None:
    """Raise FilterError if a %-format's widths or arguments would make a text that is too long."""
    directives = 0
    for match in _DIRECTIVE.finditer(form):
        directives += 1
        for width in match.groups():
            if width == "*":
                raise FilterError("a width in a format is a number, not *")
            require_width(int(width[:5]) if width else 0)
    longest = max((len(str(argument)) for argument in arguments), default=0)
    require_text(len(form) + directives * (longest + 2 * WIDTH))
