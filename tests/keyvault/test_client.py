"""The way to a vault, attacked: what stands between a machine and Key Vault can do anything."""

from __future__ import annotations

import threading
import time

import pytest
from scripted_vault import TOKEN, VALUE, answer, drip, reference, secret

from bootstrap.errors import SecretsRefused, SecretsUnavailable, SettingsError
from bootstrap.keyvault.client import RequestError
from bootstrap.keyvault.client import Vault as Client
from bootstrap.keyvault.urls import SecretId
from bootstrap.secret import Secret

ADDRESS = SecretId(host="contoso.vault.azure.net", name="db")


def silent(server, connection):
    server.stopped.wait(30)


def endless(head):
    def step(server, connection):
        connection.sendall(head)
        while not server.stopped.is_set():
            connection.sendall(b"x" * 65536)

    return step


@pytest.mark.parametrize(
    "step",
    [
        silent,
        drip(b"HTTP/1.1 200 OK\r\nX: "),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"),
    ],
    ids=["silence", "header", "body", "chunk"],
)
def test_nothing_outlasts_the_deadline(vault, get, clock, step):
    """A server that drips keeps the machine no longer than it may take."""
    server = vault(step)
    began = time.monotonic()
    with pytest.raises(SecretsUnavailable):
        get(server, real=time.monotonic, deadline=1.0, sleep=time.sleep)
    assert time.monotonic() - began < 3.5


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_thread_is_not_held_either(vault, authority, head):
    """The client itself gives up in time, so that another connection can be tried."""
    server = vault(drip(head))
    client = Client(ca_file=str(authority.file), endpoint=server.endpoint)
    began = time.monotonic()
    with pytest.raises(RequestError, match="in time"):
        client.get(ADDRESS, Secret(TOKEN), deadline=began + 0.5)
    client.close()
    assert time.monotonic() - began < 3


def test_a_handshake_does_not_outlast_the_deadline(vault, get):
    """A server that drips before TLS is there keeps nobody either."""
    server = vault(drip(b"\x16\x03\x03\x40\x00"), plain=True)
    began = time.monotonic()
    with pytest.raises(SecretsUnavailable):
        get(server, real=time.monotonic, deadline=1.0, sleep=time.sleep)
    assert time.monotonic() - began < 3.5


def test_a_name_service_that_hangs_holds_all_threads_for_one_time(get, vault, monkeypatch):
    """Eight secrets whose vault's name is looked up for ever end as soon after as one does."""
    answered = threading.Event()

    def hang(*_, **__):
        answered.wait(30)
        raise OSError("no name service")

    monkeypatch.setattr("urllib3.util.connection.create_connection", hang)
    references = {f"secrets.s{number}": reference(name=f"s{number}") for number in range(8)}
    began = time.monotonic()
    with pytest.raises(SecretsUnavailable):
        get(
            vault(secret()),
            references=references,
            real=time.monotonic,
            deadline=0.5,
            sleep=time.sleep,
            settings={"endpoint": ""},
        )
    took = time.monotonic() - began
    answered.set()
    assert took < 3.5  # eight times the half second beyond the deadline would be 4.5


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
    ],
    ids=["ok", "redirect", "chunked"],
)
def test_an_endless_body_is_not_read(vault, get, head):
    """No answer takes more memory than the largest secret."""
    server = vault(endless(head))
    with pytest.raises(SecretsRefused) as caught:
        get(server)
    assert "larger than 65536 bytes" in caught.value.problems[0].message


def test_a_packed_body_is_not_unpacked(vault, get):
    """Nobody asked for gzip, so nothing is unpacked, however small it is."""
    import gzip

    packed = gzip.compress(b" " * 50_000_000, mtime=0)[:60_000]
    server = vault(answer(200, packed, Content_Encoding="gzip"), secret())
    assert get(server)["secrets.db"].secret.reveal() == VALUE
    assert "Accept-Encoding: identity" in server.requests[0]


def test_a_redirect_is_not_followed(vault, get):
    """The token goes to no other place, not even one with a good certificate."""
    other = vault(secret())
    server = vault(answer(307, Location=f"https://contoso.vault.azure.net:{other.port}/x"))
    with pytest.raises(SecretsRefused):
        get(server)
    assert not other.connections


def test_netrc_does_not_replace_the_token(vault, get, monkeypatch, tmp_path):
    """A .netrc that knows the host is not read."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login user password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    server = vault(secret())
    get(server)
    assert f"Authorization: Bearer {TOKEN}-0\r\n" in server.requests[0]


def test_no_cookie_is_kept(vault, get):
    """What a vault sets is not sent to the next question."""
    server = vault(answer(500, Set_Cookie="a=b; Path=/"), secret())
    get(server)
    assert "cookie" not in server.requests[1].lower()


@pytest.mark.parametrize(
    "setting",
    [
        {"endpoint": "http://127.0.0.1:1"},
        {"endpoint": "https://127.0.0.1"},
        {"endpoint": "https://user@127.0.0.1:1"},
    ],
)
def test_settings_that_cannot_be_used_are_said(setting):
    """A wrong endpoint is the image builder's to mend."""
    with pytest.raises(SettingsError):
        Client(**setting)
