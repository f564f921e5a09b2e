"""Deletion by the matters' rules: the rules, what is due, and doing it now."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.official import AsCaller
from api.kit.render import page
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.upkeep import retention

router = APIRouter(route_class=HeadFirst, prefix="/office")


@router.get("/retention")
def rules(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """The rules of every matter and what is due by them; nothing is changed."""
    return _shown(request, ctx, caller, None)


@router.post("/retention", dependencies=[Csrf])
def sweep(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Erase what is due now, without waiting for the hourly sweep."""
    caller.require("manage_retention")
    return _shown(request, ctx, caller, retention.sweep(ctx, caller))


def _shown(request: Request, ctx: Context, caller: Caller, swept: retention.Swept | None) -> Response:
    due = retention.rules(ctx, caller)
    waiting = retention.report(ctx, caller).waiting
    return page(request, "office/retention.html", rules=due, swept=swept, waiting=waiting, kinds=retention.KINDS)
