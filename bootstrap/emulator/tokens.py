"""The access tokens that were issued, with their identity and audience."""

from __future__ import annotations

import secrets
import threading

from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.emulator.identities import Identity

_BYTES = 48  # of randomness in a token


class Grant(Frozen):
    """The audience and the identity of one token; `expires` is in seconds since 1970."""

    audience: str
    identity: Identity
    expires: float


class Tokens:
    """Every token that was issued. A token is an opaque text, without content of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._grants: dict[str, Grant] = {}

    def issue(self, grant: Grant) -> str:
        """Return a new token for the grant; no token is issued twice."""
        token = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._grants[token] = grant
        return token

    def find(self, token: str) -> Grant | None:
        """Return the grant of a token, expired or not, or None if the token was not issued here."""
        with self._lock:
            return self._grants.get(token)
