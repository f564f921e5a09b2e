"""Deletion by the matters' rules: the rules, what is due, and doing it now."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import Ctx
from api.pages.csrf import Csrf
from api.pages.official import AsCaller
from api.pages.render import page
from docproc.flow import erasing
from docproc.flow.access import Caller
from docproc.flow.context import Context

router = APIRouter(prefix="/office")


@router.get("/retention")
def retention(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """The rules of every matter and what is due by them; nothing is changed."""
    return _shown(request, ctx, caller, None)


@router.post("/retention", dependencies=[Csrf])
def sweep(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Erase what is due now, without waiting for the hourly sweep."""
    caller.require("manage_retention")
    return _shown(request, ctx, caller, erasing.sweep(ctx, caller))


def _shown(request: Request, ctx: Context, caller: Caller, swept: erasing.Swept | None) -> Response:
    rules = erasing.rules(ctx, caller)
    waiting = erasing.report(ctx, caller).waiting
    return page(request, "office/retention.html", rules=rules, swept=swept, waiting=waiting, kinds=erasing.KINDS)
