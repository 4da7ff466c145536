"""How many questions are under way at once: few while answers are quick, more when they are not.

Each question beside another needs a connection of its own, and a handshake costs more processor
time than the question. Where a vault answers at once, a few secrets one after the other are as soon
there; where it does not, nobody waits for a turn for longer than it takes to notice.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Semaphore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_WAIT = 0.02  # seconds; so much, at most, do the handshakes that are spared cost a boot in time


class ConcurrencyLimiter:
    """Lets `count` through at once, and one more for each who had to wait `patience` seconds."""

    def __init__(self, count: int, patience: float = MAX_WAIT) -> None:
        self._free = Semaphore(count)
        self._patience = patience

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a free lane, or open another."""
        self._free.acquire(timeout=self._patience)
        try:
            yield
        finally:
            self._free.release()
