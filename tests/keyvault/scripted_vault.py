"""A vault that does exactly as it is told, over TLS on loopback, and who vouches for it."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import threading
from contextlib import suppress
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bootstrap.config.model import SecretReference

VERSION = "0123456789abcdef0123456789abcdef"
TOKEN = "token-c4n4ry-8f1d"
VALUE = "value-c4n4ry-77ab"
NAMES = ("*.vault.azure.net", "*.vault.azure.cn", "*.vault.usgovcloudapi.net", "kv.example.org")


def secret(name="db", *, host="contoso.vault.azure.net", version=VERSION, value=VALUE, **fields):
    """The body of a vault's answer."""
    identifier = f"https://{host}/secrets/{name}/{version}"
    return {"value": value, "id": identifier, "attributes": {"enabled": True}, **fields}


def refusal(code, inner="", message="words"):
    """The body of a vault's refusal."""
    error = {"code": code, "message": message}
    return {"error": error | ({"innererror": {"code": inner}} if inner else {})}


USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


class Authority:
    """A certificate authority made on the spot, in `folder`."""

    def __init__(self, folder, name):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self.sign(self.name, self.key.public_key(), is_authority=True)
        self.folder = folder
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(pem(self.certificate))

    def into(self, folder):
        """Lay the certificate into a hashed folder, as openssl-rehash(1) does."""
        name = self.name.rfc4514_string().removeprefix("CN=").lower().encode()
        value = b"\x06\x03\x55\x04\x03\x0c" + bytes([len(name)]) + name  # the OID, then UTF-8
        pair = b"\x30" + bytes([len(value)]) + value
        digest = hashlib.sha1(b"\x31" + bytes([len(pair)]) + pair).digest()
        number = int.from_bytes(digest[:4], "little")
        (folder / f"{number:08x}.0").write_bytes(pem(self.certificate))

    def sign(self, subject, key, *, names=(), is_authority=False, starts=-1, ends=1):
        """A certificate, valid from `starts` to `ends` in days from now."""
        now = datetime.now(timezone.utc)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
        builder = builder.public_key(key).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now + timedelta(days=starts))
        builder = builder.not_valid_after(now + timedelta(days=ends))
        basic = x509.BasicConstraints(ca=is_authority, path_length=None)
        builder = builder.add_extension(basic, critical=True)
        # From Python 3.13 on, ssl holds certificates to RFC 5280, which asks for all of these.
        usage = dict.fromkeys(USAGES, False) | {
            "digital_signature": not is_authority,
            "key_cert_sign": is_authority,
            "crl_sign": is_authority,
        }
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
        own = x509.SubjectKeyIdentifier.from_public_key(key)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(own, critical=False)
        builder = builder.add_extension(issuer, critical=False)
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def context(self, names=NAMES, **period):
        """A server's TLS context with a certificate for these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vault")])
        certificate = self.sign(subject, key.public_key(), names=names, **period)
        file = self.folder / f"server-{certificate.serial_number}.pem"
        file.write_bytes(pem(certificate) + private(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def private(key):
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def answer(status, body=b"", *, length=None, **headers):
    """The bytes of a whole answer."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {length or len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Vault:
    """Plays one step for each request, the last one for ever; connections are kept.

    A step is a body (a 200), bytes, or a function of the vault and the connection. A dict of steps
    is one list for each path.
    """

    def __init__(self, steps, context):
        self.steps = steps if isinstance(steps, dict) else list(steps)
        self.context = context
        self.requests = []
        self.connections = 0
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.endpoint = f"https://127.0.0.1:{self.port}"
        self._open = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def paths(self):
        """What was asked for, in order."""
        return [request.split(" ")[1] for request in self.requests]

    def stop(self):
        """Close everything and wait for the threads."""
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        with connection, suppress(OSError):
            if self.context is None:
                self._play(connection)
                return
            with self.context.wrap_socket(connection, server_side=True) as secure:
                self._open.append(secure)
                self.connections += 1
                while self._play(secure):
                    pass

    def _play(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(65536)
            if not piece:
                return False
            request += piece
            if self.context is None:
                break
        text = request.decode("latin-1")
        with self._lock:
            self.requests.append(text)
            step = self._next(text)
        if callable(step):
            step(self, connection)
            return False
        connection.sendall(step if isinstance(step, bytes) else answer(200, step))
        return True

    def _next(self, text):
        steps = self.steps
        if isinstance(steps, dict):
            steps = steps[text.split(" ")[1].partition("?")[0]]
        return steps.pop(0) if len(steps) > 1 else steps[0]


def drip(text, seconds=0.05):
    """A step that sends one byte at a time, for ever at the end."""

    def step(server, connection):
        for byte in text + b"x" * 100_000:
            if server.stopped.wait(seconds):
                return
            connection.sendall(bytes([byte]))

    return step


def reference(vault="contoso", name="db", **more):
    return SecretReference(vault=vault, name=name, origin="userData:4:11", **more)
