"""The Key Vaults of a machine file: one request, one reply.

Documented rules: https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses.
What the page leaves open is decided here, each decision beside its rule.
"""

from __future__ import annotations

from bootstrap.emulator import vault_replies as replies
from bootstrap.emulator.clouds import cloud_of
from bootstrap.emulator.fault import NO_FAULT
from bootstrap.emulator.faults import FaultScript, spoiled
from bootstrap.emulator.messages import BadRequest, Refused, phrase
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
    from bootstrap.emulator.messages import Ask, Reply
    from bootstrap.emulator.secret_store import Held, Shelf
    from bootstrap.emulator.tokens import Tokens
    from bootstrap.emulator.vault import CertificateSpec, SecretSpec, Vault

# The last two are dates: https://learn.microsoft.com/rest/api/keyvault/#api-versions
API_VERSIONS = ("7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2026-04-01")
_SCHEME = "bearer "


class _Room(Frozen):
    """What one request is about: the vault, and how the client named it."""

    name: str
    vault: Vault
    base: str  # https://contoso.vault.azure.net


class KeyVaults:
    """All vaults of one machine file; which one is asked stands in the Host header."""

    def __init__(
        self, shelf: Shelf, tokens: Tokens, clock: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self._shelf = shelf
        self._tokens = tokens
        self._clock = clock
        self._wall = wall
        self._begun = clock()
        self._rates: dict[str, RateLimit] = {}
        self._scripts: dict[str, FaultScript] = {}

    def respond(self, ask: Ask, machine: Machine) -> tuple[Reply | None, Fault]:
        """The answer, and how it is to be delivered."""
        vaults, cloud = machine.vaults or {}, cloud_of(machine.environment)
        self._shelf.stock(vaults)
        try:
            room = _room(ask.header("host"), vaults, cloud)
        except Refused as refused:
            return refused.reply, NO_FAULT
        admitted = self._rates.setdefault(room.name, RateLimit(self._clock)).admit(room.vault.rate)
        fault = self._scripts.setdefault(room.name, FaultScript()).next(room.vault.faults)

        def answer() -> Reply:
            if not admitted:
                return _throttled()
            return self._answer(ask, room, cloud)

        return spoiled(fault, answer, scripted), fault

    def _answer(self, ask: Ask, room: _Room, cloud: Cloud) -> Reply:
        try:
            if ask.method != "GET":
                return replies.failure(405, "MethodNotAllowed", "This vault can only be read.")
            caller = self._caller(ask.header("authorization"), cloud)
            self._check_access(caller, room)
            parameters = ask.parameters()
            _check_version(parameters)
            return self._routed(ask.steps, parameters, room, caller)
        except BadRequest as bad:
            return replies.failure(bad.status, "BadParameter", bad.message)
        except Refused as refused:
            return refused.reply

    def _caller(self, authorization: str, cloud: Cloud) -> Identity:
        """Who the token is for; without a good one, the challenge comes before all else."""
        if not authorization.casefold().startswith(_SCHEME):
            message = "AKV10000: Request is missing a Bearer or PoP token."
            raise Refused(replies.challenge(cloud, message))
        grant = self._tokens.find(authorization[len(_SCHEME) :])
        if grant is None:
            raise Refused(replies.challenge(cloud, "Error validating token: it is not known."))
        if grant.audience != cloud.audience:
            words = f"Expected {cloud.audience}, found: {grant.audience}"
            raise Refused(replies.challenge(cloud, f"AKV10022: Invalid audience. {words}."))
        if grant.expires <= self._wall():
            raise Refused(replies.challenge(cloud, "Error validating token: it has expired."))
        return grant.identity

    def _check_access(self, caller: Identity, room: _Room) -> None:
        """Refuse what the vault as a whole refuses, to this caller or at this time."""
        vault = room.vault
        if vault.forbidden:
            raise Refused(replies.forbidden(vault.forbidden, room.name, caller))
        granted = self._clock() - self._begun >= vault.grant_after
        allowed = {client_id.casefold() for client_id in vault.allowed}
        if not granted or (allowed and caller.client_id.casefold() not in allowed):
            raise Refused(replies.forbidden("ForbiddenByRbac", room.name, caller))

    def _routed(
        self, steps: list[str], parameters: Mapping[str, str], room: _Room, caller: Identity
    ) -> Reply:
        match steps:
            case ["secrets" | "certificates" as kind]:
                return self._names(kind, parameters, room)
            case ["secrets" | "certificates" as kind, name, "versions"]:
                return self._versions(kind, name, parameters, room)
            case ["secrets" | "certificates" as kind, name]:
                return self._one(kind, name, "", room, caller)
            case ["secrets" | "certificates" as kind, name, version]:
                return self._one(kind, name, version, room, caller)
            case _:
                return replies.failure(404, "NotFound", "This vault has no such resource.")

    def _one(self, kind: str, name: str, version: str, room: _Room, caller: Identity) -> Reply:
        """One version, the last when none is named. A certificate can be read when disabled."""
        forbidden = _forbidden(room.vault, name)
        if forbidden:
            raise Refused(replies.forbidden(forbidden, room.name, caller))
        held = self._held(kind, name, room)
        found = next((one for one in reversed(held) if version in ("", one.version)), None)
        if found is None:
            return replies.not_found(kind, f"{name}/{version}" if version else name)
        if kind == "certificates":
            return replies.answered(200, replies.certificate_bundle(room.base, name, found))
        if not found.enabled:
            return replies.disabled()
        return replies.answered(200, replies.secret_bundle(room.base, name, found))

    def _names(self, kind: str, parameters: Mapping[str, str], room: _Room) -> Reply:
        """The list of names; that of the secrets has the certificates' secrets in it."""
        names = {**room.vault.certificates, **(room.vault.secrets if kind == "secrets" else {})}
        item = replies.secret_item if kind == "secrets" else replies.certificate_item
        items = [
            item(f"{room.base}/{kind}/{name}", self._held(kind, name, room)[-1])
            for name in sorted(names, key=str.casefold)
        ]
        return replies.answered(200, page(items, f"{room.base}/{kind}", parameters))

    def _versions(self, kind: str, name: str, parameters: Mapping[str, str], room: _Room) -> Reply:
        """The list of versions; that of a name which is not there is empty."""
        item = replies.secret_item if kind == "secrets" else replies.certificate_item
        items = [
            item(f"{room.base}/{kind}/{name}/{held.version}", held)
            for held in self._held(kind, name, room)
        ]
        return replies.answered(200, page(items, f"{room.base}/{kind}/{name}/versions", parameters))

    def _held(self, kind: str, name: str, room: _Room) -> list[Held]:
        """The versions, if the machine file still names them."""
        known = {*room.vault.certificates, *(room.vault.secrets if kind == "secrets" else ())}
        if name.casefold() not in {other.casefold() for other in known}:
            return []
        return self._shelf.versions(room.name, name)


def scripted(status: int) -> Reply:
    """The answer for a status that a fault script wants."""
    code = phrase(status).replace(" ", "") or "Error"
    return replies.failure(status, code, phrase(status))


def _throttled() -> Reply:
    message = "Request was not processed because too many requests were received."
    return replies.failure(429, "Throttled", message, ("Retry-After", "1"))


def _room(host: str, vaults: Mapping[str, Vault], cloud: Cloud) -> _Room:
    """The vault that a host names: NAME.SUFFIX, or by address when there is only one.

    A name that no vault has does not exist in DNS; here it is told by a 404.
    """
    name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
    first, _, rest = name.casefold().partition(".")
    if rest == cloud.suffix and first in vaults:
        return _Room(name=first, vault=vaults[first], base=f"https://{host}")
    if rest == cloud.suffix or not _is_address(name):
        message = f"There is no vault {name}: this machine file's are named NAME.{cloud.suffix}"
        raise Refused(replies.failure(404, "VaultNotFound", message))
    if len(vaults) != 1:
        message = f"{host} is any of {len(vaults)} vaults: send the vault's own name as Host"
        raise Refused(replies.failure(400, "BadParameter", message))
    (first,) = vaults
    return _Room(name=first, vault=vaults[first], base=f"https://{host}")


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
    """The inner code of the 403 for one secret or certificate, if it has one of its own."""
    specs: dict[str, SecretSpec | CertificateSpec] = {**vault.secrets, **vault.certificates}
    by_folded = {known.casefold(): spec for known, spec in specs.items()}
    spec = by_folded.get(name.casefold())
    return spec.forbidden if spec else ""
