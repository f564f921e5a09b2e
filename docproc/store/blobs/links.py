"""Short-lived links to a blob, signed by the service itself, like the presigned URLs of an S3 server.

Whoever has the link can download the bytes until it expires; access rights are checked
before it is made. The signature (HMAC-SHA256) covers all of its parameters.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from docproc.errors import NotFoundError


class LinkOverError(NotFoundError):
    """A link that was never issued, was altered, or has expired: request a new one."""

    code = "link_over"
    message_zh = "下载链接无效或已过期，请重新获取"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link allows."""

    key: str
    """Key of the blob."""
    name: str
    """Name under which the file is saved."""
    media_type: str
    expires: int
    """When it expires, seconds since 1970."""


def sign(link: Link, secret: bytes) -> str:
    """The link as a URL relative to the route that answers such links."""
    query = {"name": link.name, "type": link.media_type, "expires": link.expires, "signature": _signature(link, secret)}
    return f"{link.key}?{urlencode(query)}"


def check(link: Link, signature: str, secret: bytes, now: datetime) -> None:
    """Refuse a link whose signature is wrong or that has expired.

    Raises:
        LinkOverError: either; the message does not say which.
    """
    good = hmac.compare_digest(_signature(link, secret).encode(), signature.encode())
    if not good or now.timestamp() >= link.expires:
        raise LinkOverError("the link is wrong or over")


def attachment(name: str) -> str:
    """``Content-Disposition`` for a file to be saved under a name (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _signature(link: Link, secret: bytes) -> str:
    parts = (link.key, link.name, link.media_type, str(link.expires))
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
