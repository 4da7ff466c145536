"""Whatever a reference says, what is asked for is one secret of one vault."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_vault import VERSION, reference

from bootstrap.imds.clouds import cloud_of
from bootstrap.secrets.address import Address, address_of

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
    asked = Address(host="contoso.vault.azure.net", name="db")
    assert asked.version_in(identifier) == version
