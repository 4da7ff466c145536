"""Serve a faithful IMDS, managed identity and Key Vault on loopback, for anyone who tests an image.

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
    identities:                      # default: a system-assigned one
      system: true
      user: [{clientId: 3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f}]    # also: objectId, resourceId
    identityDelay: 20                # seconds until they are attached; until then none is found
    identityRate: 20                 # tokens per second; of those being given, five at most
    identityFaults: [{status: 410}]  # as `faults`, for tokens
    tokenLifetime: 86400             # seconds
    vaults:                          # needs imds-bootstrap[emulator]
      contoso-prod:                  # https://contoso-prod.vault.azure.net, by the Host header
        secrets:
          db-password: "an edit of this is a new version"
          api-key: {value: k, enabled: true, expires: "2030-01-31"}   # notBefore, contentType
          old: {versions: [{value: a, version: "0123456789abcdef0123456789abcdef"}, {value: b}]}
          closed: {value: v, forbidden: AccessDenied}   # or ForbiddenByRbac, …ByFirewall,
        certificates:                                   # …ByConnection; also of the whole vault
          shop-tls: {subject: CN=shop, names: [shop.contoso.com], form: pem, key: ec, renewed: 1}
        allowed: [3f1c7e52-9a40-4b7e-8f0a-5a1b2c3d4e5f] # client ids; default: everyone
        grantAfter: 3                # seconds of ForbiddenByRbac, as a role assignment spreads
        rate: 400                    # requests per second, then 429 with Retry-After
        faults: [{status: 503, headers: {Retry-After: 1}}]

With `arc: {tokens: FOLDER}` the machine is one of Azure Arc's: a token takes a key that is left in
FOLDER (`announced` is the folder that the challenge names instead; `oldAgent: true` ignores which
identity is asked for).

`imds-bootstrap schema machine` prints the JSON Schema of the machine file, for an editor.
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

_LAST_PORT = 65_535
DEFAULT_LISTEN = "127.0.0.1:8169"

# The signals that end the emulator; neither is an error.
_ENDINGS = (signal.SIGINT, signal.SIGTERM)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `emulate`."""
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
        help="print what a shell can `eval`, not bare URLs",
    )
    parser.add_argument(
        "--vaults-port",
        type=_port,
        default=0,
        metavar="PORT",
        help="where the vaults listen, on the same host; 0 takes a free one (default)",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise ValueError(text)  # argparse reports it in its own words
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted.

    The first line on standard output is the address; with vaults, the second line is the address
    of the vaults, and the third is the file of their certificate authority. Raises UsageError for
    an address that cannot be listened on, NotPermitted for one that this user may not have,
    InvalidDocument or MissingInput for the machine file.
    """
    if sys.platform == "win32":
        from bootstrap.errors import UsageError

        raise UsageError("`emulate` does not run on Windows")
    address = _address(options.listen)
    with _blocked(_ENDINGS), _served(options, address) as emulator:
        _announce(emulator, export=options.print_env)
        signal.sigwait(_ENDINGS)
    return 0


def _address(listen: str) -> tuple[str, int]:
    from bootstrap.errors import UsageError

    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > _LAST_PORT:
        raise UsageError(f"--listen {listen} is not HOST:PORT", hint=f"such as {DEFAULT_LISTEN}")
    return host, int(port)


def _served(options: argparse.Namespace, address: tuple[str, int]) -> Emulator:
    from bootstrap.emulator import Emulator
    from bootstrap.errors import NotPermitted, UsageError

    host, port = address
    where = f"listening on {host}:{port}"
    if options.vaults_port:
        where += f" and {options.vaults_port}"
    if not _is_loopback(host):
        _say(f"warning: {where}: whoever reaches this address can ask this IMDS")
    try:
        return Emulator.serve(
            options.machine_file, host, port, vaults_port=options.vaults_port, log=_say
        )
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
    for name, value in _environment(emulator).items():
        print(f"export {name}={value}" if export else value)
    if export and emulator.is_arc:
        for name, value in emulator.arc_environment.items():
            print(f"export {name}={value}")
    sys.stdout.flush()


def _environment(emulator: Emulator) -> dict[str, str]:
    """Return the settings that direct the agent to this emulator, as environment variables."""
    settings = {"IMDS_BOOTSTRAP_IMDS_ENDPOINT": emulator.endpoint}
    if emulator.vaults_endpoint:
        settings["IMDS_BOOTSTRAP_VAULTS_ENDPOINT"] = emulator.vaults_endpoint
        settings["IMDS_BOOTSTRAP_VAULTS_CA_FILE"] = emulator.ca_file
    return settings


@contextmanager
def _blocked(numbers: Iterable[signal.Signals]) -> Iterator[None]:
    """Block signals for sigwait, in this thread and in those it starts, so that none is lost."""
    if sys.platform == "win32":
        raise NotImplementedError  # `run` has refused it before
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
