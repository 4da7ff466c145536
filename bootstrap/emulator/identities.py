"""The managed identities of a machine, and the Arc agent that may stand before them."""

from __future__ import annotations

import os.path

from bootstrap.emulator.ids import stable_id
from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TENANT = stable_id("tenant")

# Of one VM: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/known-issues
TOKENS_PER_SECOND = 20
TOKENS_AT_ONCE = 5
TOKEN_LIFETIME = 86_400.0  # seconds; managed identities' tokens last a day


class Identity(Frozen):
    """One managed identity, by its three names."""

    client_id: str
    object_id: str
    resource_id: str = ""  # a system-assigned identity is named by its machine's id

    def is_named(self, selector: str, name: str) -> bool:
        """Whether `name` names this identity; ids ignore case."""
        own = {
            "client_id": self.client_id,
            "object_id": self.object_id,
            "msi_res_id": self.resource_id,
        }
        return bool(name) and own[selector].casefold() == name.casefold()


class Arc(Frozen):
    """An Arc machine's agent: `tokens` is the folder in which it leaves its keys.

    `announced` is the folder that its challenges name, if not the same; an `old_agent` ignores
    which identity it was asked for.
    """

    tokens: str
    announced: str = ""
    old_agent: bool = False


def system_identity(machine_name: str) -> Identity:
    """The system-assigned identity of the machine of this name: always the same."""
    return Identity(
        client_id=stable_id(f"identity/{machine_name}/client"),
        object_id=stable_id(f"identity/{machine_name}/object"),
    )


def read_user_identities(data: Mapping[str, Any]) -> tuple[Identity, ...]:
    """Return the user-assigned identities of a machine file's `identities`.

    Names that are left out are derived.
    """
    return tuple(_user_identity(entry) for entry in data.get("user", ()))


def _user_identity(entry: Mapping[str, str]) -> Identity:
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
    """Return the agent of a machine file's `arc`; a relative folder starts at `folder`."""
    return Arc(
        tokens=os.path.abspath(os.path.join(folder, data["tokens"])),
        announced=data.get("announced", ""),
        old_agent=data.get("oldAgent", False),
    )
