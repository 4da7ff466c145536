"""A certificate with its key, split into parts. No other module of secrets imports `cryptography`.

Key Vault stores it as PFX without a password, or as PEM. The library is an extra, because only
installations that use certificates need it. If it is needed and missing, an error says so before
any request.
"""

from __future__ import annotations

import re

from bootstrap.frozen import Frozen
from bootstrap.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

# A program that is a package of the distribution does not find what pip installs.
CURE = (
    "install it in the image: apt-get install python3-cryptography (or dnf); "
    "with pip: pip install 'imds-bootstrap[certificates]'"
)


class UnusableCertificate(Exception):
    """The secret does not have the requested form.

    The message continues a sentence that begins with the secret's name. It quotes nothing.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Parts(Frozen):
    """The parts as PEM texts: the private key (PKCS #8), and the chain, leaf first."""

    key: Secret
    chain: Secret

    @property
    def pem(self) -> Secret:
        """Key, leaf and chain in one text, as nginx and HAProxy read it."""
        return Secret(self.key.reveal() + self.chain.reveal())


def why_not() -> str:
    """Return why this installation cannot split certificates, or an empty text if it can."""
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: F401 - only tried
    except ImportError as error:
        return str(error)
    return ""


def split(text: str, *, is_pfx: bool) -> Parts:
    """Return the parts of a certificate as Key Vault stores it: base64 of a PFX, or PEM.

    Raises UnusableCertificate if it cannot be read, or if no certificate belongs to the key.
    """
    from cryptography.hazmat.primitives import serialization as forms

    try:
        key, certificates = _read_pfx(text) if is_pfx else _read_pem(text)
    except (ValueError, TypeError):  # the library's messages can quote the content
        hint = "a PFX has to have no password; see how the certificate was imported"
        raise UnusableCertificate("cannot be read as a certificate with its key", hint) from None
    chain = _in_order(key, certificates)
    private = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    public = b"".join(certificate.public_bytes(forms.Encoding.PEM) for certificate in chain)
    return Parts(key=Secret(private.decode()), chain=Secret(public.decode()))


def _read_pfx(text: str) -> tuple[PrivateKeyTypes, list[Certificate]]:
    from base64 import b64decode

    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    content = b64decode("".join(text.split()), validate=True)
    try:
        key, leaf, others = load_key_and_certificates(content, None)
    except ValueError:  # an empty password differs from no password, and both are in use
        key, leaf, others = load_key_and_certificates(content, b"")
    if key is None:
        raise ValueError("there is no key in it")
    return key, [*([leaf] if leaf else []), *others]


def _read_pem(text: str) -> tuple[PrivateKeyTypes, list[Certificate]]:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    keys = re.findall(r"-----BEGIN (?:\w+ )?PRIVATE KEY-----.*?-----END [^\n]*", text, re.DOTALL)
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END [^\n]*", text, re.DOTALL)
    if len(keys) != 1:
        raise ValueError("there is not one key in it")
    key = load_pem_private_key(keys[0].encode(), None)
    return key, [load_pem_x509_certificate(block.encode()) for block in blocks]


def _in_order(key: PrivateKeyTypes, stored: Sequence[Certificate]) -> list[Certificate]:
    """Return the certificates from the key's own upwards, in whatever order they are stored.

    A root is left out: a client that does not have it already does not trust one that is sent.
    """
    own = _public_der(key.public_key())
    leaf = next((cert for cert in stored if _public_der(cert.public_key()) == own), None)
    if leaf is None:
        raise UnusableCertificate(
            "holds no certificate for its key", "import it with its certificate"
        )
    chain = [leaf]
    others = [cert for cert in stored if cert != leaf and cert.subject != cert.issuer]
    while issuer := next((cert for cert in others if cert.subject == chain[-1].issuer), None):
        chain.append(issuer)
        others.remove(issuer)
    return chain + others


def _public_der(key: Any) -> bytes:
    """Return a public key in DER, in which equal keys have equal bytes."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der
