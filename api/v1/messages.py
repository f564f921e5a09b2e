"""Short messages: the log, and where the provider posts its receipts."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, Field

from api.kit.deps import WRONG_KEY_COST, Ctx, Who, public
from api.kit.problems import problems
from docproc.canonical import JsonObject
from docproc.errors import NotFoundError
from docproc.flow.messages import sms

router = APIRouter(prefix="/v1/sms", tags=["administration"])


class ReceiptView(BaseModel):
    """What became of a message."""

    delivered: bool
    code: str = Field(examples=["DELIVRD"])
    at: str


class SmsView(BaseModel):
    """One message; to which number is nowhere kept."""

    event: int
    application: str
    kind: str
    kind_zh: str
    state: Literal["sending", "put off", "accepted", "refused", "unknown", "no number"]
    attempts: int
    code: str = Field(description="The provider's last word")
    created_at: str
    updated_at: str
    receipt: ReceiptView | None


class ReceiptAnswer(BaseModel):
    """As the provider wants it: 0 and OK."""

    result: int = 0
    errmsg: str = "OK"


@router.get("", response_model=list[SmsView], responses=problems(401, 403, 422), summary="Log of short messages")
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
    response_model=SmsView,
    responses=problems(401, 403, 404, 409),
    summary="Send a message again",
)
def again(event: Annotated[int, Path(ge=1, le=2**62)], ctx: Ctx, who: Who) -> sms.SmsView:
    """One that was refused, is unknown, or had no number. Role: admin."""
    return sms.send_again(ctx, who, event)


@router.post(
    "/receipts/{secret}",
    response_model=ReceiptAnswer,
    responses=problems(404, 422, 429),
    summary="Receipts, from the provider",
)
def receipts(
    secret: Annotated[str, Path(max_length=200)],
    body: Annotated[list[JsonObject], Body()],
    ctx: Ctx,
    request: Request,
) -> ReceiptAnswer:
    """The address is known to the provider alone; a repetition is answered and kept once."""
    try:
        sms.keep_receipts(ctx, secret, body)
    except NotFoundError:
        public(request, WRONG_KEY_COST)
        raise
    return ReceiptAnswer()
