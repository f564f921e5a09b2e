"""Signed delivery of events over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

import httpx

TIMEOUT_SECONDS = 10.0


def post_event(url: str, secret: str, event: dict[str, Any], at: datetime) -> None:
    """POST an event as JSON with the header ``Docproc-Signature: t=SECONDS,v1=HEX``.

    ``v1`` is HMAC-SHA256 of ``SECONDS.BODY`` under the shared secret; a receiver
    refuses an old time and compares in constant time.

    Raises:
        httpx.HTTPError: the receiver is out of reach or did not answer 2xx.
    """
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", "Docproc-Signature": signature(secret, body, at)}
    httpx.post(url, content=body, headers=headers, timeout=TIMEOUT_SECONDS).raise_for_status()


def signature(secret: str, body: bytes, at: datetime) -> str:
    """Value of the signature header."""
    seconds = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
