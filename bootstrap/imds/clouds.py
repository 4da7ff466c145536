"""The clouds of Azure, and the Key Vault addresses of each."""

from __future__ import annotations

from bootstrap.errors import MetadataRefused, Public, nearest
from bootstrap.frozen import Frozen


class Cloud(Frozen):
    """One cloud: its name in the spelling of the Azure CLI, and the addresses of its Key Vaults.

    The URL of a vault NAME is `https://NAME.{vault_suffix}`. It accepts tokens for
    `vault_audience`.
    """

    name: str
    vault_suffix: str
    vault_audience: str


def _cloud(name: str, vault_suffix: str) -> Cloud:
    return Cloud(name=name, vault_suffix=vault_suffix, vault_audience=f"https://{vault_suffix}")


# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers
CLOUDS = (
    _cloud("AzurePublicCloud", "vault.azure.net"),
    _cloud("AzureUSGovernmentCloud", "vault.usgovcloudapi.net"),
    _cloud("AzureChinaCloud", "vault.azure.cn"),
    _cloud("AzureGermanCloud", "vault.microsoftazure.de"),  # closed in 2021
)

_BY_NAME = {cloud.name.casefold(): cloud for cloud in CLOUDS}


def cloud_of(name: str) -> Cloud:
    """Return the cloud with the name that IMDS gives (azEnvironment), in any case.

    Raises `MetadataRefused` for a cloud whose vault addresses are not known, such as AzureStack,
    where each installation has its own.
    """
    cloud = _BY_NAME.get(name.casefold())
    if cloud is None:
        known = [cloud.name for cloud in CLOUDS]
        close = nearest(name, known)
        raise MetadataRefused(
            f"this machine's cloud (azEnvironment) is {name!r}, and where that has its Key Vaults "
            "is not known" + (f"; did it mean {close}?" if close else ""),
            public=Public("where this machine's cloud has its Key Vaults is not known"),
            hint=f"secrets can be read in {', '.join(known)}; elsewhere a document without secrets "
            "still configures the machine",
        )
    return cloud
