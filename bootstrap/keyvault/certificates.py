"""A certificate with its key, taken apart: the one importer of `cryptography` for secrets.

Key Vault stores it as PFX without a password, or as PEM. The library is an extra, for only
installations that use certificates need it: one that does is told before anybody is asked.
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

# Beside a package of the distribution, what pip installs is not found.
CURE = (
    "install it in the image: apt-get install python3-cryptography (or dnf); "
    "with pip: pip install 'imds-bootstrap[certificates]'"
)


class UnusableCertificate(Exception):
    """The secret does not have that form; the text goes on from its name, and quotes nothing."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Parts(Frozen):
    """PEM texts: the private key (PKCS #8), and the chain, leaf first."""

    key: Secret
    chain: Secret

    @property
    def pem(self) -> Secret:
        """Key, leaf and chain in one, as nginx and HAProxy read it."""
        return Secret(self.key.reveal() + self.chain.reveal())


def why_not() -> str:
    """Why this installation cannot take certificates apart; empty when it can."""
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: F401 - only tried
    except ImportError as error:
        return str(error)
    return ""


def split(text: str, *, is_pfx: bool) -> Parts:
    """The parts of a certificate as Key Vault stores it: base64 of a PFX, or PEM.

    Raises Unfit when it cannot be read.
    """
    from cryptography.hazmat.primitives import serialization as forms

    try:
        key, found = _read_pfx(text) if is_pfx else _read_pem(text)
    except (ValueError, TypeError):  # the library's words can quote the content
        hint = "a PFX has to have no password; see how the certificate was imported"
        raise UnusableCertificate("cannot be read as a certificate with its key", hint) from None
    chain = _in_order(key, found)
    private = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    public = b"".join(one.public_bytes(forms.Encoding.PEM) for one in chain)
    return Parts(key=Secret(private.decode()), chain=Secret(public.decode()))


def _read_pfx(text: str) -> tuple[PrivateKeyTypes, list[Certificate]]:
    from base64 import b64decode

    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    content = b64decode("".join(text.split()), validate=True)
    try:
        key, leaf, others = load_key_and_certificates(content, None)
    except ValueError:  # an empty password is not the same as none, and both are in use
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


def _in_order(key: PrivateKeyTypes, found: Sequence[Certificate]) -> list[Certificate]:
    """The certificates from the key's own upwards, whatever order they are stored in.

    A root is left out: who does not have it already does not trust it for being sent.
    """
    mine = _told(key.public_key())
    leaf = next((one for one in found if _told(one.public_key()) == mine), None)
    if leaf is None:
        raise UnusableCertificate(
            "holds no certificate for its key", "import it with its certificate"
        )
    chain = [leaf]
    others = [one for one in found if one != leaf and one.subject != one.issuer]
    while issuer := next((one for one in others if one.subject == chain[-1].issuer), None):
        chain.append(issuer)
        others.remove(issuer)
    return chain + others


def _told(key: Any) -> bytes:
    """A public key in the one form in which equal keys are equal."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    told: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return told
