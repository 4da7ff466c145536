"""Asks for one token until there is one, or it is certain that there will be none.

An answer that is not a token means here:

    400 with `invalid_request`, 404   retry within the `attach` budget, then final
    401, 403, 421                     retry within the `grace` budget, then final
    408, 410, 429, any 5xx            retry until the deadline, not before `Retry-After`
    no answer, or none to be used     retry until the deadline
    any other                         final

A user-assigned identity takes 10 to 40 s to arrive on a new VM, and until then the answer is the
same 400 that a machine without any identity gets for ever; only the description tells them apart,
and that is for people. So both are borne for as long as `attach` says: a machine that lacks its
identity fails some time later than it could, instead of one that boots fast failing at all.
"""

from __future__ import annotations

from bootstrap.errors import IdentityRefused, IdentityUnavailable, Public
from bootstrap.http import responses
from bootstrap.http.pacing import OutOfTime
from bootstrap.http.retry import PermanentError, RetryableError, ask
from bootstrap.identity.token import read_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.http.http1 import Response
    from bootstrap.http.pacing import RequestPacing
    from bootstrap.http.retry import GracePeriod
    from bootstrap.identity.identity_id import Selector
    from bootstrap.identity.service import IdentityService, Send
    from bootstrap.identity.token import Token

_ATTACH = "attach"  # an action beside those of `answers`: bear it within the `attach` budget


class TokenRequest:
    """The series of questions for one token; `run` once."""

    __slots__ = (
        "_attach",
        "_audience",
        "_grace",
        "_patience",
        "_selector",
        "_send",
        "_service",
        "_wall",
    )

    def __init__(
        self,
        service: IdentityService,
        audience: str,
        selector: Selector,
        *,
        send: Send,
        pacing: RequestPacing,
        grace: GracePeriod,
        attach: GracePeriod,
        wall_clock: Callable[[], float],
    ) -> None:
        self._service = service
        self._audience = audience
        self._selector = selector
        self._send = send
        self._patience = pacing
        self._grace = grace
        self._attach = attach
        self._wall = wall_clock

    def run(self) -> Token:
        """The token. Raises `IdentityUnavailable` at the deadline, `IdentityRefused` before."""
        try:
            return ask(self._patience, self._question)
        except PermanentError as reason:
            hint = reason.hint or self._service.hint(reason.outcome, reason.detail, self._selector)
            public = Public(f"{IdentityRefused.about}: {reason.outcome}")
            message = f"{self._service} {reason}"
            raise IdentityRefused(message, hint=hint, public=public) from reason
        except OutOfTime as error:
            raise self._unavailable() from error

    def _question(self) -> Token:
        response = self._service.exchange(self._send)
        self._judge(response)
        return read_token(
            response,
            self._audience,
            self._selector,
            echo=self._service.echoes,
            wall_clock=self._wall,
        )

    def _judge(self, response: Response) -> None:
        """Return if the answer may be read; raise what follows from it if not."""
        what = _action(response)
        if what == responses.USE:
            return
        outcome, said = str(response.status), responses.server_message(response)
        if what == responses.RETRY_AFTER:
            raise RetryableError(outcome, said, min_wait=responses.retry_after(response))
        budget = {responses.GRACE: self._grace, _ATTACH: self._attach}.get(what)
        if what == responses.RETRY or (budget and budget.is_active()):
            raise RetryableError(outcome, said)
        raise PermanentError(outcome, self._refusal(outcome, said, budget), detail=said)

    def _refusal(self, outcome: str, said: str, budget: GracePeriod | None) -> str:
        borne = f" for {budget.seconds:g} s" if budget and budget.seconds else ""
        sentence = f"refused a token for {self._asked} with {outcome}{borne}"
        return f"{sentence}: {said}" if said else sentence

    @property
    def _asked(self) -> str:
        return f"{self._audience} as {self._selector}" if self._selector.kind else self._audience

    def _unavailable(self) -> IdentityUnavailable:
        tally = self._patience.tally
        message = f"{self._service} gave no token for {self._asked} before the deadline: {tally}"
        hint = self._service.hint(tally.commonest, tally.last, self._selector)
        public = Public(f"{IdentityUnavailable.about}: {tally.counts}")
        return IdentityUnavailable(message, hint=hint, public=public)


def _action(response: Response) -> str:
    """What to do about an answer, by its status and its `error`, never by its description."""
    not_yet = response.status == 400 and responses.error_code(response) == "invalid_request"  # noqa: PLR2004
    if not_yet or response.status == 404:  # noqa: PLR2004
        return _ATTACH
    what = responses.action(response.status)
    return responses.REFUSE if what == responses.NEGOTIATE else what
