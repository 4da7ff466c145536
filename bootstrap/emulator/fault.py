"""The faults of one answer, as the machine file scripts them."""

from __future__ import annotations

from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal


class Fault(Frozen):
    """A fault of `times` requests in a row; None is without end. Durations are in seconds.

    `reset` and `silence` send no answer. `status`, `body`, `html` and `redirect` replace the
    service's answer. `partial` removes parts of it. `delay`, `drip` and `truncate` change only
    its delivery.
    """

    times: int | None = 1
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    delay: float = 0.0  # before the first byte
    drip: float = 0.0  # between any two bytes, headers included
    truncate: int | None = None  # bytes of the body that are sent
    reset: bool = False
    silence: bool = False
    html: bool = False
    partial: bool | Literal["always"] = False  # always: even when asked with extended=true
    redirect: str = ""

    def __str__(self) -> str:
        """Return the fault's name for the log: `drip`, `status`, `delay+reset`."""
        names = ("delay", "drip", "truncate", "reset", "silence", "html", "partial", "redirect")
        given = [name for name in names if getattr(self, name)]
        return "+".join(given) or ("status" if self.status is not None else "")


NO_FAULT = Fault(times=None)


def read_faults(entries: Sequence[str | Mapping[str, Any]]) -> tuple[Fault, ...]:
    """Return the script that entries of a machine file describe; the schema has accepted them."""
    return tuple(_fault(entry) for entry in entries)


def _fault(entry: str | Mapping[str, Any]) -> Fault:
    given = {entry: True} if isinstance(entry, str) else entry
    keys: dict[str, Any] = {key: _whole(value) for key, value in given.items()}
    if keys.get("times") == "forever":
        keys["times"] = None
    headers = keys.get("headers", {})
    keys["headers"] = tuple((name, str(_whole(text))) for name, text in headers.items())
    return Fault(**keys)


def _whole(value: Any) -> Any:
    """Return the integer for a float such as 2.0, which is an integer for JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
