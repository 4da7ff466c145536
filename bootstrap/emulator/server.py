"""The emulator on its sockets: it listens, answers, remembers what it was asked, and goes."""

from __future__ import annotations

import time
from typing import final

from bootstrap.emulator.listener import Listener
from bootstrap.emulator.machine_source import machine_origin
from bootstrap.emulator.request_log import Record, Request
from bootstrap.emulator.services import MetadataService
from bootstrap.emulator.tokens import Tokens
from bootstrap.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any

    from bootstrap.emulator.vault_port import VaultPort

__all__ = ["Emulator", "Request"]


@final
class Emulator:
    """An IMDS, and the vaults of its machine, in threads of this process: a context manager.

    Made by `Emulator.serve`; `endpoint` is the URL of IMDS without a trailing slash, `requests`
    what that was asked so far. `vaults_endpoint` and `ca_file` are empty without vaults.
    """

    def __init__(
        self,
        machine: str | os.PathLike[str] | Mapping[str, Any] | None,
        address: tuple[str, int],
        vaults_port: int,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        log: Callable[[str], None],
    ) -> None:
        self._origin = machine_origin(machine, log)
        self._log = log
        self._record, self._vaults_record = Record(clock, log), Record(clock, log)
        tokens = Tokens()
        self._service = MetadataService(self._origin, tokens, self._record, clock, wall)
        self._listener = Listener(address, self._service)
        self.endpoint = self._listener.endpoint
        self._vaults: VaultPort | None = None
        try:
            if self._origin.current().vaults is not None:
                self._vaults = _vault_port()(
                    (address[0], vaults_port),
                    origin=self._origin,
                    tokens=tokens,
                    record=self._vaults_record,
                    clock=clock,
                    wall=wall,
                )
        except BaseException:
            self.close()
            raise

    @classmethod
    def serve(
        cls,
        machine: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        vaults_port: int = 0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        log: Callable[[str], None] = lambda _line: None,
    ) -> Emulator:
        """Start an emulator for a machine file, a mapping of the same keys, or a plain VM.

        Port 0 takes a free one. `clock` counts seconds for rates and delays, `wall` those since
        1970 for tokens and attributes. `log` gets one line for each request, from the thread
        that answers it. Raises InvalidDocument or MissingInput for a bad machine, OSError when
        the address cannot be had, UsageError for vaults without the `cryptography` library. A
        machine that `starts` late has its port from the beginning, and refuses connections until
        then.
        """
        emulator = cls(machine, (host, port), vaults_port, clock=clock, wall=wall, log=log)
        emulator._begin()
        return emulator

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request to IMDS so far, in the order in which the answers were decided."""
        return self._record.requests

    @property
    def vault_requests(self) -> tuple[Request, ...]:
        """Every request to any vault so far; the Host header says to which."""
        return self._vaults_record.requests

    @property
    def vaults_endpoint(self) -> str:
        """The URL at which all vaults listen, `https://127.0.0.1:PORT`; empty without vaults."""
        return self._vaults.endpoint if self._vaults else ""

    @property
    def ca_file(self) -> str:
        """The file, in PEM, of the authority that a vault's client must trust, or empty."""
        return self._vaults.ca_file if self._vaults else ""

    def vault_endpoint(self, name: str) -> str:
        """Where one vault listens: where all do, as the Host header tells them apart.

        A client that sends the address as Host reaches the vault if it is the only one. Raises
        KeyError for a vault that is not in the machine file.
        """
        vaults = self._origin.current().vaults or {}
        if name.casefold() not in vaults:
            raise KeyError(name)
        return self.vaults_endpoint

    @property
    def arc_environment(self) -> dict[str, str]:
        """The variables by which an Arc machine's clients find its agent."""
        token = f"{self.endpoint}/metadata/identity/oauth2/token"
        return {"IMDS_ENDPOINT": self.endpoint, "IDENTITY_ENDPOINT": token}

    @property
    def is_arc(self) -> bool:
        """Whether tokens need the Arc agent's challenge."""
        return self._origin.current().arc is not None

    def change(self, **keys: Any) -> None:
        """Replace keys of a machine that was given as a mapping; a file is changed by editing it.

        Raises InvalidDocument when the machine would not be valid, and leaves it as it was.
        """
        self._origin.change(keys)

    def close(self) -> None:
        """Stop listening, cut every connection, wait for all threads, and leave no file."""
        self._listener.close()
        if self._vaults:
            self._vaults.close()
        self._service.close()

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
        starts = self._origin.current().starts
        if starts:
            self._log(f"emulator.starting endpoint={self.endpoint} in={starts:g}s")
        try:
            self._listener.start(after=starts, listening=self._listening)
        except OSError:
            self.close()
            raise
        if self._vaults:
            self._log(f"emulator.vaults endpoint={self.vaults_endpoint} ca_file={self.ca_file}")

    def _listening(self) -> None:
        self._service.listening()
        self._log(f"emulator.listening endpoint={self.endpoint}")


def _vault_port() -> type[VaultPort]:
    try:
        from bootstrap.emulator.vault_port import VaultPort
    except ImportError as error:
        raise UsageError(
            f"an emulated Key Vault cannot make its certificates: {error}",
            hint="install cryptography, 41 or later: apt-get install python3-cryptography "
            "(or dnf); with pip: pip install 'imds-bootstrap[emulator]'",
        ) from error
    return VaultPort
