"""What the vaults hold, version by version: an edit of the machine file adds one.

As in Key Vault, a new value is a new version beside the old ones, while new attributes change the
version that is there. Versions are named after what they hold, so that an emulator that starts
again holds the same ones; certificates are made anew.
"""

from __future__ import annotations

import threading
import uuid

from bootstrap.emulator.ids import stable_id
from bootstrap.frozen import Frozen, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.emulator.test_ca import Authority, Issued
    from bootstrap.emulator.vault import CertificateSpec, SecretSpec, SecretVersion, Vault

CONTENT_TYPES = {"pfx": "application/x-pkcs12", "pem": "application/x-pem-file"}


class Held(Frozen):
    """One version of a secret; times are in seconds since 1970.

    A certificate's secret is `issued`, and made from `spec`.
    """

    version: str
    value: str = field(repr=False)
    content_type: str
    enabled: bool
    not_before: int | None
    expires: int | None
    created: int
    updated: int
    issued: Issued | None = None
    spec: CertificateSpec | None = None


class Shelf:
    """Every version that the vaults had since the emulator started."""

    def __init__(self, authority: Authority, wall: Callable[[], float]) -> None:
        self._authority = authority
        self._wall = wall
        self._lock = threading.Lock()
        self._stocked: Mapping[str, Vault] = {}
        self._held: dict[tuple[str, str], list[Held]] = {}

    def stock(self, vaults: Mapping[str, Vault]) -> None:
        """Take in what the machine file says now."""
        with self._lock:
            if vaults is self._stocked:
                return
            for name, vault in vaults.items():
                for secret, spec in vault.secrets.items():
                    self._put(name, secret, spec)
                for certificate, made in vault.certificates.items():
                    self._renew(name, certificate, made)
            self._stocked = vaults

    def versions(self, vault: str, name: str) -> list[Held]:
        """The versions of a secret, oldest first; names ignore case."""
        with self._lock:
            return list(self._held.get((vault, name.casefold()), ()))

    def _put(self, vault: str, name: str, spec: SecretSpec) -> None:
        held = self._held.setdefault((vault, name.casefold()), [])
        if spec.listed:
            known = {old.version: old for old in held}
            held[:] = [
                self._taken_in(given, f"{vault}/{name}/{position}", known)
                for position, given in enumerate(spec.versions)
            ]
            return
        given = spec.versions[-1]
        last = held[-1] if held else None
        if last and (last.value, last.content_type) == (given.value, given.content_type):
            held[-1] = self._touched(last, given)
        else:
            held.append(self._taken_in(given, f"{vault}/{name}/{len(held)}", {}))

    def _taken_in(self, given: SecretVersion, path: str, known: Mapping[str, Held]) -> Held:
        version = given.version or stable_id(f"{path}/{given.value}").replace("-", "")
        now = int(self._wall())
        fresh = Held(
            version=version,
            value=given.value,
            content_type=given.content_type,
            enabled=given.enabled,
            not_before=given.not_before,
            expires=given.expires,
            created=now,
            updated=now,
        )
        old = known.get(version)
        return self._touched(old, given) if old and old.value == given.value else fresh

    def _touched(self, held: Held, given: SecretVersion) -> Held:
        """The same version with the attributes that are given now."""
        changed = replace(
            held, enabled=given.enabled, not_before=given.not_before, expires=given.expires
        )
        return replace(changed, updated=int(self._wall())) if changed != held else held

    def _renew(self, vault: str, name: str, spec: CertificateSpec) -> None:
        held = self._held.setdefault((vault, name.casefold()), [])
        last = held[-1] if held else None
        if last and last.spec and _as_made(last.spec) == _as_made(spec):
            held[-1] = replace(last, enabled=spec.enabled, spec=spec)
            return
        issued, now = self._authority.issue(spec), int(self._wall())
        held.append(
            Held(
                version=uuid.uuid4().hex,
                value=issued.secret,
                content_type=CONTENT_TYPES[spec.form],
                enabled=spec.enabled,
                not_before=issued.not_before,
                expires=issued.expires,
                created=now,
                updated=now,
                issued=issued,
                spec=spec,
            )
        )


def _as_made(spec: CertificateSpec) -> CertificateSpec:
    """The part of a specification that a new certificate is made for."""
    return replace(spec, enabled=True, forbidden="")
