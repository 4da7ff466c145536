"""The vaults of a machine file, from the data that its schema accepted."""

from __future__ import annotations

from datetime import datetime, timezone

from bootstrap.emulator.fault import read_faults
from bootstrap.emulator.vault import (
    READS_PER_SECOND,
    CertificateSpec,
    SecretSpec,
    SecretVersion,
    Vault,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def read_vaults(data: Mapping[str, Any]) -> dict[str, Vault]:
    """Return the vaults of valid data, by name in lower case, as host names ignore case."""
    return {name.casefold(): _vault(entry or {}) for name, entry in data.items()}


def _vault(data: Mapping[str, Any]) -> Vault:
    certificates = data.get("certificates", {})
    return Vault(
        secrets={name: _secret(entry) for name, entry in data.get("secrets", {}).items()},
        certificates={name: _certificate(name, entry) for name, entry in certificates.items()},
        forbidden=data.get("forbidden", ""),
        grant_after=data.get("grantAfter", 0.0),
        allowed=tuple(data.get("allowed", ())),
        rate=data.get("rate", READS_PER_SECOND),
        faults=read_faults(data.get("faults", ())),
    )


def _secret(entry: str | Mapping[str, Any]) -> SecretSpec:
    if isinstance(entry, str):
        return SecretSpec(versions=(SecretVersion(value=entry),))
    listed = "versions" in entry
    versions = entry["versions"] if listed else [entry]
    return SecretSpec(
        versions=tuple(_version(version) for version in versions),
        listed=listed,
        forbidden=entry.get("forbidden", ""),
    )


def _version(data: Mapping[str, Any]) -> SecretVersion:
    return SecretVersion(
        value=data["value"],
        version=data.get("version", ""),
        content_type=data.get("contentType", ""),
        enabled=data.get("enabled", True),
        not_before=moment(data["notBefore"]) if "notBefore" in data else None,
        expires=moment(data["expires"]) if "expires" in data else None,
    )


def _certificate(name: str, data: Mapping[str, Any] | None) -> CertificateSpec:
    keys = {"subject": f"CN={name}", **(data or {})}
    keys["names"] = tuple(keys.get("names", ()))
    return CertificateSpec(**keys)


def moment(value: float | str) -> int | None:
    """Return seconds since 1970, for a number of seconds or an ISO 8601 time, or None if invalid.

    A time without an offset is in UTC.
    """
    if isinstance(value, (int, float)):
        return int(value)
    try:
        time = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp())
