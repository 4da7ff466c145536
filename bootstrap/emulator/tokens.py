"""Access tokens: what was given out, to whom and for whom."""

from __future__ import annotations

import secrets
import threading

from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.emulator.identities import Identity

_BYTES = 48  # of randomness in a token


class Grant(Frozen):
    """What one token is good for; `expires` is in seconds since 1970."""

    audience: str
    identity: Identity
    expires: float


class Tokens:
    """Every token that was given out. A token is an opaque text: it says nothing by itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._grants: dict[str, Grant] = {}

    def issue(self, grant: Grant) -> str:
        """A new token; each is given once."""
        token = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._grants[token] = grant
        return token

    def find(self, token: str) -> Grant | None:
        """What a token is good for, expired or not; None for one that is not from here."""
        with self._lock:
            return self._grants.get(token)
