"""The audit log: searching it, and checking its chain."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.official import AsCaller
from api.kit.render import page
from docproc.domain import CHINA
from docproc.errors import InputError
from docproc.flow.audit import log

router = APIRouter(route_class=HeadFirst, prefix="/office")


@router.get("/audit")
def audit(
    request: Request,
    ctx: Ctx,
    caller: AsCaller,
    text: Annotated[str, Query(max_length=80)] = "",
    action: Annotated[str, Query(max_length=40)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Who did what when."""
    lines = log.search_audit(
        ctx,
        caller,
        text=text.strip(),
        action=action.strip(),
        since=_midnight(since, 0),
        until=_midnight(until, 1),
        before=before,
    )
    asked = {"text": text, "action": action, "since": since, "until": until}
    return page(request, "office/audit.html", lines=lines, asked=asked, checked=None)


@router.post("/audit/check", dependencies=[Csrf])
def check_audit(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Whether no line was changed or removed."""
    found = log.check_audit(ctx, caller)
    lines = log.search_audit(ctx, caller)
    asked = {"text": "", "action": "", "since": "", "until": ""}
    return page(request, "office/audit.html", lines=lines, asked=asked, checked=found)


def _midnight(day: str, more: int) -> datetime | None:
    """Beginning of a day in China, some days later; ``None`` for no day."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=more), time(), CHINA)
    except (ValueError, OverflowError):
        raise InputError(f"{day!r} is not a date", message_zh="日期格式不正确") from None
