"""Short messages: the log, and where the provider posts its receipts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query, Request

from api.kit.bodies.declared import identifies
from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Who
from api.kit.front.credentials import guessing
from api.kit.front.values import After
from api.kit.problems import problems
from api.v1.schemas import messages as schemas
from docproc.canonical import JsonObject
from docproc.flow.messages import feed, sms
from docproc.flow.messages.feed import EventView

router = APIRouter(route_class=HeadFirst, prefix="/v1/sms", tags=["administration"])
event_router = APIRouter(route_class=HeadFirst, prefix="/v1", tags=["administration"])

Limit = Annotated[int, Query(ge=1, le=1000)]
Secret = Annotated[str, Path(max_length=200)]


@identifies
def provider(request: Request, ctx: Ctx, secret: Secret) -> None:
    """The provider of short messages, known by the address that it posts to.

    Raises:
        NotFoundError: it is another address.
    """
    with guessing(request, secret):
        sms.find_provider(ctx, secret)


@router.get(
    "", response_model=list[schemas.SmsView], responses=problems(401, 403, 422), summary="Log of short messages"
)
def log(
    ctx: Ctx,
    who: Who,
    application: Annotated[str | None, Query(max_length=60)] = None,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Last event of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[sms.SmsView]:
    """Messages of the organisation with the provider's receipts, newest first. Roles: admin, auditor."""
    return sms.sms_log(ctx, who, application=application, before=before, limit=limit)


@router.post(
    "/{event}/again",
    status_code=202,
    response_model=schemas.SmsView,
    responses=problems(401, 403, 404, 409),
    summary="Send a message again",
)
def again(event: Annotated[int, Path(ge=1, le=2**62)], ctx: Ctx, who: Who) -> sms.SmsView:
    """One that was refused, is unknown, or had no number. Role: admin."""
    return sms.send_again(ctx, who, event)


@router.post(
    "/receipts/{secret}",
    response_model=schemas.ReceiptAnswer,
    dependencies=[Depends(provider)],
    responses=problems(404, 422, 429),
    summary="Receipts, from the provider",
)
def receipts(secret: Secret, body: Annotated[list[JsonObject], Body()], ctx: Ctx) -> schemas.ReceiptAnswer:
    """The address is known to the provider alone; a repetition is answered and kept once."""
    sms.keep_receipts(ctx, secret, body)
    return schemas.ReceiptAnswer()


@event_router.get("/events", response_model=list[schemas.EventView], responses=problems(401, 403), summary="Events")
def events(ctx: Ctx, who: Who, after: After = 0, limit: Limit = 100) -> list[EventView]:
    """What happened to the organisation's applications and licences, oldest first; each event has one number."""
    return feed.events(ctx, who, after=after, limit=limit)
