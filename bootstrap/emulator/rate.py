"""Limits of a service: the requests in any second, and the requests at the same time."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WINDOW = 1.0  # seconds


class RateLimit:
    """Counts the requests that were admitted within the last second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._admitted: deque[float] = deque()

    def admit(self, rate: float) -> bool:
        """Return whether one more request is within `rate` requests per second; 0 is no limit."""
        with self._lock:
            now = self._clock()
            while self._admitted and now - self._admitted[0] >= _WINDOW:
                self._admitted.popleft()
            if rate and len(self._admitted) >= rate:
                return False
            self._admitted.append(now)
            return True


class Slots:
    """Counts the requests that are being answered."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._taken = 0

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Hold a slot while a request is answered; yield whether a slot was free."""
        with self._lock:
            self._taken += 1
            free = self._taken <= self._count
        try:
            yield free
        finally:
            with self._lock:
                self._taken -= 1
