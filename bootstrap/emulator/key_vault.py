"""The Key Vaults of a machine file: one request, one reply.

Documented rules: https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses.
This module decides what the page does not define; each decision is beside its rule.
"""

from __future__ import annotations

from bootstrap.emulator import vault_replies as replies
from bootstrap.emulator.clouds import cloud_of
from bootstrap.emulator.fault import NO_FAULT
from bootstrap.emulator.faults import FaultScript, apply_fault
from bootstrap.emulator.messages import BadRequest, ServiceError, phrase
from bootstrap.emulator.paging import page
from bootstrap.emulator.rate import RateLimit
from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.emulator.clouds import Cloud
    from bootstrap.emulator.fault import Fault
    from bootstrap.emulator.identities import Identity
    from bootstrap.emulator.machine import Machine
    from bootstrap.emulator.messages import IncomingRequest, Reply
    from bootstrap.emulator.secret_store import SecretStore, StoredVersion
    from bootstrap.emulator.tokens import Tokens
    from bootstrap.emulator.vault import CertificateSpec, SecretSpec, Vault

# The last two are dates: https://learn.microsoft.com/rest/api/keyvault/#api-versions
API_VERSIONS = ("7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2026-04-01")
_SCHEME = "bearer "


class _Target(Frozen):
    """The vault that one request is for, and the URL by which the client named it."""

    name: str
    vault: Vault
    base: str  # https://contoso.vault.azure.net


class KeyVaults:
    """All vaults of one machine file; the Host header of a request names its vault."""

    def __init__(
        self,
        shelf: SecretStore,
        tokens: Tokens,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._shelf = shelf
        self._tokens = tokens
        self._clock = clock
        self._wall = wall
        self._started = clock()
        self._rates: dict[str, RateLimit] = {}
        self._scripts: dict[str, FaultScript] = {}

    def respond(self, ask: IncomingRequest, machine: Machine) -> tuple[Reply | None, Fault]:
        """Return the reply, and the fault that its delivery follows."""
        vaults, cloud = machine.vaults or {}, cloud_of(machine.environment)
        self._shelf.stock(vaults)
        try:
            target = _target(ask.header("host"), vaults, cloud)
        except ServiceError as refused:
            return refused.reply, NO_FAULT
        rate_limit = self._rates.setdefault(target.name, RateLimit(self._clock))
        admitted = rate_limit.admit(target.vault.rate)
        fault = self._scripts.setdefault(target.name, FaultScript()).next(target.vault.faults)

        def answer() -> Reply:
            if not admitted:
                return _throttled()
            return self._answer(ask, target, cloud)

        return apply_fault(fault, answer, scripted), fault

    def _answer(self, ask: IncomingRequest, target: _Target, cloud: Cloud) -> Reply:
        try:
            if ask.method != "GET":
                return replies.failure(405, "MethodNotAllowed", "This vault can only be read.")
            caller = self._caller(ask.header("authorization"), cloud)
            self._check_access(caller, target)
            parameters = ask.parameters()
            _check_version(parameters)
            return self._routed(ask.steps, parameters, target, caller)
        except BadRequest as bad:
            return replies.failure(bad.status, "BadParameter", bad.message)
        except ServiceError as refused:
            return refused.reply

    def _caller(self, authorization: str, cloud: Cloud) -> Identity:
        """Return the token's identity. Raises Refused, with the challenge, before other checks."""
        if not authorization.casefold().startswith(_SCHEME):
            message = "AKV10000: Request is missing a Bearer or PoP token."
            raise ServiceError(replies.challenge(cloud, message))
        grant = self._tokens.find(authorization[len(_SCHEME) :])
        if grant is None:
            raise ServiceError(replies.challenge(cloud, "Error validating token: it is not known."))
        if grant.audience != cloud.audience:
            words = f"Expected {cloud.audience}, found: {grant.audience}"
            raise ServiceError(replies.challenge(cloud, f"AKV10022: Invalid audience. {words}."))
        if grant.expires <= self._wall():
            raise ServiceError(replies.challenge(cloud, "Error validating token: it has expired."))
        return grant.identity

    def _check_access(self, caller: Identity, target: _Target) -> None:
        """Raise Refused if the whole vault refuses this caller, or any caller at this time."""
        vault = target.vault
        if vault.forbidden:
            raise ServiceError(replies.forbidden(vault.forbidden, target.name, caller))
        granted = self._clock() - self._started >= vault.grant_after
        allowed = {client_id.casefold() for client_id in vault.allowed}
        if not granted or (allowed and caller.client_id.casefold() not in allowed):
            raise ServiceError(replies.forbidden("ForbiddenByRbac", target.name, caller))

    def _routed(
        self, steps: list[str], parameters: Mapping[str, str], target: _Target, caller: Identity
    ) -> Reply:
        match steps:
            case ["secrets" | "certificates" as kind]:
                return self._name_list(kind, parameters, target)
            case ["secrets" | "certificates" as kind, name, "versions"]:
                return self._version_list(kind, name, parameters, target)
            case ["secrets" | "certificates" as kind, name]:
                return self._single_version(kind, name, "", target, caller)
            case ["secrets" | "certificates" as kind, name, version]:
                return self._single_version(kind, name, version, target, caller)
            case _:
                return replies.failure(404, "NotFound", "This vault has no such resource.")

    def _single_version(
        self, kind: str, name: str, version: str, target: _Target, caller: Identity
    ) -> Reply:
        """Return one version, the last if none is named. A disabled certificate can be read."""
        forbidden = _forbidden(target.vault, name)
        if forbidden:
            raise ServiceError(replies.forbidden(forbidden, target.name, caller))
        held = self._held(kind, name, target)
        chosen = next((entry for entry in reversed(held) if version in ("", entry.version)), None)
        if chosen is None:
            return replies.not_found(kind, f"{name}/{version}" if version else name)
        if kind == "certificates":
            return replies.answered(200, replies.certificate_bundle(target.base, name, chosen))
        if not chosen.enabled:
            return replies.disabled()
        return replies.answered(200, replies.secret_bundle(target.base, name, chosen))

    def _name_list(self, kind: str, parameters: Mapping[str, str], target: _Target) -> Reply:
        """Return the list of names; the list of secrets includes the certificates' secrets."""
        names = {**target.vault.certificates, **(target.vault.secrets if kind == "secrets" else {})}
        item = replies.secret_item if kind == "secrets" else replies.certificate_item
        items = [
            item(f"{target.base}/{kind}/{name}", self._held(kind, name, target)[-1])
            for name in sorted(names, key=str.casefold)
        ]
        return replies.answered(200, page(items, f"{target.base}/{kind}", parameters))

    def _version_list(
        self, kind: str, name: str, parameters: Mapping[str, str], target: _Target
    ) -> Reply:
        """Return the list of versions; the list is empty for a name that does not exist."""
        item = replies.secret_item if kind == "secrets" else replies.certificate_item
        url = f"{target.base}/{kind}/{name}"
        items = [item(f"{url}/{held.version}", held) for held in self._held(kind, name, target)]
        return replies.answered(200, page(items, f"{url}/versions", parameters))

    def _held(self, kind: str, name: str, target: _Target) -> list[StoredVersion]:
        """Return the versions of a name, or none if the machine file no longer has the name."""
        known = {*target.vault.certificates, *(target.vault.secrets if kind == "secrets" else ())}
        if name.casefold() not in {other.casefold() for other in known}:
            return []
        return self._shelf.versions(target.name, name)


def scripted(status: int) -> Reply:
    """Return the reply for a status of the fault script."""
    code = phrase(status).replace(" ", "") or "Error"
    return replies.failure(status, code, phrase(status))


def _throttled() -> Reply:
    message = "Request was not processed because too many requests were received."
    return replies.failure(429, "Throttled", message, ("Retry-After", "1"))


def _target(host: str, vaults: Mapping[str, Vault], cloud: Cloud) -> _Target:
    """Return the vault that a host names: NAME.SUFFIX, or an address if there is only one vault.

    Raises Refused. A name that no vault has would not exist in DNS; the emulator replies with 404.
    """
    name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
    first, _, rest = name.casefold().partition(".")
    if rest == cloud.suffix and first in vaults:
        return _Target(name=first, vault=vaults[first], base=f"https://{host}")
    if rest == cloud.suffix or not _is_address(name):
        message = f"There is no vault {name}: this machine file's are named NAME.{cloud.suffix}"
        raise ServiceError(replies.failure(404, "VaultNotFound", message))
    if len(vaults) != 1:
        message = f"{host} is any of {len(vaults)} vaults: send the vault's own name as Host"
        raise ServiceError(replies.failure(400, "BadParameter", message))
    (first,) = vaults
    return _Target(name=first, vault=vaults[first], base=f"https://{host}")


def _is_address(name: str) -> bool:
    from ipaddress import ip_address

    try:
        return name == "localhost" or bool(ip_address(name.strip("[]")))
    except ValueError:
        return False


def _check_version(parameters: Mapping[str, str]) -> None:
    if "api-version" not in parameters:
        raise BadRequest("api-version must be specified")
    given = parameters["api-version"]
    if given not in API_VERSIONS:
        newest = f"Consider using the latest supported version ({API_VERSIONS[-1]})"
        raise BadRequest(f"The specified version ({given}) is not recognized. {newest}.")


def _forbidden(vault: Vault, name: str) -> str:
    """Return the inner code of the 403 of one secret or certificate, or an empty text for none."""
    specs: dict[str, SecretSpec | CertificateSpec] = {**vault.secrets, **vault.certificates}
    by_folded = {known.casefold(): spec for known, spec in specs.items()}
    spec = by_folded.get(name.casefold())
    return spec.forbidden if spec else ""
