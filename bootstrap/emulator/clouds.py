"""The Azure clouds, as their vaults and sign-in services name themselves.

Not the agent's own table: a mistake in that one shall be seen here.
Source: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates.
"""

from __future__ import annotations

from typing import NamedTuple


class Cloud(NamedTuple):
    """`suffix` of the vaults' hosts; `authority` is the host that signs in."""

    suffix: str
    authority: str

    @property
    def audience(self) -> str:
        """For whom a token must be that a vault takes: without a slash at its end."""
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
    """The cloud that `azEnvironment` names, in any case; an unknown one has the public vaults."""
    return _CLOUDS.get(environment.casefold(), _PUBLIC)
