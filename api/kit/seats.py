"""The browser's session as a dependency: a kiosk, or an enterprise at its wallet."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.declared import identifies
from api.kit.deps import Ctx
from api.kit.front.address import client_address
from api.kit.front.cookies import KIOSK, WALLET, give_cookie, read_cookie, take_cookie
from api.kit.front.credentials import STALE_COST, guess
from api.kit.render import page
from docproc.errors import AccessError
from docproc.flow.accounts import seats
from docproc.flow.accounts.seats import Kind, Seat
from docproc.flow.core import context

COOKIES: dict[Kind, str] = {"kiosk": KIOSK, "wallet": WALLET}
ENTRANCES: dict[Kind, str] = {"kiosk": "/kiosk", "wallet": "/wallet"}


LEAVING = "dp_leaving"
"""Cookie that a kiosk's page sets when its citizen leaves; it is gone once the service has forgotten them."""


class ElsewhereError(AccessError):
    """The visitor has to do something else first; the page sends them there."""

    code = "sign_in"
    message_zh = "请先登录"

    def __init__(self, to: str) -> None:
        """Name the path to go to."""
        super().__init__(f"go to {to} first")
        self.to = to


def find_seat(request: Request, ctx: context.Context, kind: Kind) -> Seat | None:
    """The session behind the browser's cookie, if it lives; a citizen who left while the line was down is forgotten."""
    token = read_cookie(request, COOKIES[kind])
    if not token:
        return None
    tried = guess(request, token, STALE_COST)
    here = seats.seat(ctx, token, kind, client_address(request))
    if here is None:
        tried.wrong()
    else:
        tried.good()
    if here is not None and here.application is not None and read_cookie(request, LEAVING):
        return seats.leave(ctx, here)
    return here


@identifies
def kiosk_seat(request: Request, ctx: Ctx) -> Seat:
    """A signed-in kiosk.

    Raises:
        ElsewhereError: it is not signed in.
    """
    return _needed(request, ctx, "kiosk")


@identifies
def wallet_seat(request: Request, ctx: Ctx) -> Seat:
    """An enterprise that signed in.

    Raises:
        ElsewhereError: it did not.
    """
    return _needed(request, ctx, "wallet")


def kiosk_case(here: Annotated[Seat, Depends(kiosk_seat)]) -> tuple[Seat, str]:
    """A signed-in kiosk and the application that its citizen works on.

    Raises:
        ElsewhereError: none is being worked on.
    """
    if here.application is None:
        raise ElsewhereError("/kiosk")
    return here, here.application


Kiosk = Annotated[Seat, Depends(kiosk_seat)]
Wallet = Annotated[Seat, Depends(wallet_seat)]
AtWork = Annotated[tuple[Seat, str], Depends(kiosk_case)]


def sign_in(request: Request, ctx: context.Context, kind: Kind, key: str, template: str) -> Response:
    """Begin a session under a key; with a wrong one ``template``, the entrance, says so."""
    tried = guess(request, key)
    try:
        token = seats.sign_in(ctx, key, kind, client_address(request))
    except AccessError as error:
        tried.wrong()
        return page(request, template, 403, said=error.message_zh)
    tried.good()
    response = RedirectResponse(ENTRANCES[kind], 303)
    at = ctx.clock()
    give_cookie(request, response, COOKIES[kind], token, int((seats.lasts_until(ctx, kind, at) - at).total_seconds()))
    return response


def sign_out(request: Request, ctx: context.Context, here: Seat, kind: Kind) -> Response:
    """End a session, here and at the service."""
    seats.sign_out(ctx, here.token)
    response = RedirectResponse(ENTRANCES[kind], 303)
    take_cookie(request, response, COOKIES[kind])
    return response


def _needed(request: Request, ctx: context.Context, kind: Kind) -> Seat:
    found = find_seat(request, ctx, kind)
    if found is None:
        raise ElsewhereError(ENTRANCES[kind])
    return found
