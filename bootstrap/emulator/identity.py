"""The identity endpoint: one request for a token, one reply.

Documented rules: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token.
This module decides what the page does not define; each decision is beside its rule.
"""

from __future__ import annotations

import re

from bootstrap.emulator.arc import TOKEN_VERSIONS, ArcKeys
from bootstrap.emulator.faults import FaultScript, apply_fault
from bootstrap.emulator.identities import TENANT, TOKENS_AT_ONCE
from bootstrap.emulator.imds import check_common_rules
from bootstrap.emulator.messages import BadRequest, Reply, ServiceError, as_json, phrase
from bootstrap.emulator.rate import RateLimit, Slots
from bootstrap.emulator.tokens import Grant
from bootstrap.imds.versions import KNOWN_VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.emulator.fault import Fault
    from bootstrap.emulator.identities import Identity
    from bootstrap.emulator.machine import Machine
    from bootstrap.emulator.messages import IncomingRequest
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
    """The identity service of one machine; a request holds one of `slots` while it is answered."""

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
        self, ask: IncomingRequest, machine: Machine, *, age: float, free: bool
    ) -> tuple[Reply | None, Fault]:
        """Return the reply, and the fault that its delivery follows.

        `age` is the seconds since the machine's IMDS began to listen. `free` is whether fewer
        than five other requests are being answered.
        """
        admitted = self._rate.admit(machine.identity_rate) and free
        fault = self._script.next(machine.identity_faults)
        attached = age >= machine.identity_delay

        def answer() -> Reply:
            if not admitted:
                return failure(429, "Too many requests")
            return self._answer(ask, machine, attached=attached)

        return apply_fault(fault, answer, lambda status: failure(status, phrase(status))), fault

    def close(self) -> None:
        """Remove the key files from the Arc agent's folder."""
        self._keys.close()

    def _answer(self, ask: IncomingRequest, machine: Machine, *, attached: bool) -> Reply:
        try:
            check_common_rules(ask)
            parameters = ask.parameters()
            _check_version(parameters, machine)
            if ask.steps[2:] == ["info"]:
                return Reply(status=200, body=as_json({"tenantId": TENANT}))
            if ask.steps[2:] != ["oauth2", "token"]:
                return failure(404, "Not found")
            return self._token(ask, parameters, machine, attached=attached)
        except BadRequest as bad:
            return failure(bad.status, bad.message)
        except ServiceError as refused:
            return refused.reply

    def _token(
        self,
        ask: IncomingRequest,
        parameters: Mapping[str, str],
        machine: Machine,
        *,
        attached: bool,
    ) -> Reply:
        resource = _resource(parameters)
        selector = _selector(parameters)
        if machine.arc and not self._keys.accept(ask.header("authorization")):
            challenge = (("WWW-Authenticate", self._keys.challenge(machine.arc)),)
            raise ServiceError(failure(401, "Missing Basic Authorization header", challenge))
        if machine.arc and machine.arc.old_agent:
            selector = {}
        identity = _identity(machine, selector) if attached else None
        if identity is None:
            raise BadRequest("Identity not found")
        return self._granted(identity, resource, selector, machine.token_lifetime)

    def _granted(
        self, identity: Identity, resource: str, selector: Mapping[str, str], lifetime: float
    ) -> Reply:
        """Return a reply with a new token; numbers are text, and the requested id is echoed."""
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
    """Return an error in this service's own shape: `{"error": …, "error_description": …}`."""
    code = _CODES.get(status, "server_error" if status >= 500 else "bad_request")  # noqa: PLR2004
    body = {"error": code, "error_description": message}
    return Reply(status=status, body=as_json(body), headers=headers)


def _check_version(parameters: Mapping[str, str], machine: Machine) -> None:
    """Raise BadRequest for an api-version that is missing or unknown.

    The later versions of IMDS are valid too, because the newest SDKs send them.
    """
    if "api-version" not in parameters:
        raise BadRequest("Required query variable 'api-version' is missing")
    known = TOKEN_VERSIONS if machine.arc else KNOWN_VERSIONS
    if parameters["api-version"] not in known or parameters["api-version"] < _FIRST_VERSION:
        raise BadRequest("The api-version is not supported")


def _resource(parameters: Mapping[str, str]) -> str:
    """Return the requested audience unchanged: a slash at its end stays, and a vault refuses it."""
    resource = parameters.get("resource", "")
    if not resource:
        raise BadRequest("Required query variable 'resource' is missing")
    if not _RESOURCE.fullmatch(resource):
        body = {
            "error": "invalid_resource",
            "error_description": f"AADSTS500011: The resource principal named {resource} was not"
            f" found in the tenant named {TENANT}.",
        }
        raise ServiceError(Reply(status=400, body=as_json(body)))
    return resource


def _selector(parameters: Mapping[str, str]) -> dict[str, str]:
    chosen = {name: parameters[name] for name in _SELECTORS if name in parameters}
    if len(chosen) > 1:
        names = ", ".join(chosen)
        raise BadRequest(f"Query variables {names} exclude each other")
    return chosen


def _identity(machine: Machine, selector: Mapping[str, str]) -> Identity | None:
    """Return the requested identity, or None if the machine does not have it.

    Without a selector, return the system-assigned identity, or else the only user-assigned one.
    Raises BadRequest if there are several of these.
    """
    system, users = machine.system_identity, machine.user_identities
    identities = [*filter(None, [system]), *users]
    for kind, name in selector.items():
        return next((identity for identity in identities if identity.is_named(kind, name)), None)
    if system is None and len(users) > 1:
        raise BadRequest(
            "Multiple user assigned identities exist, please specify the clientId / resourceId"
            " of the identity in the token request"
        )
    return identities[0] if identities else None
