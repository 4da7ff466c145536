"""The retry loop that the clients of IMDS and of the identity endpoint share."""

from __future__ import annotations

from contextlib import suppress

from bootstrap.http import responses
from bootstrap.http.http1 import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from bootstrap.http.http1 import Response
    from bootstrap.http.pacing import RequestPacing

    T = TypeVar("T")


class RetryableError(Exception):
    """The request should be retried.

    `outcome` and the text say why. `min_wait` is the least number of seconds to wait before.
    """

    def __init__(self, outcome: str, detail: str = "", *, min_wait: float = 0.0) -> None:
        super().__init__(responses.printable(detail))
        self.outcome = outcome
        self.min_wait = min_wait


class PermanentError(Exception):
    """The request must not be retried.

    The text says why, as a sentence without its subject, which is the name of the service.
    `outcome` and `detail` are for the log; without `detail`, the sentence is used. `hint` is for
    a person.
    """

    def __init__(
        self, outcome: str, sentence: str, *, detail: str | None = None, hint: str = ""
    ) -> None:
        super().__init__(sentence)
        self.outcome = outcome
        self.detail = sentence if detail is None else detail
        self.hint = hint


class GracePeriod:
    """A grace period of `seconds` for one kind of response; the first one starts it."""

    __slots__ = ("_clock", "_end", "seconds")

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end: float | None = None

    def is_active(self) -> bool:
        """Return whether the grace period still runs; the first call starts it."""
        now = self._clock()
        if self._end is None:
            self._end = now + self.seconds
        return now < self._end


def ask(pacing: RequestPacing, question: Callable[[], T]) -> T:
    """Call `question` until it succeeds, and return its result.

    `RetryableError` and `WireError` lead to a retry. `PermanentError` and any other error end the
    loop and are
    raised. Raises `OutOfTime` at the deadline of `pacing`.
    """
    while True:
        pacing.acquire()
        try:
            result = question()
        except RetryableError as reason:
            pacing.retry(reason.outcome, str(reason), min_wait=reason.min_wait)
        except WireError as reason:
            pacing.retry(reason.outcome, responses.printable(str(reason)))
        except PermanentError as reason:
            pacing.succeed(reason.outcome, reason.detail)
            raise
        else:
            pacing.succeed("ok")
            return result


def document(response: Response) -> Any:
    """Return the JSON value in the body. Raises `RetryableError` if the body is not JSON."""
    if responses.is_html(response):
        raise RetryableError("html", "a page instead of a document")
    # An error of the decoder holds the whole body, and a body may hold a token. So it is dropped
    # here and does not become the cause of another error.
    with suppress(ValueError):
        return responses.document(response)
    raise RetryableError("not-json", f"{len(response.body)} bytes that are not JSON")
