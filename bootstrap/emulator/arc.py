"""The challenge of an Arc machine's agent: who can read its key file may have a token.

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

# Of the token; the instance has its own: https://learn.microsoft.com/azure/azure-arc/servers/
TOKEN_VERSIONS = ("2019-11-01", "2020-06-01")
_KEY_BYTES = 128  # of randomness, as base64 well below the 4,096 that clients take
_SCHEME = "Basic "


class ArcKeys:
    """Key files that lie in the agent's folder, each good for one request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, str] = {}  # key -> file
        self._folders: list[str] = []

    def challenge(self, arc: Arc) -> str:
        """Write a new key and give the value of `WWW-Authenticate` that names its file."""
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
        """Whether the header holds a key that was not used yet; now it is, and its file is gone."""
        if not authorization.startswith(_SCHEME):
            return False
        with self._lock:
            path = self._files.pop(authorization.removeprefix(_SCHEME), None)
            if path:
                _remove(path)
        return path is not None

    def close(self) -> None:
        """Remove the keys that are left, and the folders that were made for them."""
        with self._lock:
            for path in self._files.values():
                _remove(path)
            for folder in reversed(self._folders):
                with contextlib.suppress(OSError):  # somebody has put something into it
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
