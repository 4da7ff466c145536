"""One secret, asked for until there is an answer to keep."""

from __future__ import annotations

from bootstrap.errors import Public
from bootstrap.http.retry import GracePeriod
from bootstrap.keyvault.backoff import Pacing
from bootstrap.keyvault.client import Fault
from bootstrap.keyvault.responses import (
    Denied,
    Found,
    PermanentError,
    Retry,
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
    from bootstrap.keyvault.urls import Address
    from bootstrap.secret import Secret

    Token: TypeAlias = Callable[[str, Selector], Secret]
    Forget: TypeAlias = Callable[[str, Selector, Secret], None]

POLL_INTERVAL = 0.25  # seconds between two looks at whether the waiting still makes sense


class Refused(Exception):
    """The answer is final; the text says why, `hint` what to do.

    `public` is the text for everybody, where it differs.
    """

    def __init__(self, message: str, hint: str = "", *, public: Public | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.public = public


class Unanswered(Exception):
    """The deadline came first, or another secret ended the waiting; the text is the last word."""


class Rules:
    """What all questions of one run share.

    `token` and `forget` are the identity's; `audience` is the cloud's. `deadline` is a moment on
    `clock`, `grace` the seconds to bear a 403. `on_event` hears the name of what happened and its
    fields. Once `is_over` says so, nothing is asked a second time.
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


class Inquiry:
    """The questions for one secret, with the identity that `selector` names."""

    def __init__(self, address: Address, selector: Selector, vault: Vault, rules: Rules) -> None:
        self._address = address
        self._selector = selector
        self._vault = vault
        self._rules = rules
        self._pacing = Pacing(rules.deadline, rules.uniform)
        self._denials = GracePeriod(rules.grace, rules.clock)
        self._renewed = False

    def answer(self) -> Found:
        """The secret. Raises Refused, Unanswered, or what the identity raises."""
        while True:
            verdict = self._ask()
            if isinstance(verdict, Found):
                self._tell("vault.found", version=verdict.version)
                return verdict
            self._wait(verdict)

    def _ask(self) -> Found | Retry:
        """One question; what is neither an answer nor worth a repetition is raised."""
        token = self._rules.token(self._rules.audience, self._selector)
        try:
            answer = self._vault.get(self._address, token, deadline=self._rules.deadline)
        except Fault as fault:
            if fault.final:
                message = f"asking the vault {self._address.vault}: {fault}"
                raise Refused(message, FAULT_HINT) from None
            return Retry(fault.outcome)
        verdict = classify(answer, self._address)
        if isinstance(verdict, PermanentError):
            said = f" ({verdict.code})" if verdict.code else ""
            public = Public(verdict.message)
            raise Refused(f"{verdict.message}{said}", Public(verdict.hint), public=public)
        if isinstance(verdict, Denied):
            return self._denied(verdict)
        return self._renew(verdict, token) if isinstance(verdict, Unauthorized) else verdict

    def _denied(self, verdict: Denied) -> Retry:
        if self._denials.is_active():
            return Retry("403")
        waited = f" (still so after {self._rules.grace:g} s)" if self._rules.grace else ""
        raise Refused(Public(f"{verdict.message}{waited}"), Public(verdict.hint))

    def _renew(self, challenge: Unauthorized, refused: Secret) -> Retry:
        """Another token, once; none at all for a vault that asks for a token of somebody else."""
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
            raise Unanswered(again.outcome)
        self._tell("vault.retry", outcome=again.outcome, wait=wait)
        end = self._rules.clock() + wait
        while (left := end - self._rules.clock()) > 0:
            self._rules.sleep(min(left, POLL_INTERVAL))
            if self._rules.is_over():
                raise Unanswered(again.outcome)

    def _tell(self, event: str, **fields: Any) -> None:
        if self._rules.on_event:
            address = self._address
            self._rules.on_event(event, vault=address.vault, secret=address.name, **fields)


FAULT_HINT = Public(
    "check vaults.ca_file, the proxies of the environment, and what answers at that name"
)
