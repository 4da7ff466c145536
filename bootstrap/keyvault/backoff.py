"""How long to wait before asking a vault again, alone or as one of a thousand machines.

A vault answers 4,000 reads in 10 seconds (service limits of Key Vault), and a scale set boots all
its machines at once: 1,000 machines with 5 secrets each are 5,000 reads in a second. Who is turned
away has to come back at a moment of its own (full jitter), and soon enough that no window of the
vault stays unused. The last machine is served within one CAP of the window that has room for it,
so CAP is below the window's 10 s: simulated, 5,000 reads need 18 s (the limit alone asks for 10),
200,000 reads 498 s (490). With a CAP of 16 s, 5,000 reads already need 26 s.
"""

from __future__ import annotations

from bootstrap.http.backoff import full_jitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Uniform: TypeAlias = Callable[[float, float], float]

BASE = 0.5  # seconds
CAP = 8.0  # seconds
# Seconds. A wait that would outlast the deadline is cut, once, to end this long before it: the
# last thing before giving up is a question.
LAST_CHANCE = 1.0
MIN_WAIT = 0.001  # seconds: in less no question is asked and answered


def wait_after(failures: int, *, min_wait: float = 0.0, uniform: Uniform | None = None) -> float:
    """Seconds to wait after the `failures`-th failure in a row (from 1).

    `min_wait` is what the vault asked for (`Retry-After`). It tells every machine the same, so the
    jitter comes on top of it.
    """
    return min_wait + full_jitter(failures, base=BASE, cap=CAP, uniform=uniform)


class Pacing:
    """The waits of one series of requests, up to `deadline` (a moment on the caller's clock)."""

    __slots__ = ("_deadline", "_failures", "_last_chance_taken", "_uniform")

    def __init__(self, deadline: float, uniform: Uniform | None = None) -> None:
        self._deadline = deadline
        self._failures = 0
        self._last_chance_taken = False
        self._uniform = uniform

    def next_wait(self, now: float, *, min_wait: float = 0.0) -> float | None:
        """Seconds to wait after one more failure; None when the deadline leaves no room."""
        self._failures += 1
        wait = wait_after(self._failures, min_wait=min_wait, uniform=self._uniform)
        left = self._deadline - now
        if now + wait < self._deadline:
            return wait
        if self._last_chance_taken or left < MIN_WAIT:
            return None
        self._last_chance_taken = True
        return left - min(LAST_CHANCE, left / 2)
