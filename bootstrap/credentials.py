"""Secrets as files of their own, where systemd's services look for credentials.

A unit gets one with `LoadCredential=NAME` from /run/credstore, which is memory, or with
`LoadCredentialEncrypted=NAME` from /etc/credstore.encrypted, where only this machine can read it:
https://systemd.io/CREDENTIALS
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from bootstrap.config.model import Configuration, SecretReference
    from bootstrap.disclosure import Disclosed
    from bootstrap.render.rendered import Rendered

    # The path of a credential, its name, of which secret it is, its content: the sealed content.
    Seal: TypeAlias = Callable[[str, str, str, bytes], bytes]


def credentials(
    configuration: Configuration, disclosed: Disclosed, seal: Seal
) -> Iterator[Rendered]:
    """A file for each secret that is wanted as a credential."""
    for name, reference in configuration.secrets.items():
        if reference.credential:
            yield _credential(name, reference, disclosed, seal)


def _credential(
    name: str, reference: SecretReference, disclosed: Disclosed, seal: Seal
) -> Rendered:
    from bootstrap.config.model import FileSpec
    from bootstrap.config.secret_policy import CREDENTIAL_FOLDERS
    from bootstrap.render.rendered import Rendered

    path = f"{CREDENTIAL_FOLDERS[reference.credential]}/{name}"
    content = disclosed.by_name[name].reveal().encode(errors="surrogateescape")
    source = ""
    if reference.credential == "sealed":
        version = disclosed.versions[("secrets", name)]
        form = f"{reference.form}, {reference.encoding}"
        source = f"{reference.vault}/{reference.name}/{version} ({form})"
        content = seal(path, name, source, content)
    spec = FileSpec(path=path, content="", mode=0o600, origin=reference.origin)
    return Rendered(spec=spec, content=content, secret=True, source=source)
