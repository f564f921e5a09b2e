"""The browser's session as a dependency: a kiosk, or an enterprise at its wallet."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from api.deps import Ctx
from api.pages.csrf import set_cookie
from docproc.errors import AccessError
from docproc.flow import service
from docproc.flow.devices import LASTS, Kind, Seat

COOKIES: dict[Kind, str] = {"kiosk": "dp_kiosk", "wallet": "dp_wallet"}
ENTRANCES: dict[Kind, str] = {"kiosk": "/kiosk", "wallet": "/wallet"}


class ElsewhereError(AccessError):
    """The visitor has to do something else first; the page sends them there."""

    code = "sign_in"
    message_zh = "请先登录"

    def __init__(self, to: str) -> None:
        """Name the path to go to."""
        super().__init__(f"go to {to} first")
        self.to = to


def find_seat(request: Request, ctx: service.Context, kind: Kind) -> Seat | None:
    """The session behind the browser's cookie, if it lives."""
    token = request.cookies.get(COOKIES[kind])
    return service.seat(ctx, token, kind) if token else None


def kiosk_seat(request: Request, ctx: Ctx) -> Seat:
    """A signed-in kiosk.

    Raises:
        ElsewhereError: it is not signed in.
    """
    return _needed(request, ctx, "kiosk")


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


def give(request: Request, response: Response, kind: Kind, token: str) -> None:
    """Hand the browser its session."""
    set_cookie(request, response, COOKIES[kind], token, int(LASTS[kind].total_seconds()))


def take(response: Response, kind: Kind) -> None:
    """Take the session from the browser."""
    response.delete_cookie(COOKIES[kind], path="/")


def _needed(request: Request, ctx: service.Context, kind: Kind) -> Seat:
    found = find_seat(request, ctx, kind)
    if found is None:
        raise ElsewhereError(ENTRANCES[kind])
    return found
