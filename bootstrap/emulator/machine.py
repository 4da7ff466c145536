"""One emulated VM: what it is, and what its IMDS shall do wrong."""

from __future__ import annotations

from bootstrap.emulator.identities import TOKEN_LIFETIME, TOKENS_PER_SECOND, system_identity
from bootstrap.emulator.ids import stable_id
from bootstrap.frozen import Frozen, field
from bootstrap.imds.versions import KNOWN_VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bootstrap.emulator.fault import Fault
    from bootstrap.emulator.identities import Arc, Identity
    from bootstrap.emulator.vault import Vault

# Of one VM, whoever in it asks:
# https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#rate-limiting
REQUESTS_PER_SECOND = 5


class Machine(Frozen):
    """One VM as its IMDS knows it; with nothing said it is a small Linux VM without tags.

    `user_data` is base64, as IMDS serves it, and `user_data_file` where it was read from, if it
    was. `compute` is merged over the default compute
    document and `network` replaces the default network; None leaves the network out. `rate` is
    in requests per second, 0 for no limit; `gone` and `starts` are seconds.

    The identities have a rate and faults of their own; they are being attached for
    `identity_delay` seconds. `vaults` are by name; None means that no vault is served.
    """

    name: str = "emulated-vm"
    location: str = "westeurope"
    given_vm_id: str = ""
    environment: str = "AzurePublicCloud"
    tags: Mapping[str, str] = field(default_factory=dict)
    user_data: str = ""
    user_data_file: str | None = None
    compute: Mapping[str, Any] = field(default_factory=dict)
    network: Mapping[str, Any] | None = field(default_factory=dict)
    api_versions: tuple[str, ...] = KNOWN_VERSIONS
    rate: float = REQUESTS_PER_SECOND
    faults: tuple[Fault, ...] = ()
    gone: float = 0.0
    starts: float = 0.0
    has_system_identity: bool = True
    user_identities: tuple[Identity, ...] = ()
    identity_delay: float = 0.0
    identity_rate: float = TOKENS_PER_SECOND
    identity_faults: tuple[Fault, ...] = ()
    token_lifetime: float = TOKEN_LIFETIME
    arc: Arc | None = None
    vaults: Mapping[str, Vault] | None = None

    @property
    def vm_id(self) -> str:
        """The id given, or one that the same name always gets: state is kept per VM id."""
        return self.given_vm_id or stable_id(f"vm/{self.name}")

    @property
    def system_identity(self) -> Identity | None:
        """The system-assigned identity, if the machine has one."""
        return system_identity(self.name) if self.has_system_identity else None
