"""Filters for IP addresses and networks, of both versions of the protocol."""

from __future__ import annotations

from bootstrap.render.errors import FilterError
from bootstrap.render.filters.text import string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Interface, IPv6Interface
    from typing import Any


def ip_address(value: Any) -> str:
    """Return the address of `10.1.2.3/24`: `10.1.2.3`; IPv6 in its short form."""
    return str(_interface(value).ip)


def ip_network(value: Any) -> str:
    """Return the network of `10.1.2.3/24`: `10.1.2.0/24`."""
    return str(_interface(value).network)


def ip_netmask(value: Any) -> str:
    """Return the netmask of `10.1.2.0/24`: `255.255.255.0`."""
    return str(_interface(value).netmask)


def ip_prefix(value: Any) -> int:
    """Return the length of the prefix of `10.1.2.0/24`, or of a netmask: 24."""
    text = string(value)
    return int(_interface(text if "/" in text else f"0.0.0.0/{text}").network.prefixlen)


def ip_broadcast(value: Any) -> str:
    """Return the last address of `10.1.2.0/24`: `10.1.2.255`."""
    return str(_interface(value).network.broadcast_address)


def ip_host(value: Any, number: int) -> str:
    """Return the address `number` of a network: 5 of `10.1.2.0/24` is `10.1.2.5`; -1 the last."""
    network = _interface(value).network
    try:
        return str(network[number])
    except IndexError:
        raise FilterError(f"the network has fewer addresses than {abs(number)}") from None


def ip_version(value: Any) -> int:
    """Return the version of an address or a network: 4 or 6."""
    return int(_interface(value).version)


def in_network(value: Any, network: Any) -> bool:
    """Return whether an address or a network lies in `network`."""
    inner: Any = _interface(value).network
    outer: Any = _interface(network).network
    return bool(inner.version == outer.version and inner.subnet_of(outer))


def is_ip_address(value: Any) -> bool:
    """Return whether the text is an address, without a prefix."""
    return isinstance(value, str) and "/" not in value and _read(value) is not None


def is_ip_network(value: Any) -> bool:
    """Return whether the text is a network with its prefix, and no bit after the prefix is set."""
    if not isinstance(value, str) or "/" not in value:
        return False
    interface = _read(value)
    return interface is not None and interface.ip == interface.network.network_address


def _interface(value: Any) -> IPv4Interface | IPv6Interface:
    interface = _read(string(value))
    if interface is None:
        raise FilterError("this is not an IP address or network, such as 10.1.2.0/24")
    return interface


def _read(text: str) -> IPv4Interface | IPv6Interface | None:
    import ipaddress  # 4 ms, and few templates use addresses

    if "%" in text:  # the zone of fe80::1%eth0, for which ipaddress accepts any text
        return None
    try:
        return ipaddress.ip_interface(text.strip())
    except ValueError:
        return None
