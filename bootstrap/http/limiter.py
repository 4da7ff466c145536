"""How many requests run at once, and how close upon each other they start."""

from __future__ import annotations

import time
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class RateLimiter:
    """Lets requests of several threads through: `lanes` at once, starts `spacing` seconds apart."""

    __slots__ = ("_clock", "_lanes", "_lock", "_next", "_sleep", "_spacing")

    def __init__(
        self,
        lanes: int,
        spacing: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._lanes = BoundedSemaphore(lanes)
        self._lock = Lock()
        self._next = clock()
        self._sleep = sleep
        self._spacing = spacing

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a lane and a start, and hold the lane for the `with` block.

        The block must end by itself: whoever is next in line has no other end to the waiting.
        """
        with self._lanes:
            wait = self._until_start()
            if wait > 0:
                self._sleep(wait)
            yield

    def _until_start(self) -> float:
        """The seconds until this request may start; the next one may a spacing later."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next)
            self._next = start + self._spacing
            return start - now
