"""One GET over one connection, with an end that nothing outlasts.

Why not `http.client`: importing it costs 30 ms of CPU at every boot (it brings `email` along),
more than the rest of an unchanged run; and its timeout holds for each `recv`, so a server that
sends a byte at a time holds it for as long as it likes. Here every call on the socket gets what
is left of one absolute end. There is no code for proxies, redirects or TLS, so nothing in the
environment and nothing in an answer can turn them on.
"""

from __future__ import annotations

import errno
import socket
import time

from bootstrap import __version__
from bootstrap.http.endpoint import is_plain_path
from bootstrap.http.http1 import ResponseParser, WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from bootstrap.http.endpoint import Endpoint
    from bootstrap.http.http1 import Response

_PIECE = 64 * 1024  # bytes asked of the socket at once

_OUTCOMES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",  # a route, but no address of our own yet
    # A `prohibit` route gives EACCES, a `blackhole` one EINVAL, a firewall's verdict EPERM.
    errno.EACCES: "blocked",
    errno.EPERM: "blocked",
    errno.EINVAL: "blocked",
}


def get(
    endpoint: Endpoint,
    path: str,
    *,
    headers: Mapping[str, str],
    deadline: float,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
) -> Response:
    """What `endpoint` answers to `GET path`.

    `timeout` is how many seconds the request may take as a whole, `deadline` the moment on
    `clock` that it must not outlast. Any status is an answer; `WireError` says that there was
    none. `ValueError` is a fault of the caller: a path or a header that must never be sent.
    """
    request = _request(endpoint, path, headers)
    started = clock()
    end = min(started + timeout, deadline)

    def left() -> float:
        seconds = end - clock()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    try:
        with _connect(endpoint, left) as connection:
            connection.settimeout(left())
            connection.sendall(request)
            return _receive(connection, left)
    except TimeoutError as error:
        took = max(0.0, end - started)
        raise WireError("timeout", f"no whole answer within {took:.3g} s") from error
    except OSError as error:
        outcome = _OUTCOMES.get(error.errno or 0, "network")
        raise WireError(outcome, error.strerror or str(error)) from error


def _request(endpoint: Endpoint, path: str, headers: Mapping[str, str]) -> bytes:
    if not is_plain_path(path):
        raise ValueError(f"{path!r} is not a path to ask IMDS for")
    lines = [
        f"GET {endpoint.base}{path} HTTP/1.1",
        f"Host: {endpoint.authority}",
        f"User-Agent: imds-bootstrap/{__version__}",
        "Connection: close",
    ]
    for name, value in headers.items():
        # IMDS rejects it: it is the mark of a request that was relayed for somebody else.
        if name.lower() == "x-forwarded-for" or not f"{name}{value}".isprintable():
            raise ValueError(f"{name!r} is not a header to send to IMDS")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _connect(endpoint: Endpoint, left: Callable[[], float]) -> socket.socket:
    """A connection to the first of the endpoint's addresses that takes one."""
    failure = OSError(errno.EHOSTUNREACH, "the name has no address")
    for family, _, _, _, address in _resolve(endpoint, left):
        try:
            return _open(family, address, left())
        except OSError as error:  # noqa: PERF203 - the next address is what the loop is for
            failure = error
    raise failure


def _open(family: int, address: Any, seconds: float) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _resolve(endpoint: Endpoint, left: Callable[[], float]) -> list[Any]:
    """The addresses of the endpoint's host, in the resolver's order."""
    try:  # an address, as on every real VM: no name service is asked
        return _addresses(endpoint, socket.AI_NUMERICHOST)
    except socket.gaierror:
        return _look_up(endpoint, left())


def _look_up(endpoint: Endpoint, seconds: float) -> list[Any]:
    """Ask the name service; the C library's call has no timeout, so a thread is left behind."""
    from threading import Thread  # only an endpoint with a name pays for it

    answers: list[list[Any] | OSError] = []

    def ask() -> None:
        try:
            answers.append(_addresses(endpoint, 0))
        except OSError as error:
            answers.append(error)

    thread = Thread(target=ask, daemon=True, name="imds-name-service")
    thread.start()
    thread.join(seconds)
    if not answers:
        raise TimeoutError
    if isinstance(answers[0], OSError):
        raise WireError("unresolved", f"{endpoint.host}: {answers[0].strerror}") from answers[0]
    return answers[0]


def _addresses(endpoint: Endpoint, flags: int) -> list[Any]:
    # As bytes, the host does not load the codec for international names, which would refuse some.
    host = endpoint.host.encode("ascii")
    return socket.getaddrinfo(host, endpoint.port, type=socket.SOCK_STREAM, flags=flags)


def _receive(connection: socket.socket, left: Callable[[], float]) -> Response:
    parser = ResponseParser()
    while parser.response is None:
        connection.settimeout(left())
        piece = connection.recv(_PIECE)
        if piece:
            parser.feed(piece)
        else:
            parser.end()
    return parser.response
