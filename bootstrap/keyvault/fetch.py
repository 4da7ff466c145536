"""All secrets of a configuration, several at a time, by one deadline."""

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
from bootstrap.keyvault.request import Inquiry, Refused, Rules, Unanswered
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
    from bootstrap.keyvault.responses import Found
    from bootstrap.keyvault.urls import Address
    from bootstrap.secret import Secret
    from bootstrap.settings import VaultSettings

    Outcome: TypeAlias = "Found | Exception"

AT_ONCE = 8  # questions, if need be; each has a connection then, and a handshake, of its own
EACH = 5  # questions that a connection takes one after the other, while the answers are quick
LATE = 0.5  # seconds beyond the deadline that a name service or a proxy may hold the threads


class Fetched(Frozen):
    """A secret in the form that its reference asks for.

    Bytes that are no text are in it as `surrogateescape` has them (PEP 383). `note` is a warning
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
    """The secrets that `references` (by the path of each in its document) name.

    What several references share is asked for once, so that a certificate and its key are always
    of the same version. `token` and `forget` are the identity's, `selector` is the identity to
    show where `settings.identities` names no other for the vault; `deadline` is a moment on
    `clock`, `now` gives seconds since 1970.

    Raises ImageError, before anybody is asked, when this installation cannot take certificates
    apart and a reference wants it, and SecretsRefused when a vault may not be asked; SecretsRefused
    with every secret whose answer is final; else
    what the identity raised; else SecretsUnavailable with every secret that was not answered in
    time; SettingsError.
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
    round_ = _FetchPool(dict.fromkeys(addresses.values()))
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
        is_over=round_.is_over,
    )
    shown = _identities(settings, selector)
    try:
        round_.run(lambda one: Inquiry(one, shown(one), vault, rules).answer(), deadline, clock)
    finally:
        vault.close()
    made = {
        path: _convert(references[path], round_.outcomes[one], settings, now())
        for path, one in addresses.items()
    }
    return _raise_or_return(made, references)


def _check_installation(references: Mapping[str, SecretReference]) -> None:
    """Raise ImageError when a certificate is wanted in parts and the library is not there."""
    parted = {path: one for path, one in references.items() if one.form in encoding.PARTS}
    reason = certificates.why_not() if parted else ""
    if reason:
        raise ImageError(
            f"certificates cannot be taken apart without the library cryptography: {reason}",
            problems=[
                Problem(f"the certificate {one.name} is wanted", where=one.origin, path=path)
                for path, one in parted.items()
            ],
            hint=certificates.CURE,
        )


def _addresses(
    references: Mapping[str, SecretReference], cloud: Cloud, settings: VaultSettings
) -> Mapping[str, Address]:
    """Return where each secret is asked for; raise SecretsRefused for those that may not be."""

    def address(path: str, reference: SecretReference) -> Address | Problem:
        try:
            return address_of(reference, cloud, settings.allow)
        except ValueError as error:
            return Problem(str(error), where=reference.origin, path=path, hint=ALLOW_HINT)

    found = {path: address(path, one) for path, one in references.items()}
    if problems := [one for one in found.values() if isinstance(one, Problem)]:
        raise SecretsRefused("a secret may not be asked for", problems=problems)
    return {path: one for path, one in found.items() if not isinstance(one, Problem)}


class _FetchPool:
    """The questions of one run, taken from a queue by a few threads.

    A thread that does not come back in time is left behind: it is a daemon, and ends with the
    process. Once one answer is final, the run has failed, and no other question is repeated.
    """

    def __init__(self, addresses: Mapping[Address, None]) -> None:
        self._waiting = deque(addresses)
        self._failed = False
        self.outcomes: Mapping[Address, Outcome] = {}

    def is_over(self) -> bool:
        """Whether there is no sense in asking again."""
        return self._failed

    def run(
        self, ask: Callable[[Address], Found], deadline: float, clock: Callable[[], float]
    ) -> None:
        """Ask for everything; ends soon after the deadline whatever the network does."""
        outcomes: dict[Address, Outcome] = {one: Unanswered("timeout") for one in self._waiting}
        threads = [
            threading.Thread(target=self._work, args=(ask, outcomes), daemon=True)
            for _ in range(min(AT_ONCE, len(self._waiting)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline + LATE - clock()))
        self.outcomes = dict(outcomes)  # what a late thread still finds comes too late

    def _work(self, ask: Callable[[Address], Found], outcomes: dict[Address, Outcome]) -> None:
        while True:
            try:
                address = self._waiting.popleft()
            except IndexError:
                return
            outcomes[address] = self._outcome(ask, address)

    def _outcome(self, ask: Callable[[Address], Found], address: Address) -> Outcome:
        try:
            return ask(address)
        except Unanswered as error:
            return error
        except Exception as error:  # noqa: BLE001 - raised again where the run goes on
            self._failed = True
            return error


def _identities(settings: VaultSettings, default: Selector) -> Callable[[Address], Selector]:
    """Which identity each vault is shown; names of vaults compare case-insensitively."""
    known = {name.lower(): Selector.parse(text) for name, text in settings.identities.items()}
    return lambda one: known.get(one.host.lower()) or known.get(one.vault.lower(), default)


def _convert(
    reference: SecretReference, outcome: Outcome, settings: VaultSettings, now: float
) -> Fetched | Exception:
    """What a reference gets of an outcome: its form of the secret, or why there is none."""
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
    made: Mapping[str, Fetched | Exception], references: Mapping[str, SecretReference]
) -> Mapping[str, Fetched]:
    """The secrets, if all are there; else the gravest of what went wrong."""
    refused = {path: one for path, one in made.items() if isinstance(one, Refused)}
    if refused:
        problems = [
            _problem(path, references[path], one, one.hint) for path, one in refused.items()
        ]
        raise SecretsRefused(Public(f"Key Vault refuses {_count(refused)}"), problems=problems)
    for one in made.values():
        if isinstance(one, Exception) and not isinstance(one, Unanswered):
            raise one
    late = {path: one for path, one in made.items() if isinstance(one, Unanswered)}
    if late:
        problems = [_problem(path, references[path], one) for path, one in late.items()]
        raise SecretsUnavailable(
            Public(f"Key Vault gave no usable answer for {_count(late)} before the deadline"),
            problems=problems,
            hint=Public("is the vault's name right, and is there a way to it from this network?"),
        )
    return {path: one for path, one in made.items() if isinstance(one, Fetched)}


def _problem(path: str, reference: SecretReference, error: Exception, hint: str = "") -> Problem:
    message = error.args[0]  # `str` of it would forget whether it is for everybody
    public = error.public if isinstance(error, Refused) else None
    if isinstance(error, Unanswered):
        message = Public(f"the last answer for {reference.name} in {reference.vault} was {error}")
    return Problem(message, where=reference.origin, path=path, hint=hint, public=public)


def _count(found: Mapping[str, object]) -> str:
    return "a secret" if len(found) == 1 else f"{len(found)} secrets"
