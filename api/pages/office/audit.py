"""The audit log: searching it, checking its chain; and the log of who was given what."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.official import AsCaller
from api.kit.render import page
from docproc.domain import CHINA
from docproc.errors import InputError
from docproc.flow.audit import accesses, log
from docproc.flow.core.reads import PURPOSES
from docproc.store.audit.access_log import Wanted

router = APIRouter(route_class=HeadFirst, prefix="/office")
Word = Annotated[str, Query(max_length=80)]
Day = Annotated[str, Query(max_length=10)]
LISTED = 100


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


@router.get("/accesses")
def reads(
    request: Request,
    ctx: Ctx,
    caller: AsCaller,
    actor: Word = "",
    subject: Word = "",
    purpose: Word = "",
    since: Day = "",
    until: Day = "",
    before: Word = "",
) -> Response:
    """Who was given what, when and what for."""
    asked = {"actor": actor.strip(), "subject": subject.strip(), "purpose": purpose}
    wanted = Wanted(**asked, since=_midnight(since, 0), until=_midnight(until, 1), before=before, limit=LISTED)
    lines = accesses.search(ctx, caller, wanted)
    told = {**asked, "since": since, "until": until}
    return page(request, "office/accesses.html", lines=lines, asked=told, number="", most=LISTED, purposes=PURPOSES)


@router.get("/accesses.csv")
def export(ctx: Ctx, caller: AsCaller, since: Day = "", until: Day = "") -> Response:
    """The same as a file, for who audits elsewhere."""
    data = accesses.export(ctx, caller, since=_midnight(since, 0), until=_midnight(until, 1))
    headers = {"Content-Disposition": 'attachment; filename="accesses.csv"', "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type="text/csv", headers=headers)


@router.get("/cases/{number}/readers")
def readers(
    request: Request, ctx: Ctx, caller: AsCaller, number: Annotated[str, Path(max_length=60)], before: Word = ""
) -> Response:
    """Who was given something of one application."""
    lines = accesses.readers(ctx, caller, number, before=before, limit=LISTED)
    return page(request, "office/accesses.html", lines=lines, asked={}, number=number, most=LISTED, purposes=PURPOSES)


def _midnight(day: str, more: int) -> datetime | None:
    """Beginning of a day in China, some days later; ``None`` for no day."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=more), time(), CHINA)
    except (ValueError, OverflowError):
        raise InputError(f"{day!r} is not a date", message_zh="日期格式不正确") from None
