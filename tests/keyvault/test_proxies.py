"""Proxies on the way to a vault, as the environment names them: they learn nothing of it."""

from __future__ import annotations

import socket
import threading
import time
from base64 import b64encode

import pytest
from scripted_vault import TOKEN, VALUE, drip, secret

from bootstrap.errors import SecretsRefused, SecretsUnavailable

PASSWORD = "p4ss-c4n4ry"
DIRECTLY = {"endpoint": ""}  # the vault's own name, as on a real machine


@pytest.fixture(autouse=True)
def no_proxy_yet(monkeypatch):
    """The environment of the tests names none."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Proxy:
    """Carries one connection to a vault, and keeps what it was asked."""

    def __init__(self, port):
        self.asked = ""
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self):
        """Wait until the connection has ended; one that never came is ended here."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self):
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        self.asked = connection.recv(4096).decode()
        with connection, socket.create_connection(("127.0.0.1", self._port)) as target:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            pump = threading.Thread(target=relay, args=(target, connection))
            pump.start()
            relay(connection, target)
            pump.join()


def relay(source, target):
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def proxy():
    """A function that starts a proxy to a vault."""
    started = []

    def start(server):
        started.append(Proxy(server.port))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment_is_used(name, vault, get, monkeypatch, proxy):
    """The vault is reached through it, TLS and all; what it sees is a name and a port."""
    server = vault(secret())
    through = proxy(server)
    monkeypatch.setenv(name, f"http://{through.address}")
    assert get(server, settings=DIRECTLY)["secrets.db"].secret.reveal() == VALUE
    assert through.asked.startswith("CONNECT contoso.vault.azure.net:443 ")
    assert TOKEN not in through.asked
    assert "authorization" not in through.asked.lower()


def test_the_credentials_of_a_proxy_are_for_it_alone(vault, get, monkeypatch, proxy):
    """It gets its user and password, and neither does the vault; the vault gets the token."""
    server = vault(secret())
    through = proxy(server)
    monkeypatch.setenv("HTTPS_PROXY", f"http://agent:{PASSWORD}@{through.address}")
    assert get(server, settings=DIRECTLY)["secrets.db"].secret.reveal() == VALUE
    basic = b64encode(f"agent:{PASSWORD}".encode()).decode()
    assert f"proxy-authorization: basic {basic}".lower() in through.asked.lower()
    assert basic not in server.requests[0]
    assert "proxy-authorization" not in server.requests[0].lower()
    assert f"Authorization: Bearer {TOKEN}-0\r\n" in server.requests[0]


@pytest.mark.parametrize("around", ["vault.azure.net", ".vault.azure.net", "*"])
def test_no_proxy_leads_around_it(around, vault, get, monkeypatch, proxy):
    """With NO_PROXY a private endpoint is reached as it is."""
    server = vault(secret())
    through = proxy(server)
    monkeypatch.setenv("HTTPS_PROXY", f"http://{through.address}")
    monkeypatch.setenv("NO_PROXY", around)
    connect = socket.create_connection
    sought = []

    def lead(address, *_, **__):
        sought.append(address)
        return connect(("127.0.0.1", server.port))

    monkeypatch.setattr("urllib3.util.connection.create_connection", lead)
    assert get(server, settings=DIRECTLY)["secrets.db"].secret.reveal() == VALUE
    assert sought == [("contoso.vault.azure.net", 443)]
    assert not through.asked


@pytest.mark.parametrize("address", ["127.0.0.1:port", "[::1", "ho st:1", "1.2.3.4:99999", ""])
@pytest.mark.parametrize("scheme", ["http", "ftp", "socks5"])
def test_an_address_that_is_none_is_final(scheme, address, get, vault, monkeypatch):
    """A mistake in the variable is said at once, and not what stands in it."""
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://agent:{PASSWORD}@{address}")
    with pytest.raises(SecretsRefused) as caught:
        get(vault(secret()), settings=DIRECTLY)
    assert "the proxy that the environment names cannot be used" in str(caught.value.as_dict())
    assert PASSWORD not in str(caught.value.as_dict())


def test_an_endpoint_that_is_set_is_reached_directly(vault, get, monkeypatch, proxy):
    """`vaults.endpoint` says where the vaults are: no proxy stands before it."""
    server = vault(secret())
    through = proxy(server)
    monkeypatch.setenv("HTTPS_PROXY", f"http://{through.address}")
    get(server)
    assert not through.asked


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
        b"no HTTP at all\r\n\r\n",
        b"",
    ],
    ids=["407", "redirect", "garbage", "nothing"],
)
def test_a_proxy_that_refuses_is_told_without_its_password(answer, vault, get, monkeypatch):
    """It is asked again until the deadline, in which it may come to itself, and then it is said."""
    proxy = vault(answer, plain=True)
    monkeypatch.setenv("HTTPS_PROXY", f"http://agent:{PASSWORD}@127.0.0.1:{proxy.port}")
    told = []
    with pytest.raises(SecretsUnavailable) as caught:
        get(proxy, settings=DIRECTLY, on_event=lambda *args, **fields: told.append((args, fields)))
    assert told
    said = f"{caught.value.as_dict()} {told}"
    assert PASSWORD not in said
    assert b64encode(f"agent:{PASSWORD}".encode()).decode() not in said
    assert len(proxy.requests) > 1
    assert TOKEN not in "".join(proxy.requests)


def test_a_proxy_does_not_outlast_the_deadline(vault, get, monkeypatch):
    """A proxy that drips its consent is left behind."""
    proxy = vault(drip(b"HTTP/1.1 200 OK\r\nX: "), plain=True)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
    began = time.monotonic()
    with pytest.raises(SecretsUnavailable):
        get(
            proxy,
            real=time.monotonic,
            deadline=1.0,
            sleep=time.sleep,
            settings={"endpoint": ""},
        )
    assert time.monotonic() - began < 4
    assert proxy.requests[0].startswith("CONNECT contoso.vault.azure.net:443 ")
    assert TOKEN not in proxy.requests[0]
