"""The address that a request came from, and the key by which addresses share a limit.

The one place that says so: :class:`api.kit.front.proxies.BehindProxies` has put the visitor's address in the place of
a trusted proxy's before anything asks.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.requests import HTTPConnection

UNKNOWN = "unknown"
"""Of a request whose other end has no address: a Unix socket, a test."""
NETWORK_BITS = 64
"""Of an IPv6 address: what one line is given, RFC 6177 and RIPE-690; whoever has one address has all of these."""


def client_address(request: HTTPConnection) -> str:
    """Who sent a request, as a plain IP address; an IPv4 address mapped into IPv6 is the IPv4 address."""
    if request.client is None:
        return UNKNOWN
    address = parsed(request.client.host)
    return request.client.host if address is None else str(address)


def limit_key(address: str) -> str:
    """By what an address counts against limits: an IPv4 address by itself, an IPv6 address with its /64."""
    found = parsed(address)
    if not isinstance(found, IPv6Address):
        return address if found is None else str(found)
    network = int(found) >> (128 - NETWORK_BITS) << (128 - NETWORK_BITS)
    return f"{IPv6Address(network)}/{NETWORK_BITS}"


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address in its plain form, without zone; ``None`` where the text is none."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
