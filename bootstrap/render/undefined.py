"""A name that a template asked for and that does not exist.

Jinja raises at the first one. Here it becomes a `Gap`: a value that may be tested (`is defined`)
or replaced (`default`), at any depth, and that reports itself when it is used for anything else,
so that one rendering finds every missing name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    class Reporter(Protocol):
        """Whoever collects what is missing; `findings` does."""

        def here(self) -> tuple[str, int]:
            """The template and the line that are being rendered."""

        def add_gap(self, gap: Gap) -> None:
            """Report a missing name."""


ABSENT = object()  # the name was looked up in the template's context, not in a value


class Gap:
    """Stands for a missing value; `obj` is where `name` was looked for, `hint` other words.

    The constructor's shape is the one that Jinja calls. `findings` is set on a subclass.
    """

    findings: Reporter

    def __init__(
        self, hint: str | None = None, obj: Any = ABSENT, name: Any = None, exc: object = None
    ) -> None:
        del exc  # Jinja names what it would raise
        self.reason = hint
        self.obj = obj
        self.name = name
        self.place = self.findings.here()

    def use(self) -> None:
        """Report the name as missing."""
        self.findings.add_gap(self)

    def _absorb(self, *_: Any) -> Gap:
        self.use()
        return self

    def _false(self, *_: Any) -> bool:
        self.use()
        return False

    def _zero(self) -> int:
        self.use()
        return 0

    def __getattr__(self, name: str) -> Gap:
        if name.startswith("__"):
            raise AttributeError(name)  # Python asks which protocols a value knows
        return self  # of a chain, the first missing link is what counts

    def __str__(self) -> str:
        self.use()
        return ""

    def __float__(self) -> float:
        self.use()
        return 0.0

    def __iter__(self) -> Iterator[Any]:
        self.use()
        return iter(())

    def __hash__(self) -> int:
        self.use()
        return id(self)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _absorb
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _absorb
    __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = _absorb
    __call__ = __getitem__ = _absorb
    __bool__ = __contains__ = __lt__ = __le__ = __gt__ = __ge__ = _false
    __eq__ = __ne__ = _false  # neither answer is right: the comparison is what gets reported
    __len__ = __int__ = __index__ = _zero
