"""The emulated IMDS on a socket: it listens, answers, remembers what it was asked, and goes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import final

from bootstrap.emulator.connections import HttpServer
from bootstrap.emulator.faults import FaultScript, spoiled_answer
from bootstrap.emulator.imds import failure
from bootstrap.emulator.machine import NO_FAULT
from bootstrap.emulator.origin import machine_origin
from bootstrap.emulator.rate import RateLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any

    from bootstrap.emulator.imds import Ask, Reply
    from bootstrap.emulator.machine import Fault, Machine

_POLL = 0.05  # seconds between two looks at whether the server shall end


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that the emulator saw.

    `path` and `query` are as they came, percent-encoded; `headers` have lower-case names;
    `status` is None when the client got no answer; `at` is on the emulator's clock, in seconds.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    status: int | None
    at: float


@final
class Emulator:
    """An IMDS that runs in threads of this process. Use it as a context manager.

    Made by `Emulator.serve`; `endpoint` is its URL without a trailing slash, and `requests` what
    it was asked so far.
    """

    def __init__(
        self,
        machine: str | os.PathLike[str] | Mapping[str, Any] | None,
        address: tuple[str, int],
        *,
        clock: Callable[[], float],
        log: Callable[[str], None],
    ) -> None:
        self._origin = machine_origin(machine, log)
        self._clock = clock
        self._log = log
        self._rate = RateLimit(clock)
        self._script = FaultScript()
        self._seen: list[Request] = []
        self._closing = threading.Event()
        self._listening_since = clock()
        self._server = HttpServer(address, self._respond, self._closing)
        host, port = self._server.server_address[:2]
        host = f"[{host!s}]" if ":" in str(host) else str(host)
        self.endpoint = f"http://{host}:{port}"
        self._thread = threading.Thread(target=self._run, name="emulator")

    @classmethod
    def serve(
        cls,
        machine: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
        log: Callable[[str], None] = lambda _line: None,
    ) -> Emulator:
        """Start an emulator for a machine file, a mapping of the same keys, or a plain VM.

        Port 0 takes a free one. `log` gets one line for each request, from the thread that
        answers it. Raises InvalidDocument or MissingInput for a bad machine, OSError when the
        address cannot be had. A machine that `starts` late has its port from the beginning, and
        refuses connections until then.
        """
        emulator = cls(machine, (host, port), clock=clock, log=log)
        emulator._begin()
        return emulator

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request so far, in the order in which the answers were decided."""
        return tuple(self._seen)

    def change(self, **keys: Any) -> None:
        """Replace keys of a machine that was given as a mapping; a file is changed by editing it.

        Raises InvalidDocument when the machine would not be valid, and leaves it as it was.
        """
        self._origin.change(keys)

    def close(self) -> None:
        """Stop listening, cut every connection, and wait until all threads have ended."""
        self._closing.set()
        self._server.stop_listening()
        self._thread.join()
        self._server.close_all()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _begin(self) -> None:
        """Listen before `serve` returns, unless the machine starts late."""
        try:
            if not self._origin.current().starts:
                self._listen()
        except OSError:
            self._server.server_close()
            raise
        self._thread.start()

    def _listen(self) -> None:
        self._server.server_activate()
        self._listening_since = self._clock()
        self._log(f"emulator.listening endpoint={self.endpoint}")

    def _run(self) -> None:
        starts = self._origin.current().starts
        if starts:
            self._log(f"emulator.starting endpoint={self.endpoint} in={starts:g}s")
            if self._closing.wait(starts):
                return
            self._listen()
        self._server.timeout = _POLL
        while not self._closing.is_set():
            self._server.handle_request()

    def _respond(self, ask: Ask) -> tuple[Reply | None, Fault]:
        """Decide one answer and remember it before the client can have seen it."""
        now = self._clock()
        reply, fault = self._decide(ask, self._origin.current(), now)
        status = reply.status if reply else None
        self._seen.append(
            Request(
                method=ask.method,
                path=ask.path,
                query=ask.query,
                headers=dict(ask.headers),
                status=status,
                at=now,
            )
        )
        words = f" fault={fault}" if str(fault) else ""
        self._log(f"{ask.method} {ask.target} {status or '-'}{words}")
        return reply, fault

    def _decide(self, ask: Ask, machine: Machine, now: float) -> tuple[Reply | None, Fault]:
        """The 410 window first, then the script, then the service with its rate limit."""
        admitted = self._rate.admit(machine.rate)
        if now - self._listening_since < machine.gone:
            return failure(410, "Gone. Retry after some time, for at most 70 seconds"), NO_FAULT
        fault = self._script.next(machine.faults)
        return spoiled_answer(fault, ask, machine, admitted=admitted), fault
