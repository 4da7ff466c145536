"""The number of concurrent requests: few while responses are quick, more when they are not.

Each concurrent request needs a connection of its own, and a handshake costs more processor time
than the request. If a vault responds at once, a few requests one after the other take no longer.
If it does not, a request waits for its turn only as long as it takes to detect that.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Semaphore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_WAIT = 0.02  # seconds; saving handshakes delays a boot by at most this


class ConcurrencyLimiter:
    """Limiter of requests: `count` at once, and one more after each wait of `patience` seconds."""

    def __init__(self, count: int, patience: float = MAX_WAIT) -> None:
        self._free = Semaphore(count)
        self._patience = patience

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a free lane, or open another after `patience` seconds; free it at the end."""
        self._free.acquire(timeout=self._patience)
        try:
            yield
        finally:
            self._free.release()
