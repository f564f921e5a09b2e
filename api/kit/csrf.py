"""Forms come from our own pages: a random word in a cookie and the same word in the form or in a header.

The cookie is ``SameSite=Strict`` already; the word guards browsers and subdomains
that this does not stop.
"""

from __future__ import annotations

import hmac
import secrets

from fastapi import Depends, Request, Response

from docproc.errors import AccessError

COOKIE = "dp_csrf"
FIELD = "csrf"
HEADER = "x-csrf-token"


class ForeignFormError(AccessError):
    """A form that did not come from our page, or from one whose cookie is gone: load the page again."""

    code = "csrf"
    message_zh = "页面已失效，请刷新页面后重试"


def token(request: Request) -> str:
    """The visitor's word; a fresh one where there is none yet."""
    kept: str | None = getattr(request.state, "csrf", None) or request.cookies.get(COOKIE)
    request.state.csrf = kept or secrets.token_urlsafe(32)
    return str(request.state.csrf)


def keep(request: Request, response: Response) -> None:
    """Give the visitor the word that :func:`token` put into the page."""
    word = getattr(request.state, "csrf", None)
    if word and request.cookies.get(COOKIE) != word:
        set_cookie(request, response, COOKIE, word)


def set_cookie(request: Request, response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """A cookie that scripts and other sites do not see; over HTTPS it never travels without."""
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=max_age, path="/", httponly=True, samesite="strict", secure=secure)


async def check(request: Request) -> None:
    """Refuse a form that is not ours.

    Raises:
        ForeignFormError: the word is missing or another one.
    """
    sent = request.headers.get(HEADER)
    if sent is None and request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        sent = str((await request.form()).get(FIELD, ""))
    kept = request.cookies.get(COOKIE, "")
    if not kept or not sent or not hmac.compare_digest(kept.encode(), sent.encode()):
        raise ForeignFormError("the form's word is not the cookie's")


Csrf = Depends(check)
"""Dependency of every route that takes a form."""
