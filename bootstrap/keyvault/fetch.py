"""All secrets of a configuration, fetched in parallel with one deadline."""

from __future__ import annotations

import threading
import time
from collections import deque
from math import ceil

from bootstrap.config.secret_policy import ALLOW_HINT
from bootstrap.errors import ImageError, Problem, Public, SecretsRefused, SecretsUnavailable
from bootstrap.frozen import Frozen
from bootstrap.identity.identity_id import OWN, Selector
from bootstrap.keyvault import certificates, encoding
from bootstrap.keyvault.certificates import UnusableCertificate
from bootstrap.keyvault.client import Vault
from bootstrap.keyvault.request import NoResponse, Refused, Rules, SecretRequest
from bootstrap.keyvault.responses import validity
from bootstrap.keyvault.urls import address_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from bootstrap.config.model import SecretReference
    from bootstrap.imds.clouds import Cloud
    from bootstrap.keyvault.backoff import Uniform
    from bootstrap.keyvault.request import Forget, Token
    from bootstrap.keyvault.responses import StoredSecret
    from bootstrap.keyvault.urls import SecretId
    from bootstrap.secret import Secret
    from bootstrap.settings import VaultSettings

    Outcome: TypeAlias = "StoredSecret | Exception"

AT_ONCE = 8  # concurrent requests at most; each then needs a connection and handshake of its own
EACH = 5  # requests on one connection, one after the other, as long as responses are quick
LATE = 0.5  # seconds after the deadline for which a name service or a proxy may block the threads


class Fetched(Frozen):
    """A secret in the form that its reference asks for.

    Bytes that are not text are in it as `surrogateescape` has them (PEP 383). `note` is a warning
    for people, or empty.
    """

    secret: Secret
    version: str
    note: str = ""


def fetch(
    references: Mapping[str, SecretReference],
    *,
    token: Token,
    forget: Forget,
    cloud: Cloud,
    settings: VaultSettings,
    deadline: float,
    selector: Selector = OWN,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
    uniform: Uniform | None = None,
    on_event: Callable[..., Any] | None = None,
) -> Mapping[str, Fetched]:
    """Return the secrets that `references` (by the path of each in its document) name.

    A secret that several references share is requested once, so that a certificate and its key
    always have the same version. `token` and `forget` belong to the identity. `selector` is the
    identity for each vault for which `settings.identities` names no other. `deadline` is a time on
    `clock`. `now` returns seconds since 1970.

    Before any request, raises ImageError if a reference needs a part of a certificate and this
    installation cannot split certificates, SecretsRefused if a vault may not be asked, and
    SettingsError if `settings` cannot be used. After the requests, raises the first of these that
    applies: SecretsRefused with every secret whose response is final; the error of the identity;
    SecretsUnavailable with every secret that had no usable response in time.
    """
    _check_installation(references)
    addresses = _addresses(references, cloud, settings)
    vault = Vault(
        ca_file=settings.ca_file,
        endpoint=settings.endpoint,
        connections=AT_ONCE,
        lanes=ceil(len(addresses) / EACH),
        clock=clock,
    )
    pool = _FetchPool(dict.fromkeys(addresses.values()))
    rules = Rules(
        audience=cloud.vault_audience,
        token=token,
        forget=forget,
        deadline=deadline,
        grace=settings.grace,
        clock=clock,
        sleep=sleep,
        uniform=uniform,
        on_event=on_event,
        is_over=pool.is_over,
    )
    identity = _identities(settings, selector)
    try:
        pool.run(lambda at: SecretRequest(at, identity(at), vault, rules).answer(), deadline, clock)
    finally:
        vault.close()
    results = {
        path: _convert(references[path], pool.outcomes[address], settings, now())
        for path, address in addresses.items()
    }
    return _raise_or_return(results, references)


def _check_installation(references: Mapping[str, SecretReference]) -> None:
    """Raise ImageError if a part of a certificate is needed and the library is missing."""
    parts = {path: needed for path, needed in references.items() if needed.form in encoding.PARTS}
    reason = certificates.why_not() if parts else ""
    if reason:
        raise ImageError(
            f"certificates cannot be taken apart without the library cryptography: {reason}",
            problems=[
                Problem(f"the certificate {needed.name} is wanted", where=needed.origin, path=path)
                for path, needed in parts.items()
            ],
            hint=certificates.CURE,
        )


def _addresses(
    references: Mapping[str, SecretReference], cloud: Cloud, settings: VaultSettings
) -> Mapping[str, SecretId]:
    """Return the address of each secret; raise SecretsRefused for vaults that may not be asked."""

    def address(path: str, reference: SecretReference) -> SecretId | Problem:
        try:
            return address_of(reference, cloud, settings.allow)
        except ValueError as error:
            return Problem(str(error), where=reference.origin, path=path, hint=ALLOW_HINT)

    results = {path: address(path, reference) for path, reference in references.items()}
    if problems := [result for result in results.values() if isinstance(result, Problem)]:
        raise SecretsRefused("a secret may not be asked for", problems=problems)
    return {path: result for path, result in results.items() if not isinstance(result, Problem)}


class _FetchPool:
    """The requests of one run, taken from a queue by a few threads.

    A thread that does not end in time is not waited for: it is a daemon, and ends with the process.
    Once one response is final, the run has failed, and no other request is repeated.
    """

    def __init__(self, addresses: Mapping[SecretId, None]) -> None:
        self._waiting = deque(addresses)
        self._failed = False
        self.outcomes: Mapping[SecretId, Outcome] = {}

    def is_over(self) -> bool:
        """Return whether the run has failed, so that a retry is useless."""
        return self._failed

    def run(
        self, ask: Callable[[SecretId], StoredSecret], deadline: float, clock: Callable[[], float]
    ) -> None:
        """Request every secret; return soon after the deadline, whatever the network does."""
        outcomes: dict[SecretId, Outcome] = {
            address: NoResponse("timeout") for address in self._waiting
        }
        threads = [
            threading.Thread(target=self._work, args=(ask, outcomes), daemon=True)
            for _ in range(min(AT_ONCE, len(self._waiting)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline + LATE - clock()))
        self.outcomes = dict(outcomes)  # a copy, so that a late thread changes nothing

    def _work(
        self, ask: Callable[[SecretId], StoredSecret], outcomes: dict[SecretId, Outcome]
    ) -> None:
        while True:
            try:
                address = self._waiting.popleft()
            except IndexError:
                return
            outcomes[address] = self._outcome(ask, address)

    def _outcome(self, ask: Callable[[SecretId], StoredSecret], address: SecretId) -> Outcome:
        try:
            return ask(address)
        except NoResponse as error:
            return error
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            self._failed = True
            return error


def _identities(settings: VaultSettings, default: Selector) -> Callable[[SecretId], Selector]:
    """Return a function that gives the identity for an address.

    Names of vaults compare case-insensitively.
    """
    known = {name.lower(): Selector.parse(text) for name, text in settings.identities.items()}
    return lambda address: (
        known.get(address.host.lower()) or known.get(address.vault.lower(), default)
    )


def _convert(
    reference: SecretReference, outcome: Outcome, settings: VaultSettings, now: float
) -> Fetched | Exception:
    """Return the secret in the form of its reference, or the error that explains why not."""
    if isinstance(outcome, Exception):
        return outcome
    named = f"the secret {reference.name} in {reference.vault}"
    invalid = validity(outcome, now)
    if invalid and settings.expired == "refuse":
        hint = Public("renew it, or set vaults.expired to warn in the image's agent.yaml")
        return Refused(Public(f"{named}: {invalid}"), hint)
    note = Public(f"{named}: {invalid}" if invalid else "")
    try:
        return Fetched(secret=encoding.form(outcome, reference), version=outcome.version, note=note)
    except UnusableCertificate as unfit:
        return Refused(Public(f"{named} {unfit}"), unfit.hint)


def _raise_or_return(
    results: Mapping[str, Fetched | Exception], references: Mapping[str, SecretReference]
) -> Mapping[str, Fetched]:
    """Return the secrets if there is no error, else raise the most serious error."""
    refused = {path: error for path, error in results.items() if isinstance(error, Refused)}
    if refused:
        problems = [
            _problem(path, references[path], error, error.hint) for path, error in refused.items()
        ]
        raise SecretsRefused(Public(f"Key Vault refuses {_count(refused)}"), problems=problems)
    for result in results.values():
        if isinstance(result, Exception) and not isinstance(result, NoResponse):
            raise result
    late = {path: error for path, error in results.items() if isinstance(error, NoResponse)}
    if late:
        problems = [_problem(path, references[path], error) for path, error in late.items()]
        raise SecretsUnavailable(
            Public(f"Key Vault gave no usable answer for {_count(late)} before the deadline"),
            problems=problems,
            hint=Public("is the vault's name right, and is there a way to it from this network?"),
        )
    return {path: result for path, result in results.items() if isinstance(result, Fetched)}


def _problem(path: str, reference: SecretReference, error: Exception, hint: str = "") -> Problem:
    message = error.args[0]  # `str(error)` would lose whether the text is public
    public = error.public if isinstance(error, Refused) else None
    if isinstance(error, NoResponse):
        message = Public(f"the last answer for {reference.name} in {reference.vault} was {error}")
    return Problem(message, where=reference.origin, path=path, hint=hint, public=public)


def _count(secrets: Mapping[str, object]) -> str:
    return "a secret" if len(secrets) == 1 else f"{len(secrets)} secrets"
