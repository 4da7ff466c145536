"""Which secrets each layer may name, and where it may have them placed."""

from __future__ import annotations

from bootstrap.config.keyvault_references import SPELLINGS, parse, references
from bootstrap.config.policy import is_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.config.documents import Trust
    from bootstrap.config.keyvault_references import VaultRules
    from bootstrap.config.provenance import Part
    from bootstrap.errors import Problem
    from bootstrap.settings import UserDataSettings

# https://systemd.io/CREDENTIALS: LoadCredential= and LoadCredentialEncrypted= read from these.
CREDENTIAL_FOLDERS = {"plain": "/run/credstore", "sealed": "/etc/credstore.encrypted"}
ALLOW_HINT = "add it to the setting vaults.allow in the image's agent.yaml"


def check_entries(
    secrets: Part | None, trust: Trust, settings: UserDataSettings, vaults: VaultRules
) -> Iterator[Problem]:
    """Yield a problem for each secret of one layer that is not allowed or contradicts itself."""
    for entry in secrets.value.values() if secrets else ():
        vault = entry.value["vault"]
        if refusal := vaults.refusal(vault.value, trusted=trust == "image"):
            yield vault.origin.problem(refusal, hint=ALLOW_HINT)
        yield from _check_credential(entry, trust, settings)
        yield from _check_encoding(entry)


def check_values(values: Part | None, trust: Trust, vaults: VaultRules) -> Iterator[Problem]:
    """Yield a problem for each reference in a layer's values that is misspelled or not allowed."""
    for _, part in references(values) if values else ():
        try:
            vault = parse(part.value).vault
        except ValueError as error:
            yield part.origin.problem(str(error), hint=SPELLINGS)
            continue
        if refusal := vaults.refusal(vault, trusted=trust == "image"):
            yield part.origin.problem(refusal, hint=ALLOW_HINT)


def _check_credential(entry: Part, trust: Trust, settings: UserDataSettings) -> Iterator[Problem]:
    """Yield a problem if userData asks for a credential, but may not place files in its folder.

    A credential is a file.
    """
    kind = _plain(entry, "credential")
    if not kind or trust == "image" or is_below(CREDENTIAL_FOLDERS[kind], settings.paths):
        return
    yield entry.value["credential"].origin.problem(
        f"userData may not place a file in {CREDENTIAL_FOLDERS[kind]}",
        hint="add that folder to the setting user_data.paths in the image's agent.yaml",
    )


def _check_encoding(entry: Part) -> Iterator[Problem]:
    form = _plain(entry, "as") or ("pem" if _plain(entry, "certificate") == "True" else "value")
    if form in ("pem", "key", "chain") and _plain(entry, "encoding") == "base64":
        yield entry.value["encoding"].origin.problem(
            "a certificate in PEM form is text", hint="remove `encoding`, or write `as: pfx`"
        )


def _plain(entry: Part, key: str) -> str:
    return str(entry.value[key].value) if key in entry.value else ""
