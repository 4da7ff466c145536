"""A reply on its way to the client: whole, late, a byte at a time, cut short, or not at all."""

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

# As the service names itself, so that clients that look for "IMDS" find it.
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
    """Send `reply` the way `fault` wants it; every wait ends early when `closing` is set.

    Raises OSError when the client has gone.
    """
    if closing.wait(fault.delay):
        return
    if fault.silence:
        _wait_for_the_client_to_leave(connection)
    elif reply is None:
        _reset(connection)
    else:
        body = b"" if method == "HEAD" else reply.body[: fault.truncate]
        _send(connection, _head(reply, keep_alive=keep_alive) + body, fault.drip, closing)


def _head(reply: Reply, *, keep_alive: bool) -> bytes:
    """Status line and headers; one that a fault names replaces the ordinary one."""
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


def _wait_for_the_client_to_leave(connection: socket.socket) -> None:
    """Take what comes and say nothing; closing the server ends this, as it shuts connections."""
    while connection.recv(4096):
        pass


def _reset(connection: socket.socket) -> None:
    """Mark the connection for a reset; it goes out when the last reader lets go of the socket."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
    connection.close()
