"""Signed delivery of events over HTTP, and how a receiver recognises one that is forged or repeated."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
import secrets
import socket
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from docproc.errors import InputError
from docproc.flow.messages.feed import EventView

TIMEOUT_SECONDS = 10.0
MAX_AGE_SECONDS = 300
HEADER = "Docproc-Signature"
_SHAPE = re.compile(r"t=(\d{1,12}),n=([0-9a-f]{32}),v1=([0-9a-f]{64})")


def post_event(url: str, secret: str, event: EventView, at: datetime, *, private: bool = True) -> int:
    """POST an event as JSON with the header ``Docproc-Signature: t=SECONDS,n=NONCE,v1=HEX``; gives the HTTP status.

    ``v1`` is HMAC-SHA256 of ``SECONDS.NONCE.BODY`` under the shared secret. Redirects are not followed.

    Args:
        url: where to.
        secret: shared with the receiver.
        event: what happened.
        at: now.
        private: whether the receiver may stand in a private network; without it the address that the name stands for
            is looked at, and the very address that was looked at is connected to.

    Raises:
        httpx.HTTPError: the receiver is out of reach or did not answer 2xx.
        InputError: the address is not public.
    """
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", HEADER: signature(secret, body, at, secrets.token_hex(16))}
    extensions: dict[str, str | None] = {}
    if not private:
        parts = urlsplit(url)
        address = public_address(url)
        shown = f"[{address}]" if ":" in address else address
        headers["Host"] = parts.netloc
        extensions["sni_hostname"] = parts.hostname
        url = parts._replace(netloc=f"{shown}:{parts.port or 443}").geturl()
    with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
        answer = client.post(url, content=body, headers=headers, extensions=extensions)
    answer.raise_for_status()
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
    if not addresses or not all(ipaddress.ip_address(a.partition("%")[0]).is_global for a in addresses):
        raise InputError(f"{parts.hostname} is not public", message_zh=message)
    return addresses[0]


def _digest(secret: str, seconds: str, nonce: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{seconds}.{nonce}.".encode() + body, hashlib.sha256).hexdigest()
