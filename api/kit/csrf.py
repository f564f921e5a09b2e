"""Forms come from our own pages: a random word in a cookie, and in the form a proof of it and of the session.

The proof is HMAC-SHA256 of the session's token under the word, so a word that somebody else planted in the browser,
from another host of the domain for example, proves nothing about a session whose token they do not have; and a page
of one session is no page of the next. Before signing in there is no session: there the word's cookie is bound to this
host (:mod:`api.kit.front.cookies`), it is ``SameSite=Strict`` as all are, and a browser that says that a form comes
from another site (Fetch Metadata) is believed. So nobody is signed in to somebody else's account.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from fastapi import Depends, Request, Response

from api.kit.bodies.declared import Takes, takes
from api.kit.front.cookies import SESSIONS, give_cookie, read_cookie
from docproc.errors import AccessError

COOKIE = "dp_csrf"
FIELD = "csrf"
HEADER = "x-csrf-token"
OWN = ("same-origin", "none")
"""What a browser says of where a request comes from (``Sec-Fetch-Site``) that can be a page of ours."""


class ForeignFormError(AccessError):
    """A form that did not come from our page, or from one whose cookie is gone: load the page again."""

    code = "csrf"
    message_zh = "页面已失效，请刷新页面后重试"


def token(request: Request) -> str:
    """The proof for the forms of a page; the word behind it is a fresh one where there is none yet."""
    kept: str = getattr(request.state, "csrf", "") or read_cookie(request, COOKIE)
    request.state.csrf = kept or secrets.token_urlsafe(32)
    return proof(request.state.csrf, _session(request, request.url.path))


def proof(word: str, session: str) -> str:
    """That a form was made for a browser with this word and this session; the session is empty before signing in."""
    return hmac.new(word.encode(), f"form\n{session}".encode(), hashlib.sha256).hexdigest()


def keep(request: Request, response: Response) -> None:
    """Give the visitor the word that :func:`token` made for the page."""
    word = getattr(request.state, "csrf", "")
    if word and read_cookie(request, COOKIE) != word:
        give_cookie(request, response, COOKIE, word)


@takes(Takes("form"))
async def check(request: Request) -> None:
    """Refuse a form that is not ours.

    Raises:
        ForeignFormError: the proof is missing, or for another word or another session.
    """
    if request.headers.get("sec-fetch-site", OWN[0]) not in OWN:
        raise ForeignFormError("the form comes from another site")
    sent = request.headers.get(HEADER)
    if sent is None and request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        sent = str((await request.form()).get(FIELD, ""))
    kept = read_cookie(request, COOKIE)
    if not kept or not sent or not _proves(request, kept, sent):
        raise ForeignFormError("the form's proof does not fit the cookies")


def _proves(request: Request, word: str, sent: str) -> bool:
    path = request.url.path
    sessions = [_session(request, path)]
    if not _of(path):  # the switch of language stands on every page
        sessions += [read_cookie(request, name) for name in SESSIONS.values()]
    fits = [hmac.compare_digest(proof(word, session).encode(), sent.encode()) for session in sessions]
    return any(fits)


def _session(request: Request, path: str) -> str:
    """The token of the session to which a page belongs; empty where it belongs to none, or there is none yet."""
    name = _of(path)
    return read_cookie(request, name) if name else ""


def _of(path: str) -> str:
    return next((name for top, name in SESSIONS.items() if path == top or path.startswith(f"{top}/")), "")


Csrf = Depends(check)
"""Dependency of every route that takes a form."""
