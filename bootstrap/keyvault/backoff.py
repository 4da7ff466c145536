"""How long to wait before the next request to a vault, for one machine or a thousand at once.

A vault answers 4,000 reads in 10 seconds (service limits of Key Vault). A scale set boots all its
machines at once: 1,000 machines with 5 secrets each send 5,000 reads in a second. A machine that
is refused has to retry at a random time (full jitter), and soon enough that no window of the vault
stays unused. The last machine is served within one CAP of the window that has capacity for it. So
CAP is below the window's 10 s. In a simulation, 5,000 reads take 18 s (the limit alone requires
10 s), and 200,000 reads take 498 s (490 s). With a CAP of 16 s, 5,000 reads already take 26 s.
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
# Seconds. A wait that would end after the deadline is shortened, once, to end this long before it.
# So the last step before the client gives up is a request.
LAST_CHANCE = 1.0
MIN_WAIT = 0.001  # seconds; a request with its response takes longer


def wait_after(failures: int, *, min_wait: float = 0.0, uniform: Uniform | None = None) -> float:
    """Return the seconds to wait after the `failures`-th failure in a row (from 1).

    `min_wait` is the seconds that the vault asked for (`Retry-After`). They are the same for every
    machine, so the jitter is added to them.
    """
    return min_wait + full_jitter(failures, base=BASE, cap=CAP, uniform=uniform)


class Backoff:
    """The waits of one series of requests, up to `deadline` (a time on the caller's clock)."""

    __slots__ = ("_deadline", "_failures", "_last_chance_taken", "_uniform")

    def __init__(self, deadline: float, uniform: Uniform | None = None) -> None:
        self._deadline = deadline
        self._failures = 0
        self._last_chance_taken = False
        self._uniform = uniform

    def next_wait(self, now: float, *, min_wait: float = 0.0) -> float | None:
        """Return the seconds to wait after one more failure, or None if no time is left.

        `now` is the time on the caller's clock. `min_wait` is as in `wait_after`.
        """
        self._failures += 1
        wait = wait_after(self._failures, min_wait=min_wait, uniform=self._uniform)
        left = self._deadline - now
        if now + wait < self._deadline:
            return wait
        if self._last_chance_taken or left < MIN_WAIT:
            return None
        self._last_chance_taken = True
        return left - min(LAST_CHANCE, left / 2)
