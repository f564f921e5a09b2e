"""How the kiosks are, and what waits at them for the line."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Who
from api.kit.front.credentials import guessing
from api.kit.problems import problems
from api.v1.schemas import applications as application_schemas
from api.v1.schemas import kiosks as schemas
from docproc.flow.applications import applications
from docproc.flow.applications.views import ApplicationView
from docproc.flow.kiosks import kiosks

router = APIRouter(route_class=HeadFirst, prefix="/v1", tags=["administration"])


@router.get("/kiosks", responses=problems(401, 403, 422), summary="Kiosk health")
def health(ctx: Ctx, who: Who, days: Annotated[int, Query(ge=1, le=365)] = 7) -> list[schemas.KioskView]:
    """When each was last there, what waits, what failed. Roles: clerk (own office), auditor, admin."""
    return [_kiosk(item) for item in kiosks.health(ctx, who, days)]


@router.post("/kiosks/line", status_code=204, responses=problems(401, 403, 422), summary="Report what waits at a kiosk")
def report_line(body: schemas.LineReport, ctx: Ctx, who: Who) -> None:
    """The caller's own queue for the line; the last report counts. Role: kiosk."""
    kiosks.report_line(ctx, who, body.waiting, body.oldest_seconds)


@router.post(
    "/kiosks/session",
    response_model=application_schemas.ApplicationView,
    responses=problems(401, 403, 404, 422, 429),
    summary="Open an application by the code on its receipt",
)
def open_by_code(request: Request, body: schemas.ReceiptCode, ctx: Ctx, who: Who) -> ApplicationView:
    """What was handed in is closed to the kiosk after a while; the code, which the citizen holds, opens it again.

    It stays open as after handing in (`DOCPROC_KIOSK_SESSION_MINUTES`). A wrong code costs as much as a wrong key.
    Role: kiosk.
    """
    with guessing(request, body.code):
        return applications.open_by_code(ctx, who, body.code)


@router.delete("/kiosks/session", status_code=204, responses=problems(401, 403), summary="End the session at a kiosk")
def end_session(ctx: Ctx, who: Who) -> None:
    """The citizen is gone: nothing that the key opened is open to it any more. Role: kiosk."""
    applications.end_session(ctx, who)


def _kiosk(kiosk: kiosks.Kiosk) -> schemas.KioskView:
    faults = [schemas.Fault(code=code, message=message, pages=pages) for code, message, pages in kiosk.faults]
    told = {name: getattr(kiosk, name) for name in schemas.KioskView.model_fields if name != "faults"}
    return schemas.KioskView.model_validate({**told, "faults": faults})
