"""What the schema of a machine file cannot say: names that meet, sizes in bytes, dates, files."""

from __future__ import annotations

import os

from bootstrap.config.schema.messages import Finding
from bootstrap.emulator.vault_file import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from bootstrap.document import Path

# https://learn.microsoft.com/azure/virtual-machines/user-data
_MAX_USER_DATA = 65_536  # bytes before base64
# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
_MAX_VALUE = 25 * 1024  # bytes of a secret's value


def findings_beyond_schema(data: Mapping[str, Any], folder: str) -> Iterator[Finding]:
    """Yield what is wrong with a machine file beside what its schema finds.

    A part of another type than the schema wants is passed over, but a scalar may be one that the
    schema refuses as well. A relative `userDataFile` starts at `folder`.
    """
    yield from _user_data_findings(data, folder)
    for section in ("tags", "vaults"):
        yield from _same_names(data, (section,))
    vaults = _mapping(data, "vaults")
    for name in vaults:
        vault = _mapping(vaults, name)
        for kind in ("secrets", "certificates"):
            yield from _same_names(vault, ("vaults", name, kind))
        yield from _certificate_findings(vault, ("vaults", name, "certificates"))
        yield from _secret_findings(_mapping(vault, "secrets"), ("vaults", name, "secrets"))


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the mapping at `key`; an empty one if there is none."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _user_data_findings(data: Mapping[str, Any], folder: str) -> Iterator[Finding]:
    if isinstance(text := data.get("userData"), str):
        yield from _size_finding("userData", len(text.encode()))
    if isinstance(name := data.get("userDataFile"), str):
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            yield Finding(("userDataFile",), f"{path}: {reason}")
        else:
            yield from _size_finding("userDataFile", size)


def _size_finding(key: str, size: int) -> Iterator[Finding]:
    if size > _MAX_USER_DATA:
        message = f"userData has at most {_MAX_USER_DATA} bytes, this one {size}"
        yield Finding((key,), message, at_key=True)


def _same_names(parent: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    """Yield the names in the mapping at `path` that another one of it equals but for case."""
    folded: set[str] = set()
    for name in _mapping(parent, str(path[-1])):
        if name.casefold() in folded:
            message = f"names of {path[-1]} ignore case: this one is there"
            yield Finding((*path, name), message, at_key=True)
        folded.add(name.casefold())


def _certificate_findings(vault: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    secrets = {name.casefold() for name in _mapping(vault, "secrets")}
    for name in _mapping(vault, "certificates"):
        if name.casefold() in secrets:
            message = "the secret of this name is the certificate's own"
            yield Finding((*path, name), message, at_key=True)


def _secret_findings(secrets: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    for name, entry in secrets.items():
        if isinstance(entry, dict):
            yield from _version_findings(entry, (*path, name))
            versions = entry.get("versions")
            for position, version in enumerate(versions if isinstance(versions, list) else ()):
                if isinstance(version, dict):
                    yield from _version_findings(version, (*path, name, "versions", position))
        else:
            yield from _value_finding(entry, (*path, name))


def _version_findings(version: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    yield from _value_finding(version.get("value"), (*path, "value"))
    for key in ("notBefore", "expires"):
        if isinstance(time := version.get(key), str) and moment(time) is None:
            yield Finding((*path, key), "the value is a time that no calendar has")


def _value_finding(value: Any, path: Path) -> Iterator[Finding]:
    if isinstance(value, str) and (size := len(value.encode())) > _MAX_VALUE:
        yield Finding(path, f"a secret has at most {_MAX_VALUE} bytes, this one {size}")
