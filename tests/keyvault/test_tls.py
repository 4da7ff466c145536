"""Who is believed to be a vault: the same whichever way a machine keeps its authorities."""

from __future__ import annotations

import ssl
import time
from types import SimpleNamespace

import pytest
from scripted_vault import TOKEN, VALUE, Authority, reference, secret

from bootstrap.errors import SecretsRefused, SecretsUnavailable, SettingsError
from bootstrap.keyvault import tls
from bootstrap.keyvault.client import RequestError
from bootstrap.keyvault.client import Vault as Client
from bootstrap.keyvault.tls import TrustStore
from bootstrap.keyvault.urls import SecretId
from bootstrap.secret import Secret

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
WAYS = ("list", "folder", "folder, then list", "bundle", "curl's bundle", "bundle folder", "file")


@pytest.fixture
def believed(monkeypatch, tmp_path, authority, stranger):
    """A function that makes a machine believe in our authority, in one way; gives the settings."""
    ours, folder, other = str(authority.file), tmp_path / "hashed", tmp_path / "other"
    folder.mkdir()
    authority.into(folder)
    other.mkdir()
    Authority(tmp_path, "third").into(other)

    def choose(way):
        none = {"SSL_CERT_FILE": str(tmp_path / "none"), "SSL_CERT_DIR": str(tmp_path / "none")}
        environment = {
            "list": none | {"SSL_CERT_FILE": ours},
            "folder": none | {"SSL_CERT_DIR": str(folder)},
            "folder, then list": {"SSL_CERT_FILE": ours, "SSL_CERT_DIR": str(other)},
            "bundle": {"REQUESTS_CA_BUNDLE": ours, "CURL_CA_BUNDLE": str(stranger.file)},
            "curl's bundle": {"CURL_CA_BUNDLE": ours},
            "bundle folder": {"REQUESTS_CA_BUNDLE": str(folder)},
            "file": none,
        }[way]
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return {"ca_file": ours if way == "file" else ""}

    return choose


@pytest.mark.parametrize("way", WAYS)
def test_every_way_finds_the_authority(way, believed, vault, get):
    """A vault that can prove its name is asked, and so are ten secrets of it at once."""
    settings = believed(way)
    names = [f"s{number}" for number in range(10)]
    server = vault(paths={f"/secrets/{one}": [secret(one)] for one in names})
    references = {f"secrets.{one}": reference(name=one) for one in names}
    found = get(server, references=references, settings=settings)
    assert {one.secret.reveal() for one in found.values()} == {VALUE}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_believes_a_stranger(way, believed, vault, get, stranger):
    """An authority that nobody named vouches for nobody; the token is not shown."""
    server = vault(secret(), context=stranger.context())
    with pytest.raises(SecretsRefused) as caught:
        get(server, settings=believed(way))
    assert "certificate is not to be trusted" in caught.value.problems[0].message
    assert not server.requests


@pytest.mark.parametrize("way", WAYS)
def test_no_way_believes_another_name(way, believed, vault, get, authority):
    """A certificate for another host is not one for the vault, whoever signed it."""
    server = vault(secret(), context=authority.context(("evil.example", "127.0.0.1")))
    with pytest.raises(SecretsRefused) as caught:
        get(server, settings=believed(way))
    assert "certificate is not to be trusted" in caught.value.problems[0].message
    assert not server.requests


@pytest.mark.parametrize("way", WAYS)
def test_no_way_believes_a_certificate_out_of_its_time(way, believed, vault, get, authority):
    """An expired certificate is never taken, nor is one that is not valid yet."""
    settings = believed(way)
    for starts, ends in ((-2, -1), (1, 2)):
        server = vault(secret(), context=authority.context(starts=starts, ends=ends))
        with pytest.raises(SecretsUnavailable) as caught:
            get(server, settings=settings)
        assert "certificate" in caught.value.problems[0].message
        assert not server.requests


@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_to_plain_http(way, believed, vault):
    """A token is never sent in the clear."""
    server = vault(secret(), plain=True)
    client = Client(**believed(way))
    address = SimpleNamespace(url=f"http://127.0.0.1:{server.port}/")
    with pytest.raises(RequestError):
        client.get(address, Secret(TOKEN), deadline=time.monotonic() + 5)
    client.close()
    assert not server.requests


@pytest.mark.parametrize("way", ["list", "folder", "folder, then list", "bundle"])
def test_the_setting_adds_to_the_others(way, believed, vault, get, stranger):
    """`vaults.ca_file` is believed besides what is believed anyway, and takes nothing away."""
    settings = believed(way) | {"ca_file": str(stranger.file)}
    for context in (None, stranger.context()):
        server = vault(secret(), context=context)
        assert get(server, settings=settings)["secrets.db"].secret.reveal() == VALUE


def test_what_the_environment_names_takes_the_systems_place(
    believed, vault, get, stranger, monkeypatch
):
    """With REQUESTS_CA_BUNDLE, as with `requests` itself, the system's authorities do not count."""
    settings = believed("list")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stranger.file))
    with pytest.raises(SecretsRefused):
        get(vault(secret()), settings=settings)


def test_a_folder_that_knows_the_authority_is_enough(believed, vault, monkeypatch, stranger):
    """The whole list of authorities is read only for a vault that the folder cannot vouch for."""
    believed("folder")
    monkeypatch.setenv("SSL_CERT_FILE", str(stranger.file))
    server, strange = vault(secret()), vault(secret(), context=stranger.context())
    address = SecretId(host="contoso.vault.azure.net", name="db")
    for one, read in ((server, "ours"), (strange, "stranger")):
        client = Client(endpoint=one.endpoint)
        assert client.get(address, Secret(TOKEN), deadline=time.monotonic() + 30).status == 200
        client.close()
        subjects = [one["subject"] for one in client._trust.context.get_ca_certs()]
        assert subjects == [((("commonName", read),),)]


def test_a_folder_without_hashes_is_no_way(believed, monkeypatch, tmp_path):
    """A folder of certificates that nobody hashed finds none: the list is read at once."""
    believed("list")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert TrustStore().is_whole


def test_a_machine_without_authorities_has_those_of_certifi(believed, monkeypatch):
    """A container may have none; who named some that are not there gets no others instead."""
    believed("file")
    assert not TrustStore().context.get_ca_certs()
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    real = ssl.get_default_verify_paths()
    monkeypatch.setattr(
        tls.ssl, "get_default_verify_paths", lambda: real._replace(cafile=None, capath=None)
    )
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: None)
    assert len(TrustStore().context.get_ca_certs()) > 50


def test_the_setting_names_a_file_not_a_folder(believed, tmp_path):
    """A folder that nobody hashed would be believed to hold what nobody can find in it."""
    believed("list")
    with pytest.raises(SettingsError):
        TrustStore(str(tmp_path))


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "vaults.ca_file"])
@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
def test_a_file_without_authorities_is_said(name, content, believed, monkeypatch, tmp_path):
    """Nothing is trusted in the place of a file that is not there or holds none."""
    believed("list")
    path = tmp_path / "list.pem"
    if content is not None:
        path.write_text(content)
    if "." not in name:
        monkeypatch.setenv(name, str(path))
    with pytest.raises(SettingsError) as caught:
        TrustStore(str(path) if "." in name else "")
    assert str(path) in caught.value.message
    assert name in caught.value.hint
