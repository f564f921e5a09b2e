"""The audit log: its lines, its chain, and searching it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.kit.deps import Ctx, Who
from api.kit.front.values import After, Before, Moment
from api.kit.problems import problems
from api.v1.schemas import audit as schemas
from docproc.flow.audit import log
from docproc.flow.audit.log import AuditCheck
from docproc.flow.core.views import AuditLine

router = APIRouter(prefix="/v1", tags=["administration"])

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
