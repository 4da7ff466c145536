"""A port of the emulator: it listens, serves each connection in a thread, and ends all of them."""

from __future__ import annotations

import threading

from bootstrap.emulator.connections import HttpServer

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from bootstrap.emulator.connections import Service

_POLL_INTERVAL = 0.05  # seconds between two checks whether the server is closing


class Listener:
    """One address and its service; `endpoint` is its URL without a trailing slash."""

    def __init__(
        self, address: tuple[str, int], service: Service, *, tls: ssl.SSLContext | None = None
    ) -> None:
        """Bind the address without listening yet; raises OSError if it is not available."""
        self._closing = threading.Event()
        self._server = HttpServer(address, service, self._closing, tls)
        host, port = self._server.server_address[:2]
        host = f"[{host!s}]" if ":" in str(host) else str(host)
        self.endpoint = f"{'https' if tls else 'http'}://{host}:{port}"
        self._thread: threading.Thread | None = None

    def start(self, *, after: float = 0.0, listening: Callable[[], None] = lambda: None) -> None:
        """Listen, at once or `after` that many seconds; `listening` is called once it does."""
        if not after:
            self._listen(listening)
        self._thread = threading.Thread(
            target=self._run, args=(after, listening), name=f"emulator {self.endpoint}"
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening, cut every connection, and wait until all threads have ended."""
        self._closing.set()
        self._server.stop_listening()
        if self._thread:
            self._thread.join()
        self._server.close_all()

    def _listen(self, listening: Callable[[], None]) -> None:
        self._server.server_activate()
        listening()

    def _run(self, after: float, listening: Callable[[], None]) -> None:
        if after:
            if self._closing.wait(after):
                return
            self._listen(listening)
        self._server.timeout = _POLL_INTERVAL
        while not self._closing.is_set():
            self._server.handle_request()
