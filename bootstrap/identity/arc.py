"""Azure Arc: a machine outside Azure that its agent gives an IMDS and an identity."""

from __future__ import annotations

import os.path
import sys

from bootstrap.errors import SettingsError
from bootstrap.frozen import Frozen
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

# https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
ENDPOINT = "http://localhost:40342"
INSTANCE_VERSION = "2019-11-01"  # the api-version of Arc's /metadata/instance

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_UNAUTHORIZED = 401
_PIECE = 8  # characters; a longer piece of the key is not repeated in words of ours

_NOT_RUNNING = "the Azure Connected Machine agent does not answer: systemctl status himdsd"
_HINTS = dict.fromkeys(("refused", "reset", "timeout", "short", "garbage"), _NOT_RUNNING) | {
    "401": "the key was not taken: see `azcmagent show`, and journalctl -u himdsd",
    "403": "run as root, or as a member of the group himds",
    "wrong-token": "update the Azure Connected Machine agent: an old one answers for a "
    "user-assigned identity with the machine's own",
}

if sys.platform == "win32":
    from bootstrap.windows.identity.arc_files import AGENT
else:
    AGENT = "opt/azcmagent/bin/himds"  # below the root; where it is, the endpoint is


class Arc(Frozen):
    """Where the agent of Azure Arc answers, each as `http://host:port`."""

    imds_endpoint: str
    identity_endpoint: str


def detect(environ: Mapping[str, str], root: str = "/") -> Arc | None:
    """Arc's endpoints, from the environment or because its agent lies below `root`; else `None`.

    Both variables have to be set: App Service sets IDENTITY_ENDPOINT alone. Raises
    `SettingsError` for an endpoint that is not this machine's own: it would be sent a key.
    """
    imds, identity = environ.get("IMDS_ENDPOINT", ""), environ.get("IDENTITY_ENDPOINT", "")
    if imds and identity:
        return Arc(
            imds_endpoint=_local("IMDS_ENDPOINT", imds),
            identity_endpoint=_local("IDENTITY_ENDPOINT", identity, path=PATH),
        )
    if os.path.exists(os.path.join(root, AGENT)):
        return Arc(imds_endpoint=ENDPOINT, identity_endpoint=ENDPOINT)
    return None


class ArcService(IdentityService):
    """Where an Arc machine's tokens come from; its key files lie below `root`."""

    __slots__ = ("_root",)

    api_version = "2020-06-01"
    echoes = True
    _title = "the Azure Arc agent"
    _assign = "connect this machine to Azure Arc, which gives it an identity: azcmagent connect"

    def __init__(self, arc: Arc, *, root: str = "/") -> None:
        super().__init__(arc.identity_endpoint)
        self._root = root

    def exchange(self, send: Send) -> Response:
        """The answer to a question with the key that the answer to one without names."""
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
        """What a person can do about an outcome, of which the service `said` something."""
        return _HINTS.get(outcome) or super().hint(outcome, said, selector)


def _discreet(response: Response, key: Secret) -> Response:
    """The answer; one whose words hold a piece of the key, without its words."""
    text, said = key.reveal(), responses.server_message(response)
    width = min(_PIECE, len(text))
    pieces = (said[start : start + width] for start in range(len(said) - width + 1))
    return Response(response.status, {}, b"") if any(p in text for p in pieces) else response


def _local(variable: str, text: str, *, path: str = "") -> str:
    """The endpoint in a variable, without `path` at its end."""
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
