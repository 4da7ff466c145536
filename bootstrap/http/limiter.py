"""A limit on how many requests run at once and on the time between their starts."""

from __future__ import annotations

import time
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class RateLimiter:
    """A limiter for several threads: `lanes` requests at once, starts `spacing` seconds apart."""

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
        """Wait until the request may start, and occupy a lane for the `with` block.

        The block must end by itself: another thread may wait for the lane without a timeout.
        """
        with self._lanes:
            wait = self._until_start()
            if wait > 0:
                self._sleep(wait)
            yield

    def _until_start(self) -> float:
        """Return the seconds until this request may start, and reserve that start.

        The next request may start one spacing later.
        """
        with self._lock:
            now = self._clock()
            start = max(now, self._next)
            self._next = start + self._spacing
            return start - now
