from __future__ import annotations

import socket
import struct
import threading
import time

import pytest

from bootstrap.http import transport
from bootstrap.http.endpoint import Endpoint, parse_endpoint
from bootstrap.http.http1 import MAX_BODY, WireError


def ask(endpoint, path="/metadata/instance", *, timeout=0.5, headers=()):
    if isinstance(endpoint, str):
        endpoint = parse_endpoint(endpoint)
    deadline = time.monotonic() + 30
    return transport.get(endpoint, path, headers=dict(headers), deadline=deadline, timeout=timeout)


def failure(endpoint, **how):
    with pytest.raises(WireError) as caught:
        ask(endpoint, **how)
    return caught.value.outcome


def test_a_request_holds_what_imds_wants_and_nothing_that_it_rejects(serve):
    """One GET, the headers that were given, the host, and no relay's mark."""
    server = serve({"a": 1})
    response = ask(f"{server.endpoint}/base", headers={"Metadata": "true"})
    assert (response.status, response.body) == (200, b'{"a": 1}')
    lines = server.requests[0].split("\r\n")
    assert lines[0] == "GET /base/metadata/instance HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in lines
    assert "Metadata: true" in lines
    assert "forwarded" not in server.requests[0].lower()


@pytest.mark.parametrize("path", ["/a//b", "/../a", "/a b"])
def test_a_path_that_the_guest_proxy_agent_refuses_is_never_sent(serve, path):
    """A fault of the caller is an exception, not a request."""
    server = serve(200)
    with pytest.raises(ValueError, match="path"):
        ask(server.endpoint, path)
    assert not server.times


@pytest.mark.parametrize("header", [("X-Forwarded-For", "1"), ("A", "b\r\nC: d")])
def test_a_header_that_imds_rejects_is_never_sent(serve, header):
    """Neither the mark of a relay nor a second header hidden in the first."""
    server = serve(200)
    with pytest.raises(ValueError, match="header"):
        ask(server.endpoint, headers=[header])


def test_nothing_listening_is_refused(closed_port):
    """A closed port is told from a silent one."""
    assert failure(f"http://127.0.0.1:{closed_port}") == "refused"


def test_a_silent_server_is_a_timeout(serve):
    """A server that takes the request and says nothing costs the timeout, not more."""
    server = serve(lambda server, _: server.stopped.wait(3))
    started = time.monotonic()
    assert failure(server.endpoint, timeout=0.3) == "timeout"
    assert time.monotonic() - started < 2


def test_a_dripping_server_cannot_outlast_the_timeout(serve, answer):
    """A byte every 50 ms does not start the time again."""

    def drip(server, connection):
        for byte in answer(200, b"x" * 500):
            connection.sendall(bytes([byte]))
            if server.stopped.wait(0.05):
                return

    started = time.monotonic()
    assert failure(serve(drip).endpoint, timeout=0.3) == "timeout"
    assert time.monotonic() - started < 2


def test_the_deadline_ends_a_request_before_its_timeout(serve):
    """The whole run's end is nearer than the request's."""
    endpoint = parse_endpoint(serve(lambda server, _: server.stopped.wait(3)).endpoint)
    started = time.monotonic()
    with pytest.raises(WireError, match=r"within 0\.(2|1\d*) s"):
        transport.get(endpoint, "/", headers={}, deadline=started + 0.2, timeout=5)
    assert time.monotonic() - started < 2


def test_a_full_backlog_cannot_outlast_the_timeout():
    """A connection that is never accepted is a timeout too."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        assert failure(f"http://127.0.0.1:{port}", timeout=0.3) == "timeout"
        for one in waiting:
            one.close()


def test_a_cut_connection_is_a_reset(serve):
    """A RST in the middle is told from an orderly end."""

    def cut(_, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert failure(serve(cut).endpoint) == "reset"


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (b"", "short"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "short"),
        (b"220 mail.test ESMTP\r\n", "garbage"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_BODY + 1), "too-large"),
    ],
)
def test_what_is_no_whole_answer_has_a_word(serve, raw, outcome):
    """Short, foreign and huge answers are told apart."""
    assert failure(serve(raw).endpoint, timeout=3) == outcome


def test_an_answer_that_ends_with_the_connection_is_whole(serve):
    """Close-delimited and chunked answers come through a real socket."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    server = serve(b"HTTP/1.0 200 OK\r\n\r\nhi", chunked)
    assert [ask(server.endpoint).body for _ in range(2)] == [b"hi", b"hi"]


def test_no_proxy_variable_is_heeded(serve, monkeypatch):
    """With every proxy variable set, nothing reaches the proxy."""
    proxy, server = serve(502), serve({})
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.endpoint)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert ask(server.endpoint).status == 200
    assert not proxy.times


def test_a_redirect_is_an_answer_like_any_other(serve, answer):
    """The place that it names is never asked."""
    elsewhere = serve(200)
    server = serve(answer(302, Location=elsewhere.endpoint))
    assert ask(server.endpoint).status == 302
    assert not elsewhere.times


def test_localhost_is_looked_up(serve):
    """A name with several addresses is tried until one of them takes the connection."""
    server = serve({})
    assert ask(f"http://localhost:{server.port}").status == 200


def test_a_slow_name_service_cannot_outlast_the_timeout(monkeypatch):
    """The C library's resolver has no timeout of its own; the request has."""
    asked = threading.Event()
    real = socket.getaddrinfo

    def slow(host, port, **how):
        if how["flags"] == socket.AI_NUMERICHOST:
            return real(host, port, **how)
        asked.wait(3)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    started = time.monotonic()
    assert failure(Endpoint("imds.test", 80, ""), timeout=0.2) == "timeout"
    assert time.monotonic() - started < 2
    asked.set()


def test_a_name_without_an_address_says_so(monkeypatch):
    """A name that nobody knows is told from an address that nobody answers at."""

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert failure(Endpoint("imds.test", 80, "")) == "unresolved"
