"""References to secrets: the mapping under `secrets`, and the App Service spelling in a value.

    @Microsoft.KeyVault(SecretUri=https://contoso-prod.vault.azure.net/secrets/db-password/)
    @Microsoft.KeyVault(VaultName=contoso-prod;SecretName=db-password;SecretVersion=…)

https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
"""

from __future__ import annotations

import re

from bootstrap.config.model import SecretReference
from bootstrap.errors import MetadataRefused, nearest
from bootstrap.frozen import Frozen
from bootstrap.imds.clouds import CLOUDS, cloud_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.config.provenance import Part
    from bootstrap.document import Path

# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
VAULT = "[0-9A-Za-z-]{3,24}"
HOST = VAULT + r"(?:\.[0-9A-Za-z-]{1,63})+"
NAME = "[0-9A-Za-z-]{1,127}"
VERSION = "[0-9A-Fa-f]{32}"

MARK = "@microsoft.keyvault"
SPELLINGS = (
    "write @Microsoft.KeyVault(SecretUri=https://VAULT.vault.azure.net/secrets/NAME) "
    "or @Microsoft.KeyVault(VaultName=VAULT;SecretName=NAME)"
)
CERTIFICATE_FORMS = ("pem", "key", "chain", "pfx")


class VaultRules(Frozen):
    """The vaults that documents may name: those in `allow`, by name or host.

    If `allow` is empty, they may name any vault under one of the `suffixes` of the machine's cloud.
    An image's own documents may always name those.
    """

    allow: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = tuple(cloud.vault_suffix for cloud in CLOUDS)

    def refusal(self, vault: str, *, trusted: bool) -> str:
        """Return why a document may not name this vault (a name or a host); empty if it may."""
        if any(self._hosts(vault) & self._hosts(allowed) for allowed in self.allow):
            return ""
        _, _, suffix = vault.lower().partition(".")
        if suffix and suffix not in self.suffixes:
            return f"{vault} is not a vault of this machine's cloud"
        if self.allow and not trusted:
            return f"userData may not name the vault {vault} on this image"
        return ""

    def _hosts(self, vault: str) -> set[str]:
        """Return the hosts that the name of a vault may mean; for a host, only itself."""
        known = vault.lower()
        is_host = "." in known or not self.suffixes
        return {known} if is_host else {f"{known}.{suffix}" for suffix in self.suffixes}


def vault_rules(cloud: str, allow: tuple[str, ...]) -> VaultRules:
    """Return the rules in a cloud (azEnvironment); an unknown one has only those of `allow`."""
    try:
        suffixes: tuple[str, ...] = (cloud_of(cloud).vault_suffix,)
    except MetadataRefused:
        suffixes = ()
    return VaultRules(allow=allow, suffixes=suffixes)


def host_of(vault: str, suffix: str) -> str:
    """Return the host of a vault that is given by its name or as a host.

    Raises ValueError if it is neither.
    """
    if re.fullmatch(VAULT, vault):
        return f"{vault}.{suffix}"
    if re.fullmatch(HOST, vault):
        return vault
    raise ValueError(f"{vault!r} is not a vault's name")


def is_reference(value: object) -> bool:
    """Return whether a value is meant as a reference, correctly spelled or not."""
    return isinstance(value, str) and value.lstrip()[: len(MARK)].lower() == MARK


def references(part: Part, path: Path = ()) -> Iterator[tuple[Path, Part]]:
    """Yield every text in a value that names a secret, with its path below `path`.

    Only an image document or a userData can name one. A text that a tag has set is never a
    reference, however it is spelled.
    """
    if isinstance(part.value, dict):
        for key, inner in part.value.items():
            yield from references(inner, (*path, key))
    elif isinstance(part.value, list):
        for at, inner in enumerate(part.value):
            yield from references(inner, (*path, at))
    elif part.origin.layer != "tag" and is_reference(part.value):
        yield path, part


def mentions_reference(value: object) -> bool:
    """Return whether the mark of a reference is anywhere in plain data, keys included."""
    if isinstance(value, dict):
        return any(map(mentions_reference, (*value, *value.values())))
    if isinstance(value, list):
        return any(map(mentions_reference, value))
    return isinstance(value, str) and MARK in value.lower()


def parse(text: str, origin: str = "", *, of_image: bool = False) -> SecretReference:
    """Return the reference in the App Service spelling.

    Raises ValueError with a message for the author of the text.
    """
    flags = re.IGNORECASE | re.ASCII
    match = re.fullmatch(r"@microsoft\.keyvault\((.*)\)", text.strip(), flags)
    if not match:
        raise ValueError("this is not a whole reference to a secret")
    pairs = [part.partition("=") for part in match[1].split(";") if part.strip()]
    fields = {key.strip().lower(): value.strip() for key, _, value in pairs}
    if set(fields) == {"secreturi"} and len(pairs) == 1:
        return _from_uri(fields["secreturi"], origin, of_image=of_image)
    known = {"vaultname": VAULT, "secretname": NAME, "secretversion": VERSION}
    for key in fields:
        if key not in known:
            near = nearest(key, ("SecretUri", "VaultName", "SecretName", "SecretVersion"))
            raise ValueError(
                f"{key} is not part of a reference" + (f" ({near} is)" if near else "")
            )
    if len(fields) != len(pairs) or not {"vaultname", "secretname"} <= set(fields):
        raise ValueError("a reference has VaultName and SecretName, each once")
    for key, value in fields.items():
        is_current = key == "secretversion" and not value
        if not is_current and not re.fullmatch(known[key], value):
            raise ValueError(f"the {key} of this reference is {'not one' if value else 'empty'}")
    return SecretReference(
        vault=fields["vaultname"],
        name=fields["secretname"],
        version=fields.get("secretversion", ""),
        origin=origin,
        of_image=of_image,
    )


def from_entry(part: Part) -> SecretReference:
    """Return the reference in an entry of `secrets` that was checked and merged from all layers.

    `as` other than `value` is for certificates; the default for a certificate is `pem`.
    """
    entry = part.to_plain()
    form = entry.get("as", "pem" if entry.get("certificate") else "value")
    return SecretReference(
        vault=entry["vault"],
        name=entry["name"],
        version=entry.get("version", ""),
        is_certificate=bool(entry.get("certificate")) or form in CERTIFICATE_FORMS,
        form=form,
        encoding=entry.get("encoding", "text"),
        credential=entry.get("credential", ""),
        origin=str(part.origin),
        of_image=all(item.origin.layer == "image" for item in part.value.values()),
    )


def _from_uri(uri: str, origin: str, *, of_image: bool) -> SecretReference:
    match = re.fullmatch(rf"https://({HOST})/secrets/({NAME})(?:/({VERSION})?)?", uri)
    if not match:
        raise ValueError("its SecretUri is not that of a secret")
    host, name, version = match.groups()
    return SecretReference(
        vault=host, name=name, version=version or "", origin=origin, of_image=of_image
    )
