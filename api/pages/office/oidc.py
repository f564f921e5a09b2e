"""Signing in at the OpenID Connect provider: off to it, and back."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Public, public
from api.kit.front.cookies import give_cookie, read_cookie, take_cookie
from api.kit.front.credentials import WRONG_KEY_COST
from api.kit.official import give
from api.kit.render import page
from docproc.errors import NotFoundError
from docproc.flow.accounts import oidc, users

router = APIRouter(route_class=HeadFirst, prefix="/office/oidc")
COOKIE = "dp_oidc"


@router.get("", dependencies=[Public])
def begin(request: Request, ctx: Ctx) -> Response:
    """Send the visitor to the provider. The cookie is lax: the way back begins on the provider's site."""
    if not ctx.settings.oidc_issuer:
        raise NotFoundError("no OpenID Connect provider is set")
    url, state = oidc.begin(ctx)
    response = RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})
    give_cookie(request, response, COOKIE, state, int(oidc.LASTS.total_seconds()), path="/office/oidc", same_site="lax")
    return response


@router.get("/callback", dependencies=[Public])
def callback(request: Request, ctx: Ctx) -> Response:
    """Let in who comes back; by way of a page of ours, for browsers send strict cookies only from there."""
    if not ctx.settings.oidc_issuer:
        raise NotFoundError("no OpenID Connect provider is set")
    try:
        token = users.sign_in_elsewhere(ctx, read_cookie(request, COOKIE), dict(request.query_params))
    except users.SignInError as error:
        public(request, WRONG_KEY_COST)
        provider = ctx.settings.oidc_name
        response = page(request, "office/login.html", 403, said=error.message_zh, name="", provider=provider)
    else:
        response = page(request, "office/arrived.html")
        give(request, response, token)
    take_cookie(request, response, COOKIE, path="/office/oidc")
    return response
