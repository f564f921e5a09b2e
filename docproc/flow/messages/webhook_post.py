"""Signed delivery of events over HTTP, and how a receiver recognises one that is forged or repeated."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
import secrets
import socket
from collections.abc import Collection
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from docproc.errors import InputError, SetupError
from docproc.flow.messages.feed import EventView

TIMEOUT_SECONDS = 10.0
MAX_AGE_SECONDS = 300
HEADER = "Docproc-Signature"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SHAPE = re.compile(r"t=(\d{1,12}),n=([0-9a-f]{32}),v1=([0-9a-f]{64})")


def post_event(
    url: str, secret: str, event: EventView, at: datetime, *, private: bool = True, ports: Collection[int] = ()
) -> int:
    """POST an event as JSON with the header ``Docproc-Signature: t=SECONDS,n=NONCE,v1=HEX``; gives the HTTP status.

    ``v1`` is HMAC-SHA256 of ``SECONDS.NONCE.BODY`` under the shared secret. Redirects are not followed.

    Args:
        url: where to.
        secret: shared with the receiver.
        event: what happened.
        at: now.
        private: whether the receiver may stand in a private network; without it the address that the name stands for
            is looked at, and the very address that was looked at is connected to.
        ports: those that the receiver may have; none named: any.

    Raises:
        httpx.HTTPError: the receiver is out of reach or did not answer 2xx.
        InputError: the address is not public, or its port not one of those.
    """
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", HEADER: signature(secret, body, at, secrets.token_hex(16))}
    extensions: dict[str, str | None] = {}
    check_port(url, ports)
    if not private:
        parts = urlsplit(url)
        address = public_address(url)
        shown = f"[{address}]" if ":" in address else address
        headers["Host"] = parts.netloc
        extensions["sni_hostname"] = parts.hostname
        url = parts._replace(netloc=f"{shown}:{parts.port or 443}").geturl()
    with (
        httpx.Client(timeout=TIMEOUT_SECONDS) as client,
        client.stream("POST", url, content=body, headers=headers, extensions=extensions) as answer,
    ):
        answer.raise_for_status()  # what else it says is never read: it could be endless
        return answer.status_code


def signature(secret: str, body: bytes, at: datetime, nonce: str) -> str:
    """Value of the signature header; ``nonce`` is 32 hexadecimal digits, fresh for each attempt."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},n={nonce},v1={_digest(secret, seconds, nonce, body)}"


def genuine(secret: str, header: str, body: bytes, now: datetime) -> str | None:
    """For receivers: the nonce of a genuine and fresh delivery, else ``None``.

    Who keeps the nonces of the last :data:`MAX_AGE_SECONDS` and refuses one that came before cannot be fooled by a
    repetition.
    """
    match = _SHAPE.fullmatch(header)
    if match is None or abs(now.timestamp() - int(match[1])) > MAX_AGE_SECONDS:
        return None
    return match[2] if hmac.compare_digest(match[3], _digest(secret, match[1], match[2], body)) else None


def public_address(url: str) -> str:
    """The address that an HTTPS URL's host stands for.

    Raises:
        InputError: not HTTPS, the name is unknown, or any of its addresses is not a public one.
    """
    parts = urlsplit(url)
    message = "通知地址必须是可从公网访问的 https 地址"
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise InputError("not a plain https URL", message_zh=message)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise InputError(f"{parts.hostname} cannot be resolved: {error}", message_zh=message) from error
    addresses = [str(item[4][0]) for item in found]
    if not addresses or not all(map(is_public, addresses)):
        raise InputError(f"{parts.hostname} is not public", message_zh=message)
    return addresses[0]


def is_public(text: str) -> bool:
    """Whether an address is one of the internet's, and what it carries inside it as well."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner: ipaddress.IPv4Address | None = None
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is not None:  # Python calls what carries another address reserved
        return is_public(str(inner))
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def port_of(url: str) -> int:
    """The port of a URL; 0 where it names none that there is."""
    parts = urlsplit(url)
    try:
        return (443 if parts.scheme == "https" else 80) if parts.port is None else parts.port
    except ValueError:
        return 0


def check_port(url: str, ports: Collection[int]) -> None:
    """Refuse an address at a port that is not for receivers: other services of a machine stand behind them.

    Raises:
        InputError: it is none of those.
    """
    if ports and port_of(url) not in ports:
        known = "、".join(map(str, sorted(ports)))
        raise InputError(f"port {port_of(url)} is none of {sorted(ports)}", message_zh=f"通知地址的端口只能是 {known}")


def ports_of(text: str) -> frozenset[int]:
    """The ports of the setting ``DOCPROC_WEBHOOK_PORTS``.

    Raises:
        SetupError: one is no port.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isdecimal() and 0 < int(word) < 65536 for word in words):
        raise SetupError(f"DOCPROC_WEBHOOK_PORTS: {text!r} names no ports such as 443,8443")
    return frozenset(map(int, words))


def _digest(secret: str, seconds: str, nonce: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{seconds}.{nonce}.".encode() + body, hashlib.sha256).hexdigest()
