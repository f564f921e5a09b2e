"""How the kiosks are, and the log of short messages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.official import AsCaller
from api.kit.render import page
from docproc.errors import ConflictError
from docproc.flow.core import context
from docproc.flow.core.access import Caller
from docproc.flow.kiosks import kiosks
from docproc.flow.messages import sms

router = APIRouter(route_class=HeadFirst, prefix="/office")
LISTED = 100


@router.get("/kiosks")
def health(request: Request, ctx: Ctx, caller: AsCaller, days: Annotated[int, Query(ge=1, le=365)] = 7) -> Response:
    """When each kiosk was last there, what waits, what failed, and how clear its pages are."""
    return page(request, "office/kiosks.html", kiosks=kiosks.health(ctx, caller, days), days=days)


@router.get("/sms")
def messages(
    request: Request,
    ctx: Ctx,
    caller: AsCaller,
    application: Annotated[str, Query(max_length=60)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Short messages with the provider's receipts, newest first."""
    return _messages(request, ctx, caller, application.strip(), before)


@router.post("/sms/{event}/again", dependencies=[Csrf])
def again(request: Request, ctx: Ctx, caller: AsCaller, event: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
    """Have one sent again."""
    try:
        sms.send_again(ctx, caller, event)
    except ConflictError as error:
        return _messages(request, ctx, caller, "", None, error)
    return RedirectResponse("/office/sms", 303)


def _messages(
    request: Request,
    ctx: context.Context,
    caller: Caller,
    application: str,
    before: int | None,
    error: ConflictError | None = None,
) -> Response:
    lines = sms.sms_log(ctx, caller, application=application or None, before=before, limit=LISTED)
    said, status = (error.message_zh, 409) if error is not None else (None, 200)
    return page(
        request,
        "office/sms.html",
        status,
        lines=lines,
        asked=application,
        said=said,
        caller=caller,
        more=len(lines) == LISTED,
        again=sms.AGAIN,
    )
