"""The request for one secret, repeated until there is a final response."""

from __future__ import annotations

from bootstrap.errors import Public
from bootstrap.http.retry import GracePeriod
from bootstrap.keyvault.backoff import Backoff
from bootstrap.keyvault.client import RequestError
from bootstrap.keyvault.responses import (
    Denied,
    PermanentError,
    Retry,
    StoredSecret,
    Unauthorized,
    classify,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from bootstrap.identity.identity_id import Selector
    from bootstrap.keyvault.backoff import Uniform
    from bootstrap.keyvault.client import Vault
    from bootstrap.keyvault.urls import SecretId
    from bootstrap.secret import Secret

    Token: TypeAlias = Callable[[str, Selector], Secret]
    Forget: TypeAlias = Callable[[str, Selector, Secret], None]

POLL_INTERVAL = 0.25  # seconds between two checks whether a wait still makes sense


class Refused(Exception):
    """The response is final. The text says why, and `hint` says what to do.

    `public` is the text that may be public, if it differs.
    """

    def __init__(self, message: str, hint: str = "", *, public: Public | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.public = public


class NoResponse(Exception):
    """The deadline came before a response, or another secret ended the wait.

    The text is the last outcome.
    """


class Rules:
    """The arguments that all requests of one run share.

    `token` and `forget` belong to the identity, `audience` to the cloud. `deadline` is a time on
    `clock`. `grace` is the seconds for which a 403 is retried. `on_event` is called with the name
    of each event and its fields. Once `is_over` returns true, no request is repeated.
    """

    __slots__ = (
        "audience",
        "clock",
        "deadline",
        "forget",
        "grace",
        "is_over",
        "on_event",
        "sleep",
        "token",
        "uniform",
    )

    def __init__(
        self,
        *,
        audience: str,
        token: Token,
        forget: Forget,
        deadline: float,
        grace: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        uniform: Uniform | None,
        on_event: Callable[..., Any] | None,
        is_over: Callable[[], bool],
    ) -> None:
        self.audience = audience
        self.token = token
        self.forget = forget
        self.deadline = deadline
        self.grace = grace
        self.clock = clock
        self.sleep = sleep
        self.uniform = uniform
        self.on_event = on_event
        self.is_over = is_over


class SecretRequest:
    """The requests for one secret, with the identity that `selector` names."""

    def __init__(self, address: SecretId, selector: Selector, vault: Vault, rules: Rules) -> None:
        self._address = address
        self._selector = selector
        self._vault = vault
        self._rules = rules
        self._pacing = Backoff(rules.deadline, rules.uniform)
        self._denials = GracePeriod(rules.grace, rules.clock)
        self._renewed = False

    def answer(self) -> StoredSecret:
        """Return the secret. Raises Refused, Unanswered, or the error of the identity."""
        while True:
            verdict = self._ask()
            if isinstance(verdict, StoredSecret):
                self._tell("vault.found", version=verdict.version)
                return verdict
            self._wait(verdict)

    def _ask(self) -> StoredSecret | Retry:
        """Send one request, and return the secret or the reason for a retry.

        Raises Refused if a retry would not help.
        """
        token = self._rules.token(self._rules.audience, self._selector)
        try:
            answer = self._vault.get(self._address, token, deadline=self._rules.deadline)
        except RequestError as fault:
            if fault.final:
                message = f"asking the vault {self._address.vault}: {fault}"
                raise Refused(message, FAULT_HINT) from None
            return Retry(fault.outcome)
        verdict = classify(answer, self._address)
        if isinstance(verdict, PermanentError):
            code = f" ({verdict.code})" if verdict.code else ""
            public = Public(verdict.message)
            raise Refused(f"{verdict.message}{code}", Public(verdict.hint), public=public)
        if isinstance(verdict, Denied):
            return self._denied(verdict)
        return self._renew(verdict, token) if isinstance(verdict, Unauthorized) else verdict

    def _denied(self, verdict: Denied) -> Retry:
        if self._denials.is_active():
            return Retry("403")
        waited = f" (still so after {self._rules.grace:g} s)" if self._rules.grace else ""
        raise Refused(Public(f"{verdict.message}{waited}"), Public(verdict.hint))

    def _renew(self, challenge: Unauthorized, refused: Secret) -> Retry:
        """Discard the token, once, so that the next request uses another.

        Raises Refused for a second refusal, and for a vault that asks for another audience's token.
        """
        vault, audience = self._address.vault, self._rules.audience
        if challenge.resource and challenge.resource.rstrip("/").lower() != audience.lower():
            message = f"the vault {vault} asks for a token that is not meant for {audience}"
            hint = Public("what answers is not a Key Vault of this machine's cloud")
            raise Refused(Public(message), hint)
        if self._renewed:
            hint = Public("is the vault in the same Microsoft Entra tenant as the machine?")
            raise Refused(Public(f"the vault {vault} does not accept this machine's token"), hint)
        self._renewed = True
        self._rules.forget(audience, self._selector, refused)
        return Retry("401")

    def _wait(self, again: Retry) -> None:
        wait = self._pacing.next_wait(self._rules.clock(), min_wait=again.min_wait)
        if wait is None or self._rules.is_over():
            raise NoResponse(again.outcome)
        self._tell("vault.retry", outcome=again.outcome, wait=wait)
        end = self._rules.clock() + wait
        while (left := end - self._rules.clock()) > 0:
            self._rules.sleep(min(left, POLL_INTERVAL))
            if self._rules.is_over():
                raise NoResponse(again.outcome)

    def _tell(self, event: str, **fields: Any) -> None:
        if self._rules.on_event:
            address = self._address
            self._rules.on_event(event, vault=address.vault, secret=address.name, **fields)


FAULT_HINT = Public(
    "check vaults.ca_file, the proxies of the environment, and what answers at that name"
)
