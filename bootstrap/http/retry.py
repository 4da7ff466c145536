"""Asking until an answer can be used: what the clients of the platform's services share."""

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
    """Ask again: `outcome` and the text say why, `min_wait` how many seconds from now."""

    def __init__(self, outcome: str, detail: str = "", *, min_wait: float = 0.0) -> None:
        super().__init__(responses.printable(detail))
        self.outcome = outcome
        self.min_wait = min_wait


class PermanentError(Exception):
    """Do not ask again: the text, a sentence that the service's name begins, says why.

    `outcome` and `detail` (the sentence, if nothing shorter is given) are for the log, `hint`
    for a person.
    """

    def __init__(
        self, outcome: str, sentence: str, *, detail: str | None = None, hint: str = ""
    ) -> None:
        super().__init__(sentence)
        self.outcome = outcome
        self.detail = sentence if detail is None else detail
        self.hint = hint


class GracePeriod:
    """For how many `seconds` a kind of answer is borne; its first answer starts the count."""

    __slots__ = ("_clock", "_end", "seconds")

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end: float | None = None

    def is_active(self) -> bool:
        """Whether another such answer, coming now, is borne."""
        now = self._clock()
        if self._end is None:
            self._end = now + self.seconds
        return now < self._end


def ask(pacing: RequestPacing, question: Callable[[], T]) -> T:
    """What `question` gives, as soon as it raises neither `RetryableError` nor `WireError`.

    `PermanentError` and any other error of the question end the asking. Raises `OutOfTime` when the
    patience ends first.
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
    """The JSON of an answer that should hold some. Raises `RetryableError` if it does not."""
    if responses.is_html(response):
        raise RetryableError("html", "a page instead of a document")
    # The decoder's errors carry the whole body, and a body may hold a token: they end here
    # instead of standing as the cause of another error.
    with suppress(ValueError):
        return responses.document(response)
    raise RetryableError("not-json", f"{len(response.body)} bytes that are not JSON")
