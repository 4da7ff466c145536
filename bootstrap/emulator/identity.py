"""The identity endpoint: one request for a token, one reply.

Documented rules: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token.
What the page leaves open is decided here, each decision beside its rule.
"""

from __future__ import annotations

import re

from bootstrap.emulator.arc import TOKEN_VERSIONS, ArcKeys
from bootstrap.emulator.faults import FaultScript, spoiled
from bootstrap.emulator.identities import TENANT, TOKENS_AT_ONCE
from bootstrap.emulator.imds import check_manners
from bootstrap.emulator.messages import BadRequest, Refused, Reply, as_json, phrase
from bootstrap.emulator.rate import RateLimit, Slots
from bootstrap.emulator.tokens import Grant
from bootstrap.imds.versions import KNOWN_VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.emulator.fault import Fault
    from bootstrap.emulator.identities import Identity
    from bootstrap.emulator.machine import Machine
    from bootstrap.emulator.messages import Ask
    from bootstrap.emulator.tokens import Tokens

_FIRST_VERSION = "2018-02-01"  # of the identity endpoint
_SELECTORS = ("client_id", "object_id", "msi_res_id")
_RESOURCE = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/]+\S*|[0-9a-f-]{36}", re.IGNORECASE)
_CODES = {  # the error codes of the OpenAPI definition, by status
    400: "invalid_request",
    401: "unauthorized_client",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    429: "too_many_requests",
    503: "service_unavailable",
}


class IdentityEndpoint:
    """The identity service of one machine; `slots` are held while requests are answered."""

    def __init__(
        self, tokens: Tokens, clock: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self.slots = Slots(TOKENS_AT_ONCE)
        self._tokens = tokens
        self._wall = wall
        self._rate = RateLimit(clock)
        self._script = FaultScript()
        self._keys = ArcKeys()

    def respond(
        self, ask: Ask, machine: Machine, *, age: float, free: bool
    ) -> tuple[Reply | None, Fault]:
        """The answer, and how it is to be delivered.

        `age`: seconds since the machine's IMDS listens. `free`: fewer than five are being answered.
        """
        admitted = self._rate.admit(machine.identity_rate) and free
        fault = self._script.next(machine.identity_faults)
        attached = age >= machine.identity_delay

        def answer() -> Reply:
            if not admitted:
                return failure(429, "Too many requests")
            return self._answer(ask, machine, attached=attached)

        return spoiled(fault, answer, lambda status: failure(status, phrase(status))), fault

    def close(self) -> None:
        """Remove what lies in the Arc agent's folder."""
        self._keys.close()

    def _answer(self, ask: Ask, machine: Machine, *, attached: bool) -> Reply:
        try:
            check_manners(ask)
            parameters = ask.parameters()
            _check_version(parameters, machine)
            if ask.steps[2:] == ["info"]:
                return Reply(status=200, body=as_json({"tenantId": TENANT}))
            if ask.steps[2:] != ["oauth2", "token"]:
                return failure(404, "Not found")
            return self._token(ask, parameters, machine, attached=attached)
        except BadRequest as bad:
            return failure(bad.status, bad.message)
        except Refused as refused:
            return refused.reply

    def _token(
        self, ask: Ask, parameters: Mapping[str, str], machine: Machine, *, attached: bool
    ) -> Reply:
        resource = _resource(parameters)
        selector = _selector(parameters)
        if machine.arc and not self._keys.accept(ask.header("authorization")):
            challenge = (("WWW-Authenticate", self._keys.challenge(machine.arc)),)
            raise Refused(failure(401, "Missing Basic Authorization header", challenge))
        if machine.arc and machine.arc.old_agent:
            selector = {}
        identity = _identity(machine, selector) if attached else None
        if identity is None:
            raise BadRequest("Identity not found")
        return self._granted(identity, resource, selector, machine.token_lifetime)

    def _granted(
        self, identity: Identity, resource: str, selector: Mapping[str, str], lifetime: float
    ) -> Reply:
        """A new token each time. Numbers are text; the name that was asked for is echoed."""
        now = self._wall()
        grant = Grant(audience=resource, identity=identity, expires=now + lifetime)
        body = {
            "access_token": self._tokens.issue(grant),
            "client_id": identity.client_id,
            "expires_in": str(int(lifetime)),
            "expires_on": str(int(grant.expires)),
            "ext_expires_in": str(int(lifetime)),
            "not_before": str(int(now)),
            "resource": resource,
            "token_type": "Bearer",
            **selector,
        }
        return Reply(status=200, body=as_json(body))


def failure(status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """An error in this service's own shape: `{"error": …, "error_description": …}`."""
    code = _CODES.get(status, "server_error" if status >= 500 else "bad_request")  # noqa: PLR2004
    body = {"error": code, "error_description": message}
    return Reply(status=status, body=as_json(body), headers=headers)


def _check_version(parameters: Mapping[str, str], machine: Machine) -> None:
    """Later versions of IMDS are taken too: the newest SDKs ask with them."""
    if "api-version" not in parameters:
        raise BadRequest("Required query variable 'api-version' is missing")
    known = TOKEN_VERSIONS if machine.arc else KNOWN_VERSIONS
    if parameters["api-version"] not in known or parameters["api-version"] < _FIRST_VERSION:
        raise BadRequest("The api-version is not supported")


def _resource(parameters: Mapping[str, str]) -> str:
    """The audience as it was asked for: a slash at its end stays, and a vault minds it."""
    resource = parameters.get("resource", "")
    if not resource:
        raise BadRequest("Required query variable 'resource' is missing")
    if not _RESOURCE.fullmatch(resource):
        body = {
            "error": "invalid_resource",
            "error_description": f"AADSTS500011: The resource principal named {resource} was not"
            f" found in the tenant named {TENANT}.",
        }
        raise Refused(Reply(status=400, body=as_json(body)))
    return resource


def _selector(parameters: Mapping[str, str]) -> dict[str, str]:
    chosen = {name: parameters[name] for name in _SELECTORS if name in parameters}
    if len(chosen) > 1:
        names = ", ".join(chosen)
        raise BadRequest(f"Query variables {names} exclude each other")
    return chosen


def _identity(machine: Machine, selector: Mapping[str, str]) -> Identity | None:
    """The identity asked for; without a selector, the system's or the only one there is."""
    system, users = machine.system_identity, machine.user_identities
    everyone = [*filter(None, [system]), *users]
    for kind, name in selector.items():
        return next((one for one in everyone if one.is_named(kind, name)), None)
    if system is None and len(users) > 1:
        raise BadRequest(
            "Multiple user assigned identities exist, please specify the clientId / resourceId"
            " of the identity in the token request"
        )
    return everyone[0] if everyone else None
