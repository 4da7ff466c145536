"""Delivery of a reply to the client: whole, late, a byte at a time, cut short, or not at all."""

from __future__ import annotations

import socket
import struct
import uuid
from email.utils import formatdate

from bootstrap.emulator.messages import phrase

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading

    from bootstrap.emulator.fault import Fault
    from bootstrap.emulator.messages import Reply

# The service's own name, for clients that look for "IMDS" in it.
SERVER = "IMDS/150.870.65.1854"
_LINGER_NONE = struct.pack("ii", 1, 0)  # close() then sends RST instead of FIN


def deliver(
    connection: socket.socket,
    reply: Reply | None,
    fault: Fault,
    *,
    method: str,
    keep_alive: bool,
    closing: threading.Event,
) -> None:
    """Send `reply`, spoiled by `fault`; every wait ends early when `closing` is set.

    Raises OSError if the client has disconnected.
    """
    if closing.wait(fault.delay):
        return
    if fault.silence:
        _wait_for_disconnect(connection)
    elif reply is None:
        _reset(connection)
    else:
        body = b"" if method == "HEAD" else reply.body[: fault.truncate]
        _send(connection, _head(reply, keep_alive=keep_alive) + body, fault.drip, closing)


def _head(reply: Reply, *, keep_alive: bool) -> bytes:
    """Return status line and headers; those of the reply, or of a fault, replace the defaults."""
    headers = {
        "content-type": ("Content-Type", reply.content_type),
        "server": ("Server", SERVER),
        "x-ms-request-id": ("x-ms-request-id", str(uuid.uuid4())),
        "date": ("Date", formatdate(usegmt=True)),
        "content-length": ("Content-Length", str(len(reply.body))),
    }
    if not keep_alive:
        headers["connection"] = ("Connection", "close")
    headers.update({name.casefold(): (name, value) for name, value in reply.headers})
    lines = [f"HTTP/1.1 {reply.status} {phrase(reply.status)}"]
    lines += [f"{name}: {value}" for name, value in headers.values()]
    return "\r\n".join([*lines, "", ""]).encode()


def _send(
    connection: socket.socket, message: bytes, pause: float, closing: threading.Event
) -> None:
    if not pause:
        connection.sendall(message)
        return
    for position in range(len(message)):
        connection.sendall(message[position : position + 1])
        if closing.wait(pause):
            return


def _wait_for_disconnect(connection: socket.socket) -> None:
    """Read and discard until the client disconnects, or the server shuts the connection down."""
    while connection.recv(4096):
        pass


def _reset(connection: socket.socket) -> None:
    """Mark the connection for a reset, which is sent when the last reference to it is closed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
    connection.close()
