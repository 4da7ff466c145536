"""The versions of the vaults' secrets and certificates; an edit of the machine file adds one.

As in Key Vault, a new value is a new version beside the old ones, and new attributes change the
existing version. A version's name is derived from its value, so that an emulator that is started
again has the same versions. Certificates are made anew at each start.
"""

from __future__ import annotations

import threading
import uuid

from bootstrap.emulator.ids import stable_id
from bootstrap.frozen import Frozen, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.emulator.test_ca import Issued, TestCA
    from bootstrap.emulator.vault import CertificateSpec, SecretSpec, SecretVersion, Vault

CONTENT_TYPES = {"pfx": "application/x-pkcs12", "pem": "application/x-pem-file"}


class StoredVersion(Frozen):
    """One version of a secret; times are in seconds since 1970.

    A certificate's secret has the certificate in `issued`, and its specification in `spec`.
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


class SecretStore:
    """Every version that the vaults have had since the emulator started."""

    def __init__(self, authority: TestCA, wall: Callable[[], float]) -> None:
        self._authority = authority
        self._wall = wall
        self._lock = threading.Lock()
        self._current: Mapping[str, Vault] = {}
        self._held: dict[tuple[str, str], list[StoredVersion]] = {}

    def stock(self, vaults: Mapping[str, Vault]) -> None:
        """Update the versions from the current machine file."""
        with self._lock:
            if vaults is self._current:
                return
            for name, vault in vaults.items():
                for secret, spec in vault.secrets.items():
                    self._put(name, secret, spec)
                for certificate, made in vault.certificates.items():
                    self._renew(name, certificate, made)
            self._current = vaults

    def versions(self, vault: str, name: str) -> list[StoredVersion]:
        """Return the versions of a secret, oldest first; names ignore case."""
        with self._lock:
            return list(self._held.get((vault, name.casefold()), ()))

    def _put(self, vault: str, name: str, spec: SecretSpec) -> None:
        held = self._held.setdefault((vault, name.casefold()), [])
        if spec.listed:
            known = {old.version: old for old in held}
            held[:] = [
                self._as_held(given, f"{vault}/{name}/{position}", known)
                for position, given in enumerate(spec.versions)
            ]
            return
        given = spec.versions[-1]
        last = held[-1] if held else None
        if last and (last.value, last.content_type) == (given.value, given.content_type):
            held[-1] = self._with_attributes(last, given)
        else:
            held.append(self._as_held(given, f"{vault}/{name}/{len(held)}", {}))

    def _as_held(
        self, given: SecretVersion, path: str, known: Mapping[str, StoredVersion]
    ) -> StoredVersion:
        version = given.version or stable_id(f"{path}/{given.value}").replace("-", "")
        now = int(self._wall())
        fresh = StoredVersion(
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
        return self._with_attributes(old, given) if old and old.value == given.value else fresh

    def _with_attributes(self, held: StoredVersion, given: SecretVersion) -> StoredVersion:
        """Return the version with the attributes of `given`."""
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
            StoredVersion(
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
    """Return the part of a specification whose change makes a new certificate necessary."""
    return replace(spec, enabled=True, forbidden="")
