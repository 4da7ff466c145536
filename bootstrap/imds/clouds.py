"""The clouds of Azure, and where each has its Key Vaults."""

from __future__ import annotations

from bootstrap.errors import MetadataRefused, nearest
from bootstrap.frozen import Frozen


class Cloud(Frozen):
    """One cloud: its name as the Azure CLI spells it, and what Key Vault is called in it.

    A vault NAME answers at `https://NAME.{vault_suffix}`, to tokens for `vault_audience`.
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
    """The cloud that IMDS calls `name` (azEnvironment), in whatever case it writes it.

    Raises `MetadataRefused` for a cloud whose vaults are not known, such as AzureStack: there
    each installation has names of its own.
    """
    cloud = _BY_NAME.get(name.casefold())
    if cloud is None:
        known = [cloud.name for cloud in CLOUDS]
        close = nearest(name, known)
        raise MetadataRefused(
            f"this machine's cloud (azEnvironment) is {name!r}, and where that has its Key Vaults "
            "is not known" + (f"; did it mean {close}?" if close else ""),
            hint=f"secrets can be read in {', '.join(known)}; elsewhere a document without secrets "
            "still configures the machine",
        )
    return cloud
