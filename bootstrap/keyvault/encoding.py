"""Conversion of a stored secret to the form that a document asks for."""

from __future__ import annotations

import binascii
from base64 import b64decode

from bootstrap.keyvault.certificates import UnusableCertificate, split
from bootstrap.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootstrap.config.model import SecretReference
    from bootstrap.keyvault.responses import StoredSecret

PFX, PEM = "application/x-pkcs12", "application/x-pem-file"  # how Key Vault stores certificates
PARTS = ("pem", "key", "chain")


def form(stored: StoredSecret, reference: SecretReference) -> Secret:
    """Return the secret in the form of its reference.

    Bytes that are not UTF-8 are in it as `surrogateescape` has them. Raises UnusableCertificate if
    the secret
    does not have that form.
    """
    if reference.is_certificate and stored.content_type not in (PFX, PEM):
        raise UnusableCertificate(
            "is not a certificate", "name a certificate, or leave out `certificate`"
        )
    if reference.form == "pfx" and stored.content_type != PFX:
        raise UnusableCertificate("is not stored as PFX", "write `as: pem`")
    text = stored.value.reveal()
    if reference.form in PARTS:
        return _part(text, stored.content_type, reference.form)
    return Secret(_decoded(text) if reference.encoding == "base64" else text)


def _part(text: str, content_type: str, form: str) -> Secret:

    parts = split(text, is_pfx=content_type == PFX)
    return {"pem": parts.pem, "key": parts.key, "chain": parts.chain}[form]


def _decoded(text: str) -> str:
    """Return the decoded base64; bytes that are not UTF-8 are as `surrogateescape` has them."""
    try:
        content = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise UnusableCertificate("is not base64", "leave out `encoding: base64`") from None
    return content.decode("utf-8", "surrogateescape")
