"""A stored secret in each form that a document can ask for."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64decode, b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization as encodings
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from scripted_vault import Authority, pem, private, reference

from bootstrap.keyvault.encoding import PEM, PFX, UnusableCertificate, form
from bootstrap.keyvault.responses import Found
from bootstrap.secret import Secret

TRADITIONAL = encodings.PrivateFormat.TraditionalOpenSSL


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.fixture(scope="module", params=["ec", "rsa"])
def chain(request, tmp_path_factory):
    """A key, its certificate, an intermediate and the root."""
    root = Authority(tmp_path_factory.mktemp("root"), "root")
    middle = Authority(tmp_path_factory.mktemp("middle"), "middle")
    middle.certificate = root.sign(middle.name, middle.key.public_key(), is_authority=True)
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if request.param == "ec"
        else rsa.generate_private_key(65537, 2048)
    )
    leaf = middle.sign(name("leaf"), key.public_key(), names=["shop.contoso.com"])
    return key, leaf, middle.certificate, root.certificate


def stored(text, content_type=""):
    return Found(value=Secret(text), version="0" * 32, content_type=content_type)


def pfx(chain, encryption=None):
    key, leaf, middle, root = chain
    encryption = encryption or encodings.NoEncryption()
    made = pkcs12.serialize_key_and_certificates(b"x", key, leaf, [root, middle], encryption)
    return b64encode(made).decode()


def stores(chain):
    """The same certificate in every way that Key Vault may hold it."""
    key, leaf, middle, root = chain
    old = key.private_bytes(encodings.Encoding.PEM, TRADITIONAL, encodings.NoEncryption())
    yield stored(pfx(chain), PFX)
    yield stored((private(key) + pem(leaf) + pem(middle) + pem(root)).decode(), PEM)
    yield stored((pem(middle) + b"Bag Attributes\n" + old + pem(root) + pem(leaf)).decode(), PEM)


def test_a_certificate_comes_apart(chain):
    """Key, and chain with the leaf first and without the root, however it is stored."""
    key, leaf, middle, _ = chain
    for found in stores(chain):
        parts = {
            one: form(found, reference(is_certificate=True, form=one)).reveal()
            for one in ("pem", "key", "chain")
        }
        assert parts["chain"] == (pem(leaf) + pem(middle)).decode()
        assert parts["key"] == private(key).decode()
        assert parts["pem"] == parts["key"] + parts["chain"]


def test_a_pfx_is_given_as_it_is(chain):
    """As base64, or as the bytes that it stands for."""
    found = stored(pfx(chain), PFX)
    asked = {"is_certificate": True, "form": "pfx"}
    assert form(found, reference(**asked)).reveal() == found.value.reveal()
    binary = form(found, reference(**asked, encoding="base64")).reveal()
    assert binary.encode(errors="surrogateescape") == b64decode(found.value.reveal())


@given(st.binary(max_size=200))
def test_bytes_go_through_text_unharmed(content):
    """Whatever base64 stands for comes out to the byte."""
    found = stored(b64encode(content).decode() + "\n")
    text = form(found, reference(encoding="base64")).reveal()
    assert text.encode(errors="surrogateescape") == content


def unfit(found, **asked):
    with pytest.raises(UnusableCertificate) as caught:
        form(found, reference(**asked))
    return str(caught.value)


def test_what_does_not_fit_is_said_without_the_value(chain):
    """A wrong form is named; what is stored stands in no message."""
    certificate = {"is_certificate": True, "form": "pem"}
    key, leaf, _, _ = chain
    stranger = private(ec.generate_private_key(ec.SECP256R1())).decode()
    locked = pfx(chain, encodings.BestAvailableEncryption(b"password"))
    said = [
        unfit(stored("hunter2"), encoding="base64"),
        unfit(stored("hunter2"), **certificate),
        unfit(stored("hunter2", PFX), **certificate),
        unfit(stored(locked, PFX), **certificate),
        unfit(stored("hunter2", PEM), **certificate),
        unfit(stored(pem(leaf).decode(), PEM), **certificate),
        unfit(stored(stranger + pem(leaf).decode(), PEM), **certificate),
        unfit(stored(private(key).decode(), PEM), **(certificate | {"form": "pfx"})),
    ]
    assert said == [
        "is not base64",
        "is not a certificate",
        *["cannot be read as a certificate with its key"] * 4,
        "holds no certificate for its key",
        "is not stored as PFX",
    ]


def test_without_the_library_nobody_is_asked():
    """What is wrong with the image is told before a token is taken, with a cure for each way in."""
    program = """if True:
        import sys
        sys.modules["cryptography"] = None
        from bootstrap.config.model import SecretReference
        from bootstrap.errors import ImageError
        from bootstrap.imds.clouds import cloud_of
        from bootstrap.secret import Secret
        from bootstrap.keyvault.responses import Found
        from bootstrap.keyvault.fetch import fetch
        from bootstrap.keyvault.encoding import PEM, PFX, form
        found = Found(value=Secret("x"), version="", content_type=PEM)
        print(form(found, SecretReference(vault="v", name="n")).reveal())
        found = Found(value=Secret("y"), version="", content_type=PFX)
        whole = SecretReference(vault="v", name="n", is_certificate=True, form="pfx")
        print(form(found, whole).reveal())
        parted = SecretReference(
            vault="v", name="tls", is_certificate=True, form="key", origin="userData:4:3"
        )
        try:
            fetch(
                {"secrets.tls": parted, "secrets.all": whole},
                token=None, forget=None, settings=None, deadline=0,
                cloud=cloud_of("AzurePublicCloud"),
            )
        except ImageError as error:
            print(error.problems, error.hint)
    """
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout == (
        "x\ny\n(Problem(userData:4:3 secrets.tls: the certificate tls is wanted),) install it in "
        "the image: apt-get install python3-cryptography (or dnf); with pip: pip install "
        "'imds-bootstrap[certificates]'\n"
    ), ended.stderr
