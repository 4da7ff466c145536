"""Connections to the emulator: HTTP/1.1 in, whatever the script wants out."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from bootstrap.emulator.fault import NO_FAULT
from bootstrap.emulator.fault_delivery import deliver
from bootstrap.emulator.messages import Ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from contextlib import AbstractContextManager
    from typing import Any

    from bootstrap.emulator.fault import Fault
    from bootstrap.emulator.messages import Reply


class Service(Protocol):
    """What answers on a listening socket."""

    def respond(self, ask: Ask) -> AbstractContextManager[tuple[Reply | None, Fault]]:
        """The answer to one request; the block in it delivers that."""

    def unreadable(self, status: int, message: str) -> Reply:
        """The answer to what is not HTTP."""


_MAX_LINE = 65_536  # bytes of a request line
_MAX_BODY = 65_536  # bytes of a request's body that are read and thrown away


class HttpServer(ThreadingHTTPServer):
    """Bound when made, listening when activated; one thread for each connection.

    It knows its connections, so that closing it ends also those that drip or say nothing.
    """

    daemon_threads = False
    block_on_close = True  # server_close() joins the threads
    request_queue_size = 128
    allow_reuse_port = False  # two emulators on one port would share its requests

    def __init__(
        self,
        address: tuple[str, int],
        service: Service,
        closing: threading.Event,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.service = service
        self._tls = tls
        self.closing = closing
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler, bind_and_activate=False)
        try:
            self.server_bind()
        except BaseException:
            self.server_close()
            raise

    def server_bind(self) -> None:
        """Bind without asking DNS for this host's name, which http.server would do."""
        socketserver.TCPServer.server_bind(self)

    def get_request(self) -> tuple[Any, Any]:
        """Accept; over TLS the first read shakes hands, in the connection's own thread."""
        connection, address = super().get_request()
        if self._tls is None:
            return connection, address
        wrapped = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return wrapped, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection before its thread begins."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection as it ends."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def stop_listening(self) -> None:
        """Wake whoever waits for a connection; where the system cannot, a poll ends the wait."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def close_all(self) -> None:
        """Cut what is open and wait for the threads; nothing may accept any more."""
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # below TLS, whose state is its thread's
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Reads requests with http.server's parser and leaves every answer to `respond`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a dripped byte leaves at once
    server: HttpServer

    def handle(self) -> None:
        """Serve the connection; a client may leave whenever it likes."""
        with contextlib.suppress(OSError):
            super().handle()

    def handle_one_request(self) -> None:
        """Any method comes here: which are allowed is a rule of the service."""
        self.raw_requestline = self.rfile.readline(_MAX_LINE)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self._discard_body()
        with self.server.service.respond(self._ask()) as (reply, fault):
            self._deliver(reply, fault)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server cannot parse is answered in the service's own shape."""
        del explain
        self.close_connection = True
        self._deliver(self.server.service.unreadable(code, message or ""), NO_FAULT)

    def _ask(self) -> Ask:
        # self.path has had leading slashes folded; the rule about `//` wants them as they came.
        target = self.requestline.split()[1]
        headers = tuple((name.casefold(), value) for name, value in self.headers.items())
        return Ask(method=self.command, target=target, headers=headers)

    def _deliver(self, reply: Reply | None, fault: Fault) -> None:
        if reply is None or fault.truncate is not None:
            self.close_connection = True
        deliver(
            self.connection,
            reply,
            fault,
            method=self.command or "",
            keep_alive=not self.close_connection,
            closing=self.server.closing,
        )

    def _discard_body(self) -> None:
        """Read what a POST sends, or closing would reset the answer away."""
        length = self.headers.get("Content-Length", "0")
        self.rfile.read(min(int(length) if length.isdecimal() else 0, _MAX_BODY))
