"""How long and how often to ask: the deadline, the request rate, the waits, the count."""

from __future__ import annotations

import time

from bootstrap.http.backoff import full_jitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Uniform: TypeAlias = Callable[[float, float], float]

# Seconds between the starts of two requests. IMDS allows 5 a second; a little more than 0.2 s
# keeps them from being 6 where they arrive.
SPACING = 0.22
# Seconds. A wait that would outlast the deadline is cut, once, to end this long before it: the last
# thing before giving up is a question.
LAST_CHANCE = 1.0


class OutOfTime(Exception):
    """The deadline leaves no room for another request."""


class Attempt:
    """One request and what came of it.

    `number` counts from 1; `elapsed` are the seconds since the asking began; `outcome` is one
    word (`503`, `refused`, `html`, …, `ok`) and `detail` more of them, if there is more to say;
    `wait` are the seconds until the next request, 0 if there is none.
    """

    __slots__ = ("detail", "elapsed", "number", "outcome", "wait")

    def __init__(
        self, *, number: int, elapsed: float, outcome: str, detail: str, wait: float
    ) -> None:
        self.number = number
        self.elapsed = elapsed
        self.outcome = outcome
        self.detail = detail
        self.wait = wait


class Tally:
    """What the asking took, for a person and for status.json.

    `elapsed` is in seconds; `outcomes` counts each outcome, in the order in which they first
    came; `last` is the latest one in more words.
    """

    __slots__ = ("elapsed", "last", "outcomes", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.outcomes: dict[str, int] = {}
        self.elapsed = 0.0
        self.last = ""

    @property
    def commonest(self) -> str:
        """The outcome that came most often, the later one of two; empty if there is none."""
        return max(reversed(self.outcomes), key=self.outcomes.__getitem__, default="")

    def as_dict(self) -> dict[str, object]:
        """The tally for a program."""
        return {
            "requests": self.requests,
            "outcomes": dict(self.outcomes),
            "elapsed": round(self.elapsed, 3),
        }

    @property
    def counts(self) -> str:
        """What came how often, without a word of an answer."""
        by_count = sorted(self.outcomes.items(), key=lambda entry: -entry[1])
        counts = ", ".join(f"{outcome} ×{count}" for outcome, count in by_count)
        times = "once" if self.requests == 1 else f"{self.requests} times"
        asked = f"asked {times} over {self.elapsed:.1f} s"
        return f"{asked} ({counts})" if counts else asked

    def __str__(self) -> str:
        return f"{self.counts}; the last: {self.last}" if self.outcomes else self.counts


class RequestPacing:
    """Paces one series of requests against one service.

    `deadline` is a moment on `clock`. `acquire` goes before each request, `retry` or `succeed`
    after
    it; `on_attempt` hears of each. `spacing` are the seconds between the starts of two requests.
    """

    __slots__ = (
        "_clock",
        "_deadline",
        "_failures",
        "_last",
        "_last_chance_taken",
        "_on_attempt",
        "_sleep",
        "_spacing",
        "_started",
        "_uniform",
        "tally",
    )

    def __init__(
        self,
        *,
        deadline: float,
        spacing: float = SPACING,
        on_attempt: Callable[[Attempt], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Uniform | None = None,
    ) -> None:
        self.tally = Tally()
        self._clock = clock
        self._deadline = deadline
        self._failures = 0
        self._last = self._started = clock()
        self._last_chance_taken = False
        self._on_attempt = on_attempt
        self._sleep = sleep
        self._spacing = spacing
        self._uniform = uniform

    def acquire(self) -> None:
        """Wait until the request rate allows another request, and count it.

        Raises `OutOfTime` when that is after the deadline.
        """
        if self.tally.requests:
            self._pause(self._last + self._spacing - self._clock())
        if self._clock() >= self._deadline:
            raise OutOfTime
        self._last = self._clock()
        self.tally.requests += 1

    def retry(self, outcome: str, detail: str = "", *, min_wait: float = 0.0) -> None:
        """Note a failed request and wait before the next one, `min_wait` so many seconds.

        Raises `OutOfTime` when the deadline leaves no room for a next one.
        """
        self._failures += 1
        wait = self._until_next(max(min_wait, full_jitter(self._failures, uniform=self._uniform)))
        self._note(outcome, detail, wait or 0.0)
        if wait is None:
            raise OutOfTime
        self._pause(wait)

    def succeed(self, outcome: str, detail: str = "") -> None:
        """Note a request whose answer is the end of the waiting, good or bad."""
        self._failures = 0
        self._note(outcome, detail, 0.0)

    def _until_next(self, wanted: float) -> float | None:
        """The wait that rate and deadline make of the `wanted` one; `None` if nothing is left."""
        now = self._clock()
        spaced = self._last + self._spacing - now
        left = self._deadline - now
        wait = max(wanted, spaced)
        if wait < left:
            return wait
        if self._last_chance_taken:
            return None
        self._last_chance_taken = True
        wait = max(spaced, left - min(LAST_CHANCE, left / 2))
        return wait if wait < left else None

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(min(seconds, max(0.0, self._deadline - self._clock())))

    def _note(self, outcome: str, detail: str, wait: float) -> None:
        self.tally.outcomes[outcome] = self.tally.outcomes.get(outcome, 0) + 1
        self.tally.elapsed = self._clock() - self._started
        self.tally.last = f"{outcome}: {detail}" if detail else outcome
        if self._on_attempt:
            attempt = Attempt(
                number=self.tally.requests,
                elapsed=self.tally.elapsed,
                outcome=outcome,
                detail=detail,
                wait=wait,
            )
            self._on_attempt(attempt)
