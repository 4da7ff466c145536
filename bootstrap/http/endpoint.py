"""Where IMDS is: the one address of the platform, or the one the settings give."""

from __future__ import annotations

import socket

from bootstrap.errors import SettingsError

# The address and the port are the same in every region and cloud, and never leave the host:
# https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
LINK_LOCAL = "http://169.254.169.254"

_SCHEME = "http://"
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_MAX_PORT = 65535
_PORT_DIGITS = 5


class Endpoint:
    """A host, a port and the path under which its metadata lies (`/base`, or nothing)."""

    __slots__ = ("base", "host", "port")

    def __init__(self, host: str, port: int, base: str) -> None:
        self.host = host
        self.port = port
        self.base = base

    @property
    def authority(self) -> str:
        """What stands in the `Host` header: brackets for IPv6, no port when it is 80."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 80 else f"{host}:{self.port}"  # noqa: PLR2004 - http's own

    def __str__(self) -> str:
        return f"{_SCHEME}{self.authority}{self.base}"


def parse_endpoint(text: str) -> Endpoint:
    """The endpoint that `http://host[:port][/base]` names; the empty text is the link-local one.

    Raises `SettingsError` for anything else: IMDS speaks plain HTTP and knows no users, so
    `https://`, user information, a query or a fragment are mistakes, not variants.
    """
    text = text or LINK_LOCAL
    if text[: len(_SCHEME)].lower() != _SCHEME:
        raise _unusable(text, "it does not start with http:// (IMDS has no TLS)")
    if "@" in text:
        # The text is not repeated: what stands before the @ may be a password, with any mark in it.
        raise _unusable("(not shown)", "it holds user information")
    for mark, what in (("?", "a query"), ("#", "a fragment"), ("\\", "a backslash")):
        if mark in text:
            raise _unusable(text, f"it holds {what}")
    authority, _, base = text[len(_SCHEME) :].partition("/")
    host, port = _host_and_port(text, authority)
    base = base.rstrip("/")
    if base and not is_plain_path(f"/{base}"):
        raise _unusable(text, "its path is not a plain one")
    if f"/{base}".endswith("/metadata"):
        raise _unusable(text, "/metadata is not part of it: the agent adds that itself")
    return Endpoint(host, port, f"/{base}" if base else "")


def is_plain_path(path: str) -> bool:
    """Whether `path` can stand in a request line as it is.

    Azure's guest proxy agent refuses a path with `//` or `..`, and a blank or a control character
    would end the request line early.
    """
    plain = path.startswith("/") and path.isascii() and path.isprintable() and " " not in path
    return plain and "//" not in path and ".." not in path


def _host_and_port(text: str, authority: str) -> tuple[str, int]:
    if authority.startswith("["):
        host, bracket, rest = authority[1:].partition("]")
        if not bracket or not _is_ipv6(host) or (rest and not rest.startswith(":")):
            raise _unusable(text, "its host is not an IPv6 address in brackets")
        port = rest[1:] if rest else "80"
    else:
        host, colon, port = authority.partition(":")
        port = port if colon else "80"
        if not host or not _NAME.issuperset(host.lower()):
            raise _unusable(text, "its host is not a name or an address")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= _PORT_DIGITS else 0
    if not 0 < number <= _MAX_PORT:
        raise _unusable(text, "its port is not a number from 1 to 65535")
    return host, number


def _is_ipv6(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, host)
    except (OSError, ValueError):
        return False
    return True


def _unusable(text: str, why: str) -> SettingsError:
    return SettingsError(
        f"the IMDS endpoint {text!r} cannot be used: {why}",
        hint="write imds.endpoint as http://host[:port][/base], or leave it empty for Azure's own",
    )
