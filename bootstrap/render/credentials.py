"""Secrets as files of their own, where systemd's services look for credentials.

A unit gets one with `LoadCredential=NAME` from /run/credstore, which is memory, or with
`LoadCredentialEncrypted=NAME` from /etc/credstore.encrypted, where only this machine can read it:
https://systemd.io/CREDENTIALS
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.config.model import Configuration, SecretReference
    from bootstrap.keyvault.resolve import ResolvedSecrets
    from bootstrap.render.rendered import Rendered


def render_credentials(
    configuration: Configuration, secrets: ResolvedSecrets
) -> Iterator[Rendered]:
    """Yield a file for each secret that is wanted as a credential.

    One that is to be encrypted has a `source`, and its content is not encrypted yet.
    """
    for name, reference in configuration.secrets.items():
        if reference.credential:
            yield _render(name, reference, secrets)


def _render(name: str, reference: SecretReference, secrets: ResolvedSecrets) -> Rendered:
    from bootstrap.config.model import FileSpec
    from bootstrap.config.secret_policy import CREDENTIAL_FOLDERS
    from bootstrap.render.rendered import Rendered

    path = f"{CREDENTIAL_FOLDERS[reference.credential]}/{name}"
    source = ""
    if reference.credential == "sealed":
        version = secrets.versions[("secrets", name)]
        form = f"{reference.form}, {reference.encoding}"
        source = f"{reference.vault}/{reference.name}/{version} ({form})"
    return Rendered(
        spec=FileSpec(path=path, content="", mode=0o600, origin=reference.origin),
        content=secrets.by_name[name].reveal().encode(errors="surrogateescape"),
        secret=True,
        source=source,
    )
