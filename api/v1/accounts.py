"""API keys, audit log and events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.kit.deps import Ctx, OnceJson, Who
from api.kit.problems import problems
from api.v1.schemas import accounts as schemas
from docproc.flow.accounts import api_keys
from docproc.flow.accounts.api_keys import CreatedKey, KeyView
from docproc.flow.audit import log
from docproc.flow.audit.log import AuditCheck
from docproc.flow.core.views import AuditLine
from docproc.flow.messages import feed
from docproc.flow.messages.feed import EventView

router = APIRouter(prefix="/v1", tags=["administration"])

After = Annotated[int, Query(ge=0, description="Last number of the page before")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.post(
    "/keys",
    status_code=201,
    response_model=schemas.CreatedKey,
    responses=problems(401, 403, 422),
    summary="Make an API key",
)
def create(body: schemas.NewKey, ctx: Ctx, who: Who, once: OnceJson) -> CreatedKey:
    """The key is in the answer this once; only its hash is kept. Role: admin."""
    return api_keys.create_key(ctx, who, body.subject, body.org, body.roles, once)


@router.get("/keys", response_model=list[schemas.KeyView], responses=problems(401, 403), summary="List API keys")
def listing(ctx: Ctx, who: Who) -> list[KeyView]:
    """Without secrets. Role: admin."""
    return api_keys.list_keys(ctx, who)


@router.delete(
    "/keys/{key_id}", response_model=schemas.KeyView, responses=problems(401, 403, 404), summary="Revoke an API key"
)
def revoke(key_id: Annotated[str, Path(max_length=16)], ctx: Ctx, who: Who) -> KeyView:
    """At once and for ever. Role: admin."""
    return api_keys.revoke_key(ctx, who, key_id)


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


@router.get("/events", response_model=list[schemas.EventView], responses=problems(401, 403), summary="Events")
def events(ctx: Ctx, who: Who, after: After = 0, limit: Limit = 100) -> list[EventView]:
    """What happened to the organisation's applications and licences, oldest first; each event has one number."""
    return feed.events(ctx, who, after=after, limit=limit)
