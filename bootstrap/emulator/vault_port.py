"""The port of the vaults: TLS, with a certificate of the emulator's own authority.

It is imported only for a machine file with vaults, as it needs the `cryptography` library.
"""

from __future__ import annotations

import contextlib
import os
from tempfile import mkstemp

from bootstrap.emulator.clouds import SUFFIXES
from bootstrap.emulator.key_vault import KeyVaults
from bootstrap.emulator.listener import Listener
from bootstrap.emulator.secret_store import SecretStore
from bootstrap.emulator.services import VaultService
from bootstrap.emulator.test_ca import TestCA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.emulator.machine_source import FileOrigin, MappingOrigin
    from bootstrap.emulator.request_log import Record
    from bootstrap.emulator.tokens import Tokens

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class VaultPort:
    """All vaults on one port; a client must trust `ca_file`, which `close` removes."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        origin: FileOrigin | MappingOrigin,
        tokens: Tokens,
        record: Record,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """Bind the address and listen; raises OSError if it is not available."""
        authority = TestCA(wall)
        shelf = SecretStore(authority, wall)
        shelf.stock(origin.current().vaults or {})
        names = dict.fromkeys([*(f"*.{suffix}" for suffix in SUFFIXES), *_LOOPBACK, address[0]])
        service = VaultService(origin, KeyVaults(shelf, tokens, clock, wall), record)
        self._listener = Listener(address, service, tls=authority.tls_context(tuple(names)))
        self.endpoint = self._listener.endpoint
        self.ca_file = _write_temporary(authority.root_pem)
        try:
            self._listener.start()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """End every connection and remove `ca_file`."""
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.ca_file)


def _write_temporary(pem: bytes) -> str:
    descriptor, path = mkstemp(prefix="imds-bootstrap-ca-", suffix=".pem")
    with open(descriptor, "wb") as file:
        file.write(pem)
    return path
