"""What can go wrong with one answer, as the machine file scripts it."""

from __future__ import annotations

from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal


class Fault(Frozen):
    """What goes wrong with `times` requests in a row; None is for ever. Times are in seconds.

    `reset` and `silence` send no answer. `status`, `body`, `html` and `redirect` replace the
    service's answer, `partial` takes parts out of it; `delay`, `drip` and `truncate` only spoil
    its way to the client.
    """

    times: int | None = 1
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    delay: float = 0.0  # before the first byte
    drip: float = 0.0  # between any two bytes, headers included
    truncate: int | None = None  # bytes of the body that still arrive
    reset: bool = False
    silence: bool = False
    html: bool = False
    partial: bool | Literal["always"] = False  # always: even when asked with extended=true
    redirect: str = ""

    def __str__(self) -> str:
        """The fault's own words for the log: `drip`, `status`, `delay+reset`."""
        names = ("delay", "drip", "truncate", "reset", "silence", "html", "partial", "redirect")
        said = [name for name in names if getattr(self, name)]
        return "+".join(said) or ("status" if self.status is not None else "")


NO_FAULT = Fault(times=None)
