"""The tokens of one run: each is asked for once, whoever and how many ask for it."""

from __future__ import annotations

import time
from threading import Lock

from bootstrap.errors import BootstrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from bootstrap.errors import Public
    from bootstrap.identity.identity_id import Selector
    from bootstrap.identity.token import Token
    from bootstrap.secret import Secret

    Fetch: TypeAlias = Callable[[str, Selector], Token]


class TokenCache:
    """Tokens by audience and selector, in memory and nowhere else.

    `fetch` gets one that is not there, while others who want the same one wait for it. A fetch
    that failed has failed for everybody: its error is raised again without another request.
    """

    __slots__ = ("_clock", "_entries", "_fetch", "_lock")

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._fetch = fetch
        self._lock = Lock()
        self._entries: dict[tuple[str, Selector], _Place] = {}

    def get(self, audience: str, selector: Selector) -> Secret:
        """The token, from the shelf or fetched. Raises what the fetch raises."""
        place = self._place(audience, selector)
        with place.lock:
            if place.failure:
                kind, message, hint, public = place.failure
                raise kind(message, hint=hint, public=public)
            if place.secret is None or self._clock() >= place.end:
                return self._fill(place, audience, selector)
            return place.secret

    def discard(self, audience: str, selector: Selector, refused: Secret | None = None) -> None:
        """Forget a token, so that it is fetched again; with `refused`, only if it is that one."""
        place = self._place(audience, selector)
        with place.lock:
            if refused is None or refused == place.secret:
                place.secret = place.failure = None

    def _fill(self, place: _Place, audience: str, selector: Selector) -> Secret:
        try:
            token = self._fetch(audience, selector)
        except BootstrapError as error:
            # Its words only: the error itself would keep the answers it came from in memory.
            place.failure = type(error), error.message, error.hint, error.public
            raise
        place.secret, place.end = token.secret, self._clock() + token.seconds
        return token.secret

    def _place(self, audience: str, selector: Selector) -> _Place:
        with self._lock:
            return self._entries.setdefault((audience, selector), _Place())


class _Place:
    """Where one token lies, or the error that came instead; used under its lock."""

    __slots__ = ("end", "failure", "lock", "secret")

    def __init__(self) -> None:
        self.end = 0.0
        self.failure: tuple[type[BootstrapError], str, str, Public] | None = None
        self.lock = Lock()
        self.secret: Secret | None = None
