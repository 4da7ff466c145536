"""The challenge of an Arc machine's agent: a client that can read its key file gets a token.

https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.emulator.identities import Arc

# The api-versions of the token endpoint; the instance has its own:
# https://learn.microsoft.com/azure/azure-arc/servers/
TOKEN_VERSIONS = ("2019-11-01", "2020-06-01")
_KEY_BYTES = 128  # of randomness; their base64 is well below the 4,096 bytes that clients accept
_SCHEME = "Basic "


class ArcKeys:
    """The key files in the agent's folder; each is valid for one request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, str] = {}  # key -> file
        self._folders: list[str] = []

    def challenge(self, arc: Arc) -> str:
        """Write a new key file and return the value of `WWW-Authenticate` that names it."""
        name = f"{uuid.uuid4()}.key"
        path = os.path.join(arc.tokens, name)
        key = secrets.token_urlsafe(_KEY_BYTES)
        with self._lock:
            self._make_folder(arc.tokens)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(key)
            self._files[key] = path
        return f"Basic realm={os.path.join(arc.announced or arc.tokens, name)}"

    def accept(self, authorization: str) -> bool:
        """Return whether the header holds an unused key; then it is used, and its file removed."""
        if not authorization.startswith(_SCHEME):
            return False
        with self._lock:
            path = self._files.pop(authorization.removeprefix(_SCHEME), None)
            if path:
                _remove(path)
        return path is not None

    def close(self) -> None:
        """Remove the remaining key files, and the folders that were created for them."""
        with self._lock:
            for path in self._files.values():
                _remove(path)
            for folder in reversed(self._folders):
                with contextlib.suppress(OSError):  # another program has put files into it
                    os.rmdir(folder)

    def _make_folder(self, folder: str) -> None:
        if os.path.isdir(folder):
            return
        self._make_folder(os.path.dirname(folder))
        os.mkdir(folder, 0o700)
        self._folders.append(folder)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
