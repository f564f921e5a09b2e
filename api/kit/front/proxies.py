"""Trusted proxies: whose word about visitors is believed, and what they say.

A proxy adds the address it was asked from at the right end of ``X-Forwarded-For`` or ``Forwarded`` (RFC 7239), so only
the right end is true: from there, hops that are trusted proxies are passed over, and the first other one is the
visitor. What stands left of it was written by the visitor. Where no trusted proxy speaks, nothing is believed; and
nothing behind this module sees these headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.kit.front.address import parsed
from api.kit.problems import answer
from docproc.errors import SetupError

Networks = tuple[IPv4Network | IPv6Network, ...]
SPOKEN = frozenset(
    (b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"x-real-ip")
)
"""Headers by which proxies tell of visitors."""
MOST_HOPS = 32
_PAIR = re.compile(r'\s*([A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s";,]*)\s*')
_PORT = re.compile(r"^(?:\[([^\]]*)\]|([0-9.]+))(?::\w+)?$")


def networks(text: str) -> Networks:
    """The proxies of the setting ``DOCPROC_TRUSTED_PROXIES``: addresses and networks, separated by commas.

    Raises:
        SetupError: an entry is none, or covers the whole internet: then every visitor would be believed.
    """
    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        try:
            network = ip_network(word)
        except ValueError as error:
            raise SetupError(f"DOCPROC_TRUSTED_PROXIES: {word!r} is no address and no network: {error}") from error
        if network.prefixlen == 0:
            raise SetupError(f"DOCPROC_TRUSTED_PROXIES: {word} is everybody: name the proxies' own addresses")
        found.append(network)
    return tuple(found)


class BehindProxies:
    """Puts the visitor's address and scheme in the place of a trusted proxy's; the outermost of all."""

    def __init__(self, app: ASGIApp, trusted: Networks) -> None:
        """Wrap an application."""
        self.app, self.trusted = app, trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        told = Headers(scope=scope)
        plain = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in SPOKEN]}
        peer = scope["client"][0] if scope.get("client") else ""
        if is_trusted(peer, self.trusted):
            listed, written = forwarded_for(told.getlist("x-forwarded-for")), list(forwarded(told.getlist("forwarded")))
            visitor = visitor_of(peer, listed, self.trusted)
            if written:
                by_rfc = visitor_of(peer, [item.get("for", "") for item in written], self.trusted)
                if listed and by_rfc != visitor:  # one of the two is the visitor's own: which one nobody can tell
                    problem = answer(Request(plain), 400, "forwarding", "two accounts of the sender", "请求无法处理")
                    await problem(plain, receive, send)
                    return
                visitor = by_rfc
            scheme = told.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
            scheme = scheme or next((item["proto"].lower() for item in reversed(written) if "proto" in item), "")
            plain["client"] = (visitor, 0)
            if scheme in ("http", "https"):
                plain["scheme"] = scheme if scope["type"] == "http" else scheme.replace("http", "ws")
        await self.app(plain, receive, send)


def is_trusted(address: str, trusted: Networks) -> bool:
    """Whether an address is one of the proxies."""
    found = parsed(address)
    return found is not None and any(found.version == network.version and found in network for network in trusted)


def visitor_of(peer: str, hops: Sequence[str], trusted: Networks) -> str:
    """The right-most hop that is no trusted proxy; where a hop is no address, the proxy that told of it."""
    visitor = peer
    for hop in reversed(hops[-MOST_HOPS:]):
        address = parsed(hop)
        if address is None:
            break
        visitor = str(address)
        if not is_trusted(visitor, trusted):
            break
    return visitor


def forwarded_for(lines: Sequence[str]) -> list[str]:
    """The hops of ``X-Forwarded-For``, the nearest last; what has a port loses it."""
    return [_without_port(part.strip()) for line in lines for part in line.split(",") if part.strip()]


def forwarded(lines: Sequence[str]) -> Iterator[dict[str, str]]:
    """The elements of ``Forwarded``, RFC 7239, the nearest last: names in small letters, ``for`` without its port."""
    for element in _elements(",".join(lines)):
        pairs = {}
        for match in _PAIR.finditer(element):
            value = re.sub(r"\\(.)", r"\1", match[2][1:-1]) if match[2].startswith('"') else match[2]
            pairs[match[1].lower()] = value
        if pairs:
            pairs["for"] = _without_port(pairs.get("for", ""))
            yield pairs


def _elements(line: str) -> Iterator[str]:
    """Parts between commas that are in no quotes."""
    part, quoted, escaped = "", False, False
    for letter in line:
        if letter == "," and not quoted:
            yield part
            part = ""
            continue
        quoted ^= letter == '"' and not escaped
        escaped = letter == "\\" and quoted and not escaped
        part += letter
    yield part


def _without_port(text: str) -> str:
    match = _PORT.match(text)
    return (match[1] or match[2] or "") if match else text
