"""The managed identities of a machine, and the Arc agent that may stand before them."""

from __future__ import annotations

from bootstrap.emulator.stable import stable_id
from bootstrap.frozen import Frozen

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
