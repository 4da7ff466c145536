"""The identity endpoint of IMDS: how it is asked, and what a person can do when it refuses."""

from __future__ import annotations

from bootstrap.http import responses
from bootstrap.http.endpoint import parse_endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from bootstrap.http.http1 import Response
    from bootstrap.identity.identity_id import Selector

    Send: TypeAlias = Callable[[Mapping[str, str]], Response]  # takes the request's headers

PATH = "/metadata/identity/oauth2/token"
HEADERS = {"Metadata": "true"}

_HINTS = {
    "429": "another program on this machine asks for tokens more than 20 times a second: find "
    "and slow it",
    "wrong-token": "assign the identity that is asked for to this VM, or correct its name; if both "
    "are right, something else answers in the place of IMDS",
    "expired": "the service gives a token that has expired: a later run may succeed",
}
_SEVERAL = (
    "say which identity is meant: identity.client_id, identity.object_id or identity.msi_res_id, "
    "or vaults.identities for one vault"
)


class IdentityService:
    """Where tokens come from. `endpoint` is `http://host[:port][/base]`, empty for the platform's.

    `echoes` says whether every answer repeats the identity that was asked for, whatever kind of
    name it was asked by. A wrong endpoint raises `SettingsError`.
    """

    __slots__ = ("endpoint",)

    # The version that every client asks for; there is no newer one that says more.
    # https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
    api_version = "2018-02-01"
    echoes = False
    _title = "the identity endpoint of IMDS"
    _assign = "give this VM a managed identity: az vm identity assign"

    def __init__(self, endpoint: str = "") -> None:
        self.endpoint = parse_endpoint(endpoint)

    def __str__(self) -> str:
        return f"{self._title} at {self.endpoint}"

    def path(self, audience: str, selector: Selector) -> str:
        """What to ask for a token for `audience` as `selector`."""
        path = f"{PATH}?api-version={self.api_version}&resource={_quoted(audience)}"
        return f"{path}&{selector.kind}={_quoted(selector.value)}" if selector.kind else path

    def exchange(self, send: Send) -> Response:
        """The answer to one question, which `send` puts with the given headers.

        Passes on what `send` raises; raises `PermanentError` when the service is not to be trusted.
        """
        return send(HEADERS)

    def hint(self, outcome: str, said: str, selector: Selector) -> str:
        """What a person can do about an outcome, of which the service `said` something.

        Its words only choose the advice here; they never decide what the program does.
        """
        if outcome in {"400", "404"}:
            if "multiple" in said.casefold():
                return _SEVERAL
            if selector.kind:
                return f"assign the identity {selector} to this machine, or correct its name"
            return self._assign
        return _HINTS.get(outcome) or responses.hint(outcome)


def _quoted(text: str) -> str:
    from urllib.parse import quote  # only a run that needs a token pays for it

    # Two dots are harmless here, and yet a guest proxy agent turns down a request that holds them.
    return quote(text, safe="").replace("..", "%2E%2E")
