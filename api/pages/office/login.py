"""Signing in and out of the office, choosing a password, and where each role begins."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.front.address import client_address, limit_key
from api.kit.front.cookies import OFFICE, read_cookie, take_cookie
from api.kit.front.credentials import guess
from api.kit.official import ENTRANCE, Here, SignedIn, find_official, give
from api.kit.render import page
from docproc.errors import DocprocError
from docproc.flow.accounts import users
from docproc.flow.core.access import Act, Caller
from docproc.flow.core.context import Context

router = APIRouter(route_class=HeadFirst, prefix="/office")
Word = Annotated[str, Form(max_length=200)]


def first_page(caller: Caller) -> str:
    """Where somebody's work is."""
    places: tuple[tuple[Act, str], ...] = (
        ("accept", "/office/queue"),
        ("release", "/office/release"),
        ("create", "/office/counter"),
        ("audit", "/office/audit"),
        ("manage_users", "/office/users"),
    )
    return next((path for act, path in places if caller.can(act)), "/office/password")


@router.get("")
def office(here: Here) -> Response:
    """Go to one's work."""
    return RedirectResponse(first_page(here.caller), 303)


@router.get("/login")
def login_form(request: Request, ctx: Ctx) -> Response:
    """Ask for name, password and code."""
    if find_official(request, ctx) is not None:
        return RedirectResponse("/office", 303)
    return page(request, "office/login.html", said=None, name="", provider=_provider(ctx))


@router.post("/login", dependencies=[Csrf])
def login(
    request: Request, ctx: Ctx, name: Word, password: Word, code: Annotated[str, Form(max_length=20)]
) -> Response:
    """Sign in; a try costs the address much of its rate limit until it succeeds, and counts for name and address."""
    tried = guess(request, f"{name}\n{password}\n{code}")
    try:
        token = users.sign_in(ctx, name, password, code, limit_key(client_address(request)))
    except users.SignInError as error:
        tried.wrong()
        return page(request, "office/login.html", 403, said=error.message_zh, name=name, provider=_provider(ctx))
    tried.good()
    response = RedirectResponse("/office", 303)
    give(request, response, token)
    return response


@router.post("/logout", dependencies=[Csrf])
def logout(request: Request, ctx: Ctx, here: SignedIn) -> Response:
    """Sign out."""
    users.sign_out(ctx, read_cookie(request, OFFICE))
    response = RedirectResponse(ENTRANCE, 303)
    take_cookie(request, response, OFFICE)
    return response


@router.get("/password")
def password_form(request: Request, here: SignedIn) -> Response:
    """Ask for a new password."""
    return page(request, "office/password.html", said=None, must=here.must_change, name=here.caller.subject)


@router.post("/password", dependencies=[Csrf])
def password(request: Request, ctx: Ctx, here: SignedIn, old: Word, new: Word, again: Word) -> Response:
    """Choose a password; then sign in with it."""
    try:
        if new != again:
            raise DocprocError("the two do not agree", message_zh="两次输入的新密码不一致")
        users.change_password(ctx, here.caller, old, new)
    except DocprocError as error:
        return page(
            request, "office/password.html", 422, said=error.message_zh, must=here.must_change, name=here.caller.subject
        )
    response = RedirectResponse(ENTRANCE, 303)
    take_cookie(request, response, OFFICE)
    return response


def _provider(ctx: Context) -> str:
    """What the OpenID Connect provider is called; empty where there is none."""
    return ctx.settings.oidc_name if ctx.settings.oidc_issuer else ""
