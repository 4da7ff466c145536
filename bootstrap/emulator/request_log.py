"""The record of the requests to a service, and their lines in the log."""

from __future__ import annotations

from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.emulator.fault import Fault
    from bootstrap.emulator.messages import IncomingRequest, Reply


class Request(Frozen):
    """One request that the emulator received.

    `path` and `query` are as they were received, percent-encoded. `headers` have lower-case names.
    `status` is None if the client got no answer. `at` is on the emulator's clock, in seconds.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    status: int | None
    at: float


class Record:
    """Every request to one service, in the order in which the answers were decided."""

    def __init__(self, clock: Callable[[], float], log: Callable[[str], None]) -> None:
        self._clock = clock
        self._log = log
        self._seen: list[Request] = []

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request so far."""
        return tuple(self._seen)

    def add(
        self, ask: IncomingRequest, reply: Reply | None, fault: Fault, *, host: str = ""
    ) -> None:
        """Add a request and its answer, before the client can receive the answer."""
        status = reply.status if reply else None
        self._seen.append(
            Request(
                method=ask.method,
                path=ask.path,
                query=ask.query,
                headers=dict(ask.headers),
                status=status,
                at=self._clock(),
            )
        )
        words = f" fault={fault}" if str(fault) else ""
        self._log(f"{ask.method} {host}{ask.target} {status or '-'}{words}")
