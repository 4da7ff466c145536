"""Whatever a reference says, what is asked for is one secret of one vault."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_vault import VERSION, reference

from bootstrap.imds.clouds import cloud_of
from bootstrap.keyvault.urls import SecretId, address_of

CLOUD = cloud_of("AzurePublicCloud")
TEXT = st.text(alphabet="abZ09-./:@?#%;\\\n ", max_size=30)


@given(vault=TEXT, name=TEXT, version=TEXT | st.just(VERSION))
def test_a_url_has_no_other_meaning(vault, name, version):
    """A URL parses back into the very parts that it was made of, or is never made."""
    try:
        address = address_of(reference(vault=vault, name=name, version=version), CLOUD)
    except ValueError:
        return
    url = urlsplit(address.url)
    assert (url.scheme, url.username, url.port) == ("https", None, None)
    assert url.hostname == (vault if "." in vault else f"{vault}.vault.azure.net").lower()
    assert url.path == f"/secrets/{name}" + (f"/{version}" if version else "")
    assert parse_qs(url.query) == {"api-version": ["7.4"]}
    assert url.fragment == ""


@pytest.mark.parametrize(
    ("identifier", "version"),
    [
        (f"https://contoso.vault.azure.net/secrets/db/{VERSION}", VERSION),
        (f"https://CONTOSO.vault.azure.net/secrets/DB/{VERSION}", VERSION),
        (f"https://contoso.vault.azure.net/secrets/db2/{VERSION}", None),
        (f"https://contoso.vault.azure.cn/secrets/db/{VERSION}", None),
        (f"http://contoso.vault.azure.net/secrets/db/{VERSION}", None),
        (f"https://contoso.vault.azure.net/keys/db/{VERSION}", None),
        (f"https://contoso.vault.azure.net/secrets/db/{VERSION}/x", None),
        ("https://contoso.vault.azure.net/secrets/db/", None),
        (None, None),
        (3, None),
    ],
)
def test_an_answer_is_about_what_was_asked(identifier, version):
    """The id of an answer names the vault, the secret and one version."""
    asked = SecretId(host="contoso.vault.azure.net", name="db")
    assert asked.version_in(identifier) == version


@pytest.mark.parametrize("version", [VERSION, VERSION.upper()])
def test_an_answer_is_about_the_version_that_was_asked_for(version):
    """Of a pinned version only that one is an answer; hexadecimal digits have no case."""
    asked = SecretId(host="Contoso.vault.azure.net", name="Db", version=version)
    prefix = "https://contoso.vault.azure.net/secrets/db"
    for told in (VERSION, VERSION.upper()):
        assert asked.version_in(f"{prefix}/{told}") == told
    assert asked.version_in(f"{prefix}/{'f' * 32}") is None


@pytest.mark.parametrize("version", ["f" * 31, "f" * 33, "g" * 32, "f" * 32 + "\n", "f" * 31 + "/"])
def test_a_version_is_32_hexadecimal_digits(version):
    """In an answer and in a question alike."""
    asked = SecretId(host="contoso.vault.azure.net", name="db")
    assert asked.version_in(f"https://contoso.vault.azure.net/secrets/db/{version}") is None
    with pytest.raises(ValueError, match="is not a secret's version"):
        address_of(reference(version=version), CLOUD)


@pytest.mark.parametrize("name", ["", "a_b", "a.b", "a/b", "a" * 128, "a\n", "é", " a"])
def test_a_name_is_letters_digits_and_hyphens(name):
    """Up to 127 of them: nothing that means something in a URL."""
    with pytest.raises(ValueError, match="is not a secret's name"):
        address_of(reference(name=name), CLOUD)


def test_an_address_is_one_url():
    """The vault's name in this cloud, or its host; the version in the path, if there is one."""
    plain = address_of(reference(vault="contoso", name="a" * 127), CLOUD)
    assert plain.url == (f"https://contoso.vault.azure.net/secrets/{'a' * 127}?api-version=7.4")
    named = reference(vault="kv1.example.org", version=VERSION)
    pinned = address_of(named, CLOUD, ("kv1.example.org",))
    assert pinned.url == f"https://kv1.example.org/secrets/db/{VERSION}?api-version=7.4"
    assert (plain.vault, pinned.vault) == ("contoso", "kv1")
    assert (plain.version, pinned.version) == ("", VERSION)
    assert plain.name == "a" * 127
