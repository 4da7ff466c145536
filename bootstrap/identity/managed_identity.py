"""Tokens of the machine's managed identities, each asked for once in a run."""

from __future__ import annotations

import time

from bootstrap.http import transport
from bootstrap.http.limiter import RateLimiter
from bootstrap.http.pacing import RequestPacing
from bootstrap.http.retry import GracePeriod
from bootstrap.identity.identity_id import OWN, Selector
from bootstrap.identity.service import IdentityService
from bootstrap.identity.token_cache import TokenCache
from bootstrap.identity.token_request import TokenRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.http.http1 import Response
    from bootstrap.http.pacing import Attempt, Uniform
    from bootstrap.identity.token import Token
    from bootstrap.secret import Secret

__all__ = ["OWN", "Identity", "Selector"]

# The endpoint allows 20 requests a second and 5 at once:
# https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#rate-limiting
_LANES = 5
_SPACING = 0.055  # seconds between two starts; a little over 0.05, as they arrive less evenly


class Identity:
    """One client, for one run; its methods may be called from any thread.

    `service` is where tokens come from: `http://host[:port][/base]` for IMDS there, empty for the
    platform's own, or an `ArcService`. `deadline` is a moment on `clock`; `timeout` the seconds
    that one request may take. Two budgets, in seconds, begin with the first answer that draws on
    them and hold for the run: `grace` for 401, 403 and 421 (a guest proxy agent that starts),
    `attach` for an identity that is not there yet. `on_attempt` hears of each request, from the
    thread that made it. `wall_clock` gives the seconds since 1970. A wrong endpoint raises
    `SettingsError`.
    """

    __slots__ = (
        "_attach",
        "_clock",
        "_deadline",
        "_grace",
        "_limiter",
        "_on_attempt",
        "_service",
        "_sleep",
        "_timeout",
        "_tokens",
        "_uniform",
        "_wall",
    )

    def __init__(
        self,
        service: str | IdentityService = "",
        *,
        deadline: float,
        timeout: float = 5.0,
        grace: float = 60.0,
        attach: float = 120.0,
        on_attempt: Callable[[Attempt], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Uniform | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._service = IdentityService(service) if isinstance(service, str) else service
        self._deadline = deadline
        self._timeout = timeout
        self._grace = GracePeriod(grace, clock)
        self._attach = GracePeriod(attach, clock)
        self._on_attempt = on_attempt
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform
        self._wall = wall_clock
        self._limiter = RateLimiter(_LANES, _SPACING, clock=clock, sleep=sleep)
        self._tokens = TokenCache(self._fetch, clock=clock)

    def token(self, audience: str, selector: Selector = OWN) -> Secret:
        """The token for `audience` (`https://vault.azure.net`) of the identity `selector`.

        The first call asks, and so does one after the token has expired; others get what that
        one got, be it an error. Raises `IdentityUnavailable` at the deadline, `IdentityRefused`
        when asking again would get the same answer.
        """
        return self._tokens.get(_named(audience), selector)

    def forget(
        self, audience: str, selector: Selector = OWN, refused: Secret | None = None
    ) -> None:
        """Let the next `token` ask again, because the vault did not take the one it was given.

        With `refused`, that token: nothing is forgotten when another thread got a new one since.
        """
        self._tokens.discard(_named(audience), selector, refused)

    def _fetch(self, audience: str, selector: Selector) -> Token:
        path = self._service.path(audience, selector)
        return TokenRequest(
            self._service,
            audience,
            selector,
            send=lambda headers: self._send(path, headers),
            pacing=self._patience(),
            grace=self._grace,
            attach=self._attach,
            wall_clock=self._wall,
        ).run()

    def _patience(self) -> RequestPacing:
        return RequestPacing(
            deadline=self._deadline,
            spacing=0.0,  # the throttle spaces the requests of all series together
            on_attempt=self._on_attempt,
            clock=self._clock,
            sleep=self._sleep,
            uniform=self._uniform,
        )

    def _send(self, path: str, headers: Mapping[str, str]) -> Response:
        # A request ends by the deadline, so who waits for a lane does not wait longer either.
        with self._limiter.turn():
            return transport.get(
                self._service.endpoint,
                path,
                headers=headers,
                deadline=self._deadline,
                timeout=self._timeout,
                clock=self._clock,
            )


def _named(audience: str) -> str:
    return audience.removesuffix("/")
