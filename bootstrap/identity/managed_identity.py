"""Tokens of the machine's managed identities, each requested once in a run."""

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
_SPACING = 0.055  # seconds between two starts; above 0.05, because arrivals are less even


class Identity:
    """A client for one run; its methods may be called from any thread.

    `service` is `http://host[:port][/base]` for the IMDS at that endpoint, empty for the
    platform's IMDS, or an `ArcService`. `deadline` is a time on `clock`. `timeout` is the number
    of seconds that one request may take. There are two grace periods, in seconds. Each starts
    with the first response of its kind, and there is one of each per run: `grace` for 401, 403 and
    421 (a guest proxy agent that starts), `attach` for an identity that is not attached yet.
    `on_attempt` is called after each request, in the thread that sent it. `wall_clock` returns the
    seconds since 1970. A wrong endpoint raises `SettingsError`.
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
        """Return the token for `audience` (`https://vault.azure.net`) of the identity `selector`.

        The first call requests the token, and so does a call after the token has expired. Other
        calls return the same token or raise the same error. Raises `IdentityUnavailable` at the
        deadline, `IdentityRefused` if another request would get the same response.
        """
        return self._tokens.get(_named(audience), selector)

    def forget(
        self, audience: str, selector: Selector = OWN, refused: Secret | None = None
    ) -> None:
        """Discard a token that the vault did not accept, so that the next `token` requests one.

        `refused` is that token. If it is given and another thread has got a new token since, the
        new one is kept.
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
            spacing=0.0,  # the throttle spaces the requests of all series
            on_attempt=self._on_attempt,
            clock=self._clock,
            sleep=self._sleep,
            uniform=self._uniform,
        )

    def _send(self, path: str, headers: Mapping[str, str]) -> Response:
        # Each request ends at the deadline, so no thread waits longer for a lane.
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
