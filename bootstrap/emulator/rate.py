"""The rate limit of IMDS: so many requests in any second, for the whole VM."""

from __future__ import annotations

import threading
import time
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOW = 1.0  # seconds


class RateLimit:
    """Counts the requests that were let through within the last second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._admitted: deque[float] = deque()

    def admit(self, rate: float) -> bool:
        """Whether one more request keeps within `rate` requests per second; 0 is no limit."""
        with self._lock:
            now = self._clock()
            while self._admitted and now - self._admitted[0] >= _WINDOW:
                self._admitted.popleft()
            if rate and len(self._admitted) >= rate:
                return False
            self._admitted.append(now)
            return True
