"""The audit log: its lines, its chain, and searching it; and who was given what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Who
from api.kit.front.values import After, Before, Moment
from api.kit.problems import problems
from api.v1.applications.applications import Number
from api.v1.schemas import audit as schemas
from docproc.flow.audit import accesses, log
from docproc.flow.audit.accesses import AccessLine
from docproc.flow.audit.log import AuditCheck
from docproc.flow.core.reads import Purpose
from docproc.flow.core.views import AuditLine
from docproc.store.audit.access_log import Wanted

router = APIRouter(route_class=HeadFirst, prefix="/v1", tags=["administration"])

Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/audit", response_model=list[schemas.AuditLine], responses=problems(401, 403), summary="Audit log")
def audit(
    ctx: Ctx,
    who: Who,
    subject: Annotated[str | None, Query(max_length=80, description="Application, licence or key")] = None,
    after: After = 0,
    limit: Limit = 100,
) -> list[AuditLine]:
    """Who did what when. Role: auditor."""
    return log.audit_lines(ctx, who, subject=subject, after=after, limit=limit)


@router.get(
    "/audit/check", response_model=schemas.AuditCheck, responses=problems(401, 403), summary="Check the audit log"
)
def check(ctx: Ctx, who: Who) -> AuditCheck:
    """Whether no line was changed or removed. Role: auditor."""
    return log.check_audit(ctx, who)


@router.get(
    "/audit/search",
    response_model=list[schemas.AuditLine],
    responses=problems(401, 403, 422),
    summary="Search the audit log",
)
def search_audit(
    ctx: Ctx,
    who: Who,
    text: Annotated[str, Query(max_length=80, description="Part of who or of what")] = "",
    action: Annotated[str, Query(max_length=40)] = "",
    since: Moment | None = None,
    until: Moment | None = None,
    before: Before | None = None,
) -> list[AuditLine]:
    """The newest lines that fit. Role: auditor."""
    return log.search_audit(ctx, who, text=text, action=action, since=since, until=until, before=before)


LastRead = Annotated[str, Query(max_length=32, description="Last id of the page before")]


@router.get(
    "/accesses",
    response_model=list[schemas.AccessLine],
    responses=problems(401, 403, 422),
    summary="Who was given what",
)
def search_accesses(
    ctx: Ctx,
    who: Who,
    actor: Annotated[str, Query(max_length=80)] = "",
    subject: Annotated[str, Query(max_length=80, description="Application, licence or file")] = "",
    purpose: Annotated[Purpose | None, Query()] = None,
    since: Moment | None = None,
    until: Moment | None = None,
    before: LastRead = "",
    limit: Limit = 100,
) -> list[AccessLine]:
    """The newest readings of content that fit. Role: auditor."""
    return accesses.search(ctx, who, Wanted(actor, subject, purpose or "", since, until, before, limit))


@router.get(
    "/accesses.csv", response_class=Response, responses=problems(401, 403, 422), summary="Who was given what, as CSV"
)
def export_accesses(
    ctx: Ctx,
    who: Who,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Response:
    """At most 100,000 readings, newest first. Role: auditor."""
    return Response(accesses.export(ctx, who, since=since, until=until), media_type="text/csv")


@router.get(
    "/applications/{number}/readers",
    response_model=list[schemas.AccessLine],
    responses=problems(401, 403, 404, 422),
    summary="Who was given something of an application",
)
def readers(number: Number, ctx: Ctx, who: Who, before: LastRead = "", limit: Limit = 200) -> list[AccessLine]:
    """Newest first. Roles: approver, auditor."""
    return accesses.readers(ctx, who, number, before=before, limit=limit)
