"""A certificate authority that is created at the start, for the vaults' TLS and certificates.

This is the only module of the emulator that needs the `cryptography` library; without vaults it
is not imported. Keys stay in memory, except that TLS reads its own from a file, which is removed
at once.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ipaddress
import os
import ssl
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bootstrap.frozen import Frozen, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bootstrap.emulator.vault import CertificateSpec

    Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_RSA_BITS = 2048  # Key Vault's default
_AUTHORITY_DAYS = 3650
_TLS_DAYS = 30
_CLOCK_SKEW = dt.timedelta(hours=1)  # the client's clock may be behind


class Issued(Frozen):
    """A certificate with its private key, as Key Vault holds them; times in seconds since 1970.

    `secret` is base64 PFX with an empty password, or PEM. `der` is the certificate alone.
    """

    secret: str = field(repr=False)
    der: bytes
    not_before: int
    expires: int

    @property
    def thumbprint(self) -> str:
        """Key Vault's x5t: the SHA-1 of the certificate, in base64 for URLs."""
        digest = hashlib.sha1(self.der).digest()  # noqa: S324 - the service's choice
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class TestCA:
    """A root that clients must trust, and an issuing authority below it."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        root_key, self._key = _ec_key(), _ec_key()
        root_name = _common_name("Emulated Key Vault Root")
        self._root = self._certificate(root_name, root_key, root_name, root_key, _AUTHORITY_DAYS, 1)
        name = _common_name("Emulated Key Vault Issuing")
        self._issuing = self._certificate(name, self._key, root_name, root_key, _AUTHORITY_DAYS, 0)

    @property
    def root_pem(self) -> bytes:
        """The root certificate, which a client must trust, in PEM."""
        return _pem(self._root)

    def tls_context(self, names: Sequence[str]) -> ssl.SSLContext:
        """Return a TLS server's context for these DNS names (`*.` allowed) and addresses."""
        key = _ec_key()
        certificate = self._leaf(_common_name("vaults"), key, names, _TLS_DAYS)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with TemporaryDirectory(prefix="imds-bootstrap-") as folder:  # ssl reads only files
            path = os.path.join(folder, "tls.pem")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(_private_pem(key) + _pem(certificate) + _pem(self._issuing))
            context.load_cert_chain(path)
        return context

    def issue(self, spec: CertificateSpec) -> Issued:
        """Issue a new certificate with its chain: leaf, issuing authority, root."""
        key = _ec_key() if spec.key == "ec" else rsa.generate_private_key(65537, _RSA_BITS)
        subject = x509.Name.from_rfc4514_string(spec.subject)
        begin, end = self._validity(spec.days)
        leaf = self._leaf(subject, key, spec.names, spec.days)
        chain = [self._issuing, self._root]
        return Issued(
            secret=_as_pem(key, leaf, chain) if spec.form == "pem" else _as_pfx(key, leaf, chain),
            der=leaf.public_bytes(serialization.Encoding.DER),
            not_before=int(begin.timestamp()),
            expires=int(end.timestamp()),
        )

    def _leaf(
        self, subject: x509.Name, key: Key, names: Sequence[str], days: float
    ) -> x509.Certificate:
        return self._certificate(subject, key, self._issuing.subject, self._key, days, None, names)

    def _certificate(  # noqa: PLR0917 - private, and the order is that of a certificate
        self,
        subject: x509.Name,
        key: Key,
        issuer: x509.Name,
        issuer_key: Key,
        days: float,
        below: int | None,
        names: Sequence[str] = (),
    ) -> x509.Certificate:
        """Return a signed certificate; `below` is how many authorities may follow, None for a leaf.

        It has every extension that OpenSSL's strict mode requires, Python's default since 3.13.
        """
        begin, end = self._validity(days)
        public, issuer_public = key.public_key(), issuer_key.public_key()
        identifier = x509.SubjectKeyIdentifier.from_public_key(public)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public)
        constraints = x509.BasicConstraints(ca=below is not None, path_length=below)
        builder = (
            x509.CertificateBuilder(issuer, subject, public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(identifier, critical=False)
            .add_extension(authority, critical=False)
            .add_extension(constraints, critical=True)
            .add_extension(_usage(authority=below is not None), critical=True)
        )
        if below is None:
            purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if names:
            known_as = x509.SubjectAlternativeName([_general_name(name) for name in names])
            builder = builder.add_extension(known_as, critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    def _validity(self, days: float) -> tuple[dt.datetime, dt.datetime]:
        now = dt.datetime.fromtimestamp(int(self._wall()), dt.timezone.utc)
        return now - _CLOCK_SKEW, now + dt.timedelta(days=days)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _as_pem(key: Key, leaf: x509.Certificate, chain: Sequence[x509.Certificate]) -> str:
    return b"".join([_private_pem(key), *map(_pem, [leaf, *chain])]).decode()


def _as_pfx(key: Key, leaf: x509.Certificate, chain: Sequence[x509.Certificate]) -> str:
    plain = serialization.NoEncryption()
    pfx = pkcs12.serialize_key_and_certificates(None, key, leaf, chain, plain)
    return base64.b64encode(pfx).decode()
