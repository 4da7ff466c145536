"""The vaults of a machine file, read and checked; no message shows a line that holds a value."""

from __future__ import annotations

from bootstrap.emulator.checks import key_problems, missing_key, not_a_mapping, same_names
from bootstrap.emulator.fault_file import read_faults, script_problems
from bootstrap.emulator.kinds import SERVICE_FAULT
from bootstrap.emulator.vault import (
    READS_PER_SECOND,
    CertificateSpec,
    SecretSpec,
    SecretVersion,
    Vault,
)
from bootstrap.emulator.vault_kinds import (
    CERTIFICATE,
    OBJECT_NAME,
    SECRET,
    SECRET_VERSION,
    VAULT,
    VAULT_NAME,
    moment,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from bootstrap.errors import Problem
    from bootstrap.source import Path, Source


def read_vaults(data: Mapping[str, Any]) -> dict[str, Vault]:
    """The vaults that valid data describes, by name in lower case: a host's name ignores case."""
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


def vault_problems(source: Source, vaults: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything that is wrong with the vaults, each problem at its place."""
    yield from same_names(source, ("vaults",), vaults, "vault")
    for name, data in vaults.items():
        path = ("vaults", name)
        if not VAULT_NAME.fullmatch(str(name)):
            message = "a vault's name has 3 to 24 letters, digits and hyphens"
            yield source.problem(path, message, at_key=True, hidden=True)
        if isinstance(data, dict):
            yield from _one_vault_problems(source, path, data)
        elif data is not None:
            yield not_a_mapping(source, path, "a vault")


def _one_vault_problems(source: Source, path: Path, data: Mapping[str, Any]) -> Iterator[Problem]:
    yield from key_problems(source, path, data, VAULT, hidden=True)
    sound = {key: data[key] for key in data.keys() & VAULT if VAULT[key].accepts(data[key])}
    secrets, certificates = sound.get("secrets", {}), sound.get("certificates", {})
    for kind, entries, problems in (
        ("secrets", secrets, _secret_problems),
        ("certificates", certificates, _certificate_problems),
    ):
        yield from same_names(source, (*path, kind), entries, kind.removesuffix("s"))
        for name, entry in entries.items():
            yield from _name_problems(source, (*path, kind, name))
            yield from problems(source, (*path, kind, name), entry)
    for name in certificates.keys() & secrets.keys():
        message = "the secret of this name is the certificate's own"
        yield source.problem((*path, "certificates", name), message, at_key=True, hidden=True)
    yield from script_problems(source, (*path, "faults"), sound.get("faults", ()), SERVICE_FAULT)


def _name_problems(source: Source, path: Path) -> Iterator[Problem]:
    if not OBJECT_NAME.fullmatch(str(path[-1])):
        message = "a name has 1 to 127 letters, digits and hyphens"
        yield source.problem(path, message, at_key=True, hidden=True)


def _secret_problems(source: Source, path: Path, entry: Any) -> Iterator[Problem]:
    if isinstance(entry, str):
        if not SECRET_VERSION["value"].accepts(entry):
            yield source.problem(path, f"`value` is not {SECRET['value'].words}", hidden=True)
    elif not isinstance(entry, dict):
        hint = "put it in quotes"
        yield source.problem(path, "a secret is text or a mapping", hint=hint, hidden=True)
    elif "versions" in entry:
        yield from _versions_problems(source, path, entry)
    else:
        yield from key_problems(source, path, entry, SECRET, hidden=True)
        yield from missing_key(source, path, entry, "value")


def _versions_problems(source: Source, path: Path, entry: Mapping[str, Any]) -> Iterator[Problem]:
    yield from key_problems(source, path, entry, SECRET, hidden=True)
    for key in SECRET_VERSION.keys() & entry.keys():
        message = f"`{key}` cannot go with `versions`"
        yield source.problem((*path, key), message, at_key=True, hidden=True)
    versions = entry["versions"]
    for position, version in enumerate(versions if isinstance(versions, list) else ()):
        where = (*path, "versions", position)
        if isinstance(version, dict):
            yield from key_problems(source, where, version, SECRET_VERSION, hidden=True)
            yield from missing_key(source, where, version, "value")
        else:
            yield not_a_mapping(source, where, "a version")
    if versions == []:
        yield source.problem((*path, "versions"), "a secret has a version", hidden=True)


def _certificate_problems(source: Source, path: Path, entry: Any) -> Iterator[Problem]:
    if isinstance(entry, dict):
        yield from key_problems(source, path, entry, CERTIFICATE)
    elif entry is not None:
        yield not_a_mapping(source, path, "a certificate")
