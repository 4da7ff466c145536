"""A name that a template uses and that does not exist.

Jinja raises an error at the first one. Here it becomes a `MissingValue`. A template may test this
value
(`is defined`) or replace it (`default`), at any depth. Any other use reports it as missing. So one
rendering finds every missing name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    class Reporter(Protocol):
        """An object that collects missing names, such as `findings.Findings`."""

        def here(self) -> tuple[str, int]:
            """Return the template and the line that are being rendered."""

        def add_gap(self, gap: MissingValue) -> None:
            """Report a missing name."""


ABSENT = object()  # the name was looked up in the template's context, not in a value


class MissingValue:
    """A missing value: `name` was looked up in `obj`. `hint` replaces the usual message.

    Jinja calls the constructor, and so determines its signature. `findings` is set on a subclass.
    """

    findings: Reporter

    def __init__(
        self, hint: str | None = None, obj: Any = ABSENT, name: Any = None, exc: object = None
    ) -> None:
        del exc  # the exception class that Jinja would raise
        self.reason = hint
        self.obj = obj
        self.name = name
        self.place = self.findings.here()

    def use(self) -> None:
        """Report the name as missing."""
        self.findings.add_gap(self)

    def _report_and_return(self, *_: Any) -> MissingValue:
        self.use()
        return self

    def _false(self, *_: Any) -> bool:
        self.use()
        return False

    def _zero(self) -> int:
        self.use()
        return 0

    def __getattr__(self, name: str) -> MissingValue:
        if name.startswith("__"):
            raise AttributeError(name)  # Python checks which protocols a value supports
        return self  # in a chain of names, the first missing one is reported

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

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _report_and_return
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _report_and_return
    __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = _report_and_return
    __call__ = __getitem__ = _report_and_return
    __bool__ = __contains__ = __lt__ = __le__ = __gt__ = __ge__ = _false
    __eq__ = __ne__ = _false  # neither result is right, and the comparison is reported
    __len__ = __int__ = __index__ = _zero
