"""Cookies: where the service is reached by https each is Secure and bound to this host by its name.

``__Host-`` (RFC 6265bis, 4.1.3.2) makes browsers refuse the cookie from anybody else: from another host of the same
domain, and over plain http. On plain http, which is for this machine alone, the names are without it.
"""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

OFFICE, KIOSK, WALLET = "dp_office", "dp_kiosk", "dp_wallet"
SESSIONS = {"/office": OFFICE, "/kiosk": KIOSK, "/wallet": WALLET}
"""The cookie of the session to which the pages below a path belong."""


def is_secure(request: Request) -> bool:
    """Whether cookies are bound to https: the public address is, or this request came so."""
    return bool(getattr(request.app.state, "https", False)) or request.url.scheme == "https"


def cookie_name(request: Request, name: str) -> str:
    """What a cookie is called here."""
    return f"__Host-{name}" if is_secure(request) else name


def read_cookie(request: Request, name: str) -> str:
    """The value of a cookie; empty where there is none. One under its plain name is no cookie of an https service."""
    return request.cookies.get(cookie_name(request, name), "")


def give_cookie(
    request: Request,
    response: Response,
    name: str,
    value: str,
    max_age: int | None = None,
    *,
    path: str = "/",
    same_site: Literal["strict", "lax"] = "strict",
) -> None:
    """Set a cookie that scripts and other sites do not see; ``path`` counts on plain http only, see ``__Host-``."""
    secure = is_secure(request)
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=max_age,
        path="/" if secure else path,
        httponly=True,
        samesite=same_site,
        secure=secure,
    )


def take_cookie(request: Request, response: Response, name: str, *, path: str = "/") -> None:
    """Take a cookie back from the browser."""
    secure = is_secure(request)
    response.delete_cookie(
        cookie_name(request, name), path="/" if secure else path, httponly=True, samesite="strict", secure=secure
    )
