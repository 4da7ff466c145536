"""The Azure clouds, with the host names of their vaults and sign-in services.

This table is separate from the agent's own, so that tests find a mistake in the agent's.
Source: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates.
"""

from __future__ import annotations

from typing import NamedTuple


class Cloud(NamedTuple):
    """One cloud: `suffix` ends the vaults' host names, `authority` is the sign-in host."""

    suffix: str
    authority: str

    @property
    def audience(self) -> str:
        """The audience of the tokens that a vault accepts, without a slash at its end."""
        return f"https://{self.suffix}"


_PUBLIC = Cloud("vault.azure.net", "login.microsoftonline.com")
_CLOUDS = {
    "azurepubliccloud": _PUBLIC,
    "azureusgovernmentcloud": Cloud("vault.usgovcloudapi.net", "login.microsoftonline.us"),
    "azurechinacloud": Cloud("vault.azure.cn", "login.chinacloudapi.cn"),
    "azuregermancloud": Cloud("vault.microsoftazure.de", "login.microsoftonline.de"),
}
SUFFIXES = tuple(cloud.suffix for cloud in _CLOUDS.values())


def cloud_of(environment: str) -> Cloud:
    """Return the cloud that `azEnvironment` names, in any case; the public one if it is unknown."""
    return _CLOUDS.get(environment.casefold(), _PUBLIC)
