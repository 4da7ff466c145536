"""The identities and the Arc agent of a machine file, read and checked."""

from __future__ import annotations

import os.path

from bootstrap.emulator.checks import key_problems, missing_key, not_a_mapping
from bootstrap.emulator.identities import Arc, Identity
from bootstrap.emulator.kinds import ARC, IDENTITIES, IDENTITY
from bootstrap.emulator.stable import stable_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from bootstrap.errors import Problem
    from bootstrap.source import Source


def read_user_identities(data: Mapping[str, Any]) -> tuple[Identity, ...]:
    """The user-assigned identities of a valid `identities`; names left out are made."""
    return tuple(_identity(entry) for entry in data.get("user", ()))


def _identity(entry: Mapping[str, str]) -> Identity:
    client_id = entry["clientId"]
    made = (
        f"/subscriptions/{stable_id('subscription')}/resourceGroups/emulated"
        f"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{client_id}"
    )
    return Identity(
        client_id=client_id,
        object_id=entry.get("objectId", stable_id(f"object/{client_id}")),
        resource_id=entry.get("resourceId", made),
    )


def read_arc(data: Mapping[str, Any], folder: str) -> Arc:
    """The Arc agent of a valid `arc`; a relative folder starts at `folder`."""
    return Arc(
        tokens=os.path.abspath(os.path.join(folder, data["tokens"])),
        announced=data.get("announced", ""),
        old_agent=data.get("oldAgent", False),
    )


def identity_problems(source: Source, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything that is wrong with `identities` and `arc`, which are mappings."""
    if "identities" in data:
        yield from _identities_problems(source, data["identities"])
    if "arc" in data:
        yield from key_problems(source, ("arc",), data["arc"], ARC)
        yield from missing_key(source, ("arc",), data["arc"], "tokens")


def _identities_problems(source: Source, data: Mapping[str, Any]) -> Iterator[Problem]:
    yield from key_problems(source, ("identities",), data, IDENTITIES)
    entries = data.get("user", ())
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        path = ("identities", "user", position)
        if isinstance(entry, dict):
            yield from key_problems(source, path, entry, IDENTITY)
            yield from missing_key(source, path, entry, "clientId")
        else:
            yield not_a_mapping(source, path, "an identity")
