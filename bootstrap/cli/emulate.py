"""Serve a faithful Azure Instance Metadata Service on loopback, for anyone who tests an image.

The machine file is YAML; every key is optional, and it may be edited while it is served:

    name: shop-01                    # also: location, vmId, environment (the cloud)
    tags: {Environment: test, "config:web.port": "8080"}
    userData: |                      # or userDataFile: FILE, or userDataBase64: TEXT
      #imds-bootstrap
      version: 1
    compute: {vmSize: Standard_A3}   # merged over the default; network replaces it, null drops it
    apiVersions: ["2021-01-01"]      # what this IMDS knows; default: all
    rate: 5                          # requests per second, 0 for no limit
    starts: 3                        # seconds until it listens
    gone: 5                          # seconds of 410 after that
    faults:                          # one entry for each request, then all is well
      - {status: 503, times: 3, headers: {Retry-After: 1}, body: later}
      - {delay: 1.5}                 # seconds before the first byte
      - {drip: 0.2}                  # seconds between bytes
      - {truncate: 100}              # bytes of the body that arrive
      - reset                        # or silence, html, partial
      - {partial: always}            # also when asked with extended=true, else that is a 500
      - {redirect: "http://127.0.0.1:1/"}
      - {times: forever, status: 503}
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from bootstrap.emulator import Emulator

DEFAULT_LISTEN = "127.0.0.1:8169"

# How one ends the emulator, so that neither is an error.
_ENDINGS = (signal.SIGINT, signal.SIGTERM)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "machine_file",
        nargs="?",
        metavar="MACHINE",
        help="YAML that describes the VM and its faults; it may be edited while it is served",
    )
    parser.add_argument(
        "--listen",
        default=DEFAULT_LISTEN,
        metavar="HOST:PORT",
        help="where to listen; port 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--print-env",
        action="store_true",
        help="print the endpoint as a shell's `export`, not as a bare URL",
    )


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted; the first line on standard output says where.

    Raises UsageError for an address that cannot be listened on, NotPermitted for one that this
    user may not have, InvalidDocument or MissingInput for the machine file.
    """
    address = _address(options.listen)
    with _held_back(_ENDINGS), _served(options.machine_file, address) as emulator:
        _announce(emulator, export=options.print_env)
        signal.sigwait(_ENDINGS)
    return 0


def _address(listen: str) -> tuple[str, int]:
    from bootstrap.errors import UsageError

    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - the last port
        raise UsageError(f"--listen {listen} is not HOST:PORT", hint=f"such as {DEFAULT_LISTEN}")
    return host, int(port)


def _served(machine_file: str | None, address: tuple[str, int]) -> Emulator:
    from bootstrap.emulator import Emulator
    from bootstrap.errors import NotPermitted, UsageError

    host, port = address
    where = f"listening on {host}:{port}"
    if not _is_loopback(host):
        _say(f"warning: {where}: whoever reaches this address can ask this IMDS")
    try:
        return Emulator.serve(machine_file, host, port, log=_say)
    except PermissionError as error:
        raise NotPermitted(f"{where}: {error.strerror}", hint="take a port above 1023") from error
    except OSError as error:
        hint = "--listen 127.0.0.1:0 takes a free port"
        raise UsageError(f"{where}: {error.strerror}", hint=hint) from error


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _announce(emulator: Emulator, *, export: bool) -> None:
    before = "export IMDS_BOOTSTRAP_IMDS_ENDPOINT=" if export else ""
    print(f"{before}{emulator.endpoint}", flush=True)


@contextmanager
def _held_back(numbers: Iterable[signal.Signals]) -> Iterator[None]:
    """Keep signals for sigwait, in this thread and those it starts: none can slip past it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
