"""What a rendering may use: time, and the size of what it makes on the way.

Python cannot interrupt an operation, so nothing is begun that could take long: operators and
filters ask for the size of their result first, and each turn of a loop looks at the clock.
"""

from __future__ import annotations

import re

from bootstrap.render.errors import Exhausted, Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TEXT = 8 * 1024 * 1024  # characters of one text: twice the largest file of the default settings
ITEMS = 200_000  # of one list; Jinja's own `range` ends at 100,000
BITS = 4096  # of one whole number: beyond it Python's own time to print one grows quadratically
WIDTH = 1000  # columns that padding may ask for
COPIES = 16  # how often the largest file may be printed on the way (macros, captured blocks)


class Budget:
    """The time and the printed characters that are left."""

    def __init__(self, *, seconds: float, max_bytes: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._end = clock() + seconds
        self._max_bytes = max_bytes
        self._printed = 0

    def begin_file(self) -> None:
        """Each file may print anew; the time is for all."""
        self._printed = 0
        self.check_time()

    def spend(self, characters: int) -> None:
        """Count what is printed, to the file or into a variable; look at the clock."""
        self._printed += characters
        if self._printed > COPIES * self._max_bytes:
            raise Refusal(
                f"the file is larger than {self._max_bytes} bytes many times over",
                hint="look for a loop that repeats itself; the limit is render.max_bytes",
            )
        self.check_time()

    def require_file(self, size: int) -> None:
        """Refuse a file of so many bytes."""
        if size > self._max_bytes:
            raise Refusal(
                f"the file is larger than {self._max_bytes} bytes",
                hint="the limit is render.max_bytes",
            )

    def check_time(self) -> None:
        """Raise Exhausted when the time for all files is over."""
        if self._clock() > self._end:
            raise Exhausted(
                f"the rendering took longer than {self._seconds:g} seconds",
                hint="look for nested loops; the limit is render.timeout",
            )


def bounded(value: Any) -> Any:
    """`value`, unless it is a text or a list beyond all measure."""
    if isinstance(value, str):
        require_text(len(value))
    elif isinstance(value, list | tuple):
        require_items(len(value))
    return value


def require_text(length: int) -> None:
    """Refuse a text of so many characters before it is made."""
    if length > TEXT:
        raise Refusal(f"this would make a text of more than {TEXT} characters")


def require_items(count: int) -> None:
    """Refuse a list of so many items before it is made."""
    if count > ITEMS:
        raise Refusal(f"this would make a list of more than {ITEMS} items")


def require_width(width: int) -> None:
    """Refuse padding to so many columns."""
    if abs(width) > WIDTH:
        raise Refusal(f"a width is at most {WIDTH}")


def add(left: Any, right: Any) -> Any:
    """`left + right`; texts and lists of bounded length."""
    if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        require = require_text if isinstance(left, str) else require_items
        require(len(left) + len(right))
    return left + right


def multiply(left: Any, right: Any) -> Any:
    """`left * right`; the result is as bounded as that of any other operator."""
    for many, times in ((left, right), (right, left)):
        if isinstance(times, int) and isinstance(many, str | list | tuple):
            require = require_text if isinstance(many, str) else require_items
            require(len(many) * times)
    if isinstance(left, int) and isinstance(right, int):
        _require_bits(left.bit_length() + right.bit_length())
    return left * right


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`, up to a number that is still quick to print."""
    if isinstance(base, int) and isinstance(exponent, int):
        _require_bits(base.bit_length() * abs(exponent))
    return base**exponent


def _require_bits(bits: int) -> None:
    if bits > BITS:
        raise Refusal(f"this would make a number of more than {BITS} bits")


_DIRECTIVE = re.compile(r"%(?:\(.*?\))?[#0\- +]*(\d+|\*)?(?:\.(\d+|\*))?")


def require_format(form: str, arguments: list[str | int | float]) -> None:
    """Refuse a %-format whose widths or arguments would make a text beyond all measure."""
    directives = 0
    for match in _DIRECTIVE.finditer(form):
        directives += 1
        for width in match.groups():
            if width == "*":
                raise Refusal("a width in a format is a number, not *")
            require_width(int(width[:5]) if width else 0)
    longest = max((len(str(argument)) for argument in arguments), default=0)
    require_text(len(form) + directives * (longest + 2 * WIDTH))
