"""One GET over one connection, with a total deadline.

`http.client` is not used for two reasons. Its import costs 30 ms of CPU at every boot (it imports
`email`), more than the rest of an unchanged run. Its timeout applies to each `recv`, so a server
that sends one byte at a time can hold the connection without end. Here the timeout of every call
on the socket is the time that is left until one absolute end. There is no code for proxies,
redirects or TLS, so nothing in the environment and nothing in a response can turn them on.
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

_PIECE = 64 * 1024  # bytes to receive at once

_OUTCOMES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",  # there is a route, but this machine has no address yet
    # A `prohibit` route gives EACCES, a `blackhole` route EINVAL, a firewall rule EPERM.
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
    """Send `GET path` to `endpoint` and return the response, whatever its status is.

    `timeout` is the number of seconds that the whole request may take. `deadline` is the time on
    `clock` at which it ends at the latest. Raises `WireError` if no complete response is received,
    and `ValueError` for a fault of the caller: a path or a header that must never be sent.
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
        # IMDS rejects a request with X-Forwarded-For, because a proxy has forwarded it.
        if name.lower() == "x-forwarded-for" or not f"{name}{value}".isprintable():
            raise ValueError(f"{name!r} is not a header to send to IMDS")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _connect(endpoint: Endpoint, left: Callable[[], float]) -> socket.socket:
    """Connect to the first of the endpoint's addresses that accepts; raises the last `OSError`."""
    failure = OSError(errno.EHOSTUNREACH, "the name has no address")
    for family, _, _, _, address in _resolve(endpoint, left):
        try:
            return _open(family, address, left())
        except OSError as error:  # noqa: PERF203 - the loop tries the next address
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
    """Return the addresses of the endpoint's host, in the resolver's order."""
    try:  # on every real VM the host is an address, which needs no name service
        return _addresses(endpoint, socket.AI_NUMERICHOST)
    except socket.gaierror:
        return _look_up(endpoint, left())


def _look_up(endpoint: Endpoint, seconds: float) -> list[Any]:
    """Return the addresses from the name service. Raises `TimeoutError` after `seconds`.

    The call of the C library has no timeout, so it runs in a thread, which may outlive this call.
    """
    from threading import Thread  # imported only for an endpoint with a host name

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
    # A host in bytes avoids the codec for international names, which would refuse some names.
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
