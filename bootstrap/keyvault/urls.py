"""The URL of a secret: made of checked parts, in a vault that may be asked.

`address_of` makes every address, and the client takes nothing else. So a token is sent only to
hosts that these rules allow, whatever earlier checks concluded about a document.
"""

from __future__ import annotations

import re

from bootstrap.config.keyvault_references import NAME, VERSION, VaultRules, host_of
from bootstrap.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.config.model import SecretReference
    from bootstrap.imds.clouds import Cloud

API_VERSION = "7.4"  # https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret


class SecretId(Frozen):
    """One secret in one vault; `version` is empty for the current one."""

    host: str
    name: str
    version: str = ""

    @property
    def vault(self) -> str:
        """The vault's name, for messages and settings."""
        return self.host.partition(".")[0]

    @property
    def url(self) -> str:
        """The URL to request."""
        version = f"/{self.version}" if self.version else ""
        return f"https://{self.host}/secrets/{self.name}{version}?api-version={API_VERSION}"

    def version_in(self, identifier: object) -> str | None:
        """Return the version in the `id` of a response, or None if it is about another secret.

        Names compare case-insensitively, as Key Vault compares them.
        """
        if not isinstance(identifier, str):
            return None
        prefix = f"https://{self.host}/secrets/{self.name}/"
        host_and_name, version = identifier[: len(prefix)], identifier[len(prefix) :]
        if host_and_name.lower() != prefix.lower() or not re.fullmatch(VERSION, version):
            return None
        return version if self.version.lower() in ("", version.lower()) else None


def address_of(reference: SecretReference, cloud: Cloud, allow: tuple[str, ...] = ()) -> SecretId:
    """Return the address of a secret in this cloud; `allow` is the setting `vaults.allow`.

    Raises ValueError for a vault that may not be asked, and for parts that no checked document
    could hold.
    """
    rules = VaultRules(allow=allow, suffixes=(cloud.vault_suffix,))
    if refusal := rules.refusal(reference.vault, trusted=reference.of_image):
        raise ValueError(refusal)
    host = host_of(reference.vault, cloud.vault_suffix)
    if not re.fullmatch(NAME, reference.name):
        raise ValueError(f"{reference.name!r} is not a secret's name")
    if reference.version and not re.fullmatch(VERSION, reference.version):
        raise ValueError(f"{reference.version!r} is not a secret's version")
    return SecretId(host=host, name=reference.name, version=reference.version)
