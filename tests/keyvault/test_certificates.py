"""Certificates of any length, in whatever order and form Key Vault holds them."""

from __future__ import annotations

import sys
from base64 import b64encode
from itertools import permutations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization as encodings
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from scripted_vault import Authority, pem, private

from bootstrap.keyvault.certificates import UnusableCertificate, split, why_not

ORDERS = list(permutations(range(4)))


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def under(authority, folder, text):
    """An authority whose certificate another one signs."""
    made = Authority(folder, text)
    made.certificate = authority.sign(made.name, made.key.public_key(), is_authority=True)
    return made


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A key, its certificate, two intermediates above it, and the root."""
    folder = tmp_path_factory.mktemp("chain")
    root = Authority(folder, "root")
    upper = under(root, folder, "upper")
    lower = under(upper, folder, "lower")
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = lower.sign(name("leaf"), key.public_key(), names=["shop.contoso.com"])
    return key, leaf, lower.certificate, upper.certificate, root.certificate


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """An authority that nothing in the chain has to do with, and an intermediate of it."""
    folder = tmp_path_factory.mktemp("stranger")
    return under(Authority(folder, "other root"), folder, "other")


def as_pfx(key, leaf, others, password=None):
    encryption = (
        encodings.NoEncryption()
        if password is None
        else encodings.BestAvailableEncryption(password)
    )
    made = pkcs12.serialize_key_and_certificates(b"x", key, leaf, others, encryption)
    return b64encode(made).decode()


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_pem_is_put_in_order(chain, order):
    """The key's own certificate, then each one's issuer; the root is left out."""
    key, *certificates = chain
    leaf, lower, upper, _ = certificates
    text = b"".join(pem(certificates[at]) for at in order)
    for stored in (private(key) + text, text + private(key)):
        parts = split(stored.decode(), is_pfx=False)
        assert parts.chain.reveal() == (pem(leaf) + pem(lower) + pem(upper)).decode()
        assert parts.key.reveal() == private(key).decode()
        assert parts.pem.reveal() == (private(key) + pem(leaf) + pem(lower) + pem(upper)).decode()


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_pfx_is_put_in_order(chain, order):
    """The same of a PFX, whichever of its certificates is marked as the key's own."""
    key, *certificates = chain
    leaf, lower, upper, _ = certificates
    first, *others = (certificates[at] for at in order)
    wanted = (pem(leaf) + pem(lower) + pem(upper)).decode()
    marked = first if first is leaf else None
    rest = others if first is leaf else [first, *others]
    parts = split(as_pfx(key, marked, rest), is_pfx=True)
    assert parts.chain.reveal() == wanted
    assert parts.key.reveal() == private(key).decode()


def test_a_chain_that_is_not_whole_stays_as_far_as_it_goes(chain, stranger):
    """What leads to nothing comes last, in the order in which it was stored."""
    key, leaf, lower, upper, _ = chain
    text = private(key) + pem(stranger.certificate) + pem(upper) + pem(leaf)
    parts = split(text.decode(), is_pfx=False)
    wanted = pem(leaf) + pem(stranger.certificate) + pem(upper)
    assert parts.chain.reveal() == wanted.decode()
    text = private(key) + pem(stranger.certificate) + pem(lower) + pem(leaf)
    parts = split(text.decode(), is_pfx=False)
    assert parts.chain.reveal() == (pem(leaf) + pem(lower) + pem(stranger.certificate)).decode()


def test_a_certificate_alone_is_a_chain(chain):
    """No issuer has to be stored, and nothing but the key's own is needed."""
    key, leaf, *_ = chain
    for stored, is_pfx in (
        ((private(key) + pem(leaf)).decode(), False),
        (as_pfx(key, leaf, None), True),
    ):
        assert split(stored, is_pfx=is_pfx).chain.reveal() == pem(leaf).decode()


def test_a_certificate_that_signed_itself_is_kept(tmp_path):
    """The key's own certificate is the leaf even where it is its own issuer."""
    alone = Authority(tmp_path, "alone")
    text = private(alone.key) + pem(alone.certificate)
    parts = split(text.decode(), is_pfx=False)
    assert parts.chain.reveal() == pem(alone.certificate).decode()


def test_a_certificate_that_is_stored_twice_is_given_once(chain):
    """The leaf does not come back among the rest of the chain."""
    key, leaf, lower, upper, _ = chain
    text = private(key) + pem(leaf) + pem(lower) + pem(upper) + pem(leaf)
    parts = split(text.decode(), is_pfx=False)
    assert parts.chain.reveal() == (pem(leaf) + pem(lower) + pem(upper)).decode()


def test_the_base64_of_a_pfx_may_be_wrapped(chain):
    """Line breaks and blanks are no matter."""
    key, leaf, *others = chain
    stored = as_pfx(key, leaf, others)
    wrapped = "\r\n".join(stored[at : at + 64] for at in range(0, len(stored), 64)) + " \n"
    assert split(wrapped, is_pfx=True).key.reveal() == private(key).decode()


def test_a_pfx_with_an_empty_password_is_read(chain, monkeypatch):
    """Some tools write an empty password for none, and some libraries tell the two apart."""
    key, leaf, *others = chain
    real, tried = pkcs12.load_key_and_certificates, []

    def particular(content, password):
        tried.append(password)
        if password is None:
            raise ValueError("not without a password")
        return real(content, None)

    monkeypatch.setattr(pkcs12, "load_key_and_certificates", particular)
    assert split(as_pfx(key, leaf, others), is_pfx=True).key.reveal() == private(key).decode()
    assert tried == [None, b""]


PEM_KEYS = {
    "PKCS #8": encodings.PrivateFormat.PKCS8,
    "traditional": encodings.PrivateFormat.TraditionalOpenSSL,
}


@pytest.mark.parametrize("form", PEM_KEYS.values(), ids=PEM_KEYS)
def test_a_key_is_given_in_one_form(chain, form):
    """Whatever form a key is stored in, it is given as PKCS #8."""
    key, leaf, *_ = chain
    stored = key.private_bytes(encodings.Encoding.PEM, form, encodings.NoEncryption()) + pem(leaf)
    assert split(stored.decode(), is_pfx=False).key.reveal() == private(key).decode()


def unfit(text, *, is_pfx):
    with pytest.raises(UnusableCertificate) as caught:
        split(text, is_pfx=is_pfx)
    assert caught.value.__cause__ is None
    return str(caught.value), caught.value.hint


def test_what_cannot_be_read_says_what_to_do(chain, stranger):
    """The words and the hint quote nothing of what is stored."""
    key, leaf, *others = chain
    hint = "a PFX has to have no password; see how the certificate was imported"
    unreadable = ("cannot be read as a certificate with its key", hint)
    certificates = pem(leaf).decode()
    own = private(key).decode()
    locked = key.private_bytes(
        encodings.Encoding.PEM,
        encodings.PrivateFormat.PKCS8,
        encodings.BestAvailableEncryption(b"password"),
    ).decode()
    for text in (
        certificates,
        "",
        own + own + certificates,
        own + private(stranger.key).decode() + certificates,
        locked + certificates,
        own.replace("M", "!", 1) + certificates,
        own + certificates.replace("MII", "!!!", 1),
    ):
        assert unfit(text, is_pfx=False) == unreadable
    for text in (
        as_pfx(key, leaf, others, b"password"),
        as_pfx(None, None, [leaf]),
        "not base64",
        as_pfx(key, leaf, others)[:-8],
        "",
        "!" + as_pfx(key, leaf, others),
    ):
        assert unfit(text, is_pfx=True) == unreadable


def test_a_key_without_its_certificate_is_told(chain, stranger):
    """A certificate of another key does not do."""
    key, leaf, lower, *_ = chain
    words = ("holds no certificate for its key", "import it with its certificate")
    assert unfit(private(key).decode(), is_pfx=False) == words
    assert unfit((private(key) + pem(lower)).decode(), is_pfx=False) == words
    assert unfit((private(stranger.key) + pem(leaf)).decode(), is_pfx=False) == words
    assert unfit(as_pfx(key, None, [lower]), is_pfx=True) == words


def test_the_library_is_here():
    """Where it is installed there is no reason not to take a certificate apart."""
    assert why_not() == ""


def test_a_missing_library_is_told_in_its_own_words(monkeypatch):
    """The reason is the import's."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    assert "cryptography.hazmat.primitives" in why_not()
