"""Azure Arc: a machine outside of Azure, whose agent serves an IMDS and an identity endpoint."""

from __future__ import annotations

import sys

from bootstrap.errors import SettingsError
from bootstrap.frozen import Frozen
from bootstrap.fs.root import exists_in_root
from bootstrap.http import responses
from bootstrap.http.endpoint import parse_endpoint
from bootstrap.http.http1 import Response
from bootstrap.http.retry import PermanentError
from bootstrap.identity.arc_key import DISTRUST, read_key, realm_of
from bootstrap.identity.service import HEADERS, PATH, IdentityService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootstrap.identity.identity_id import Selector
    from bootstrap.identity.service import Send
    from bootstrap.secret import Secret

__all__ = ["AGENT", "ENDPOINT", "INSTANCE_VERSION", "Arc", "ArcService", "detect"]

# https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
ENDPOINT = "http://localhost:40342"
INSTANCE_VERSION = "2019-11-01"  # the api-version of Arc's /metadata/instance

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_UNAUTHORIZED = 401
_PIECE = 8  # characters; no message quotes this many consecutive characters of the key

_NOT_RUNNING = "the Azure Connected Machine agent does not answer: systemctl status himdsd"
_HINTS = dict.fromkeys(("refused", "reset", "timeout", "short", "garbage"), _NOT_RUNNING) | {
    "401": "the key was not taken: see `azcmagent show`, and journalctl -u himdsd",
    "403": "run as root, or as a member of the group himds",
    "wrong-token": "update the Azure Connected Machine agent: an old one answers for a "
    "user-assigned identity with the machine's own",
}

if sys.platform == "win32":
    from bootstrap.identity.arc_files_windows import AGENT
else:
    AGENT = "opt/azcmagent/bin/himds"  # below the root; if it exists, the endpoint does, too


class Arc(Frozen):
    """The two endpoints of the Azure Arc agent, each as `http://host:port`."""

    imds_endpoint: str
    identity_endpoint: str


def detect(environ: Mapping[str, str], root: str = "/") -> Arc | None:
    """Return Arc's endpoints, or `None` if this machine is not one of Arc's.

    They are in IMDS_ENDPOINT and IDENTITY_ENDPOINT. Both variables have to be set, because App
    Service sets IDENTITY_ENDPOINT alone. Without them, the defaults apply if the agent is
    installed below `root`. Raises `SettingsError` for an endpoint that is not on loopback, because
    the key would be sent to it.
    """
    imds, identity = environ.get("IMDS_ENDPOINT", ""), environ.get("IDENTITY_ENDPOINT", "")
    if imds and identity:
        return Arc(
            imds_endpoint=_local("IMDS_ENDPOINT", imds),
            identity_endpoint=_local("IDENTITY_ENDPOINT", identity, path=PATH),
        )
    if exists_in_root(AGENT, root):
        return Arc(imds_endpoint=ENDPOINT, identity_endpoint=ENDPOINT)
    return None


class ArcService(IdentityService):
    """The identity endpoint of an Arc machine; its key files are below `root`."""

    __slots__ = ("_root",)

    api_version = "2020-06-01"
    echoes = True
    _title = "the Azure Arc agent"
    _assign = "connect this machine to Azure Arc, which gives it an identity: azcmagent connect"

    def __init__(self, arc: Arc, *, root: str = "/") -> None:
        super().__init__(arc.identity_endpoint)
        self._root = root

    def exchange(self, send: Send) -> Response:
        """Send the request without a key, read the key file it names, and send it with the key.

        Returns the second response, or the first one if it is not a challenge. Passes on what
        `send` raises. Raises `PermanentError` if the first response is a token or the key file
        cannot be
        trusted.
        """
        challenge = send(HEADERS)
        if challenge.status == 200:  # noqa: PLR2004
            raise PermanentError(
                "challenge", "gave a token without asking for the key", hint=DISTRUST
            )
        if challenge.status != _UNAUTHORIZED:
            return challenge
        key = read_key(realm_of(challenge.headers.get("www-authenticate", "")), self._root)
        return _discreet(send(HEADERS | {"Authorization": f"Basic {key.reveal()}"}), key)

    def hint(self, outcome: str, said: str, selector: Selector) -> str:
        """Return what a person can do about an outcome; `said` is the service's error message."""
        return _HINTS.get(outcome) or super().hint(outcome, said, selector)


def _discreet(response: Response, key: Secret) -> Response:
    """Return the response, without its headers and body if its error message quotes the key."""
    text, said = key.reveal(), responses.server_message(response)
    width = min(_PIECE, len(text))
    pieces = (said[start : start + width] for start in range(len(said) - width + 1))
    return Response(response.status, {}, b"") if any(p in text for p in pieces) else response


def _local(variable: str, text: str, *, path: str = "") -> str:
    """Return the endpoint in a variable, without `path` at its end.

    Raises `SettingsError` if it is not an endpoint or not on loopback.
    """
    hint = f"unset IMDS_ENDPOINT and IDENTITY_ENDPOINT, or let them begin with {ENDPOINT}"
    try:
        endpoint = parse_endpoint(text.rstrip("/").removesuffix(path))
    except SettingsError as error:
        raise SettingsError(f"{variable} in the environment: {error.message}", hint=hint) from None
    if endpoint.host not in _LOOPBACK:
        raise SettingsError(
            f"{variable} in the environment is {text!r}, and Azure Arc answers on loopback only",
            hint=hint,
        )
    return str(endpoint)
