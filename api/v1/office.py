"""What the office's pages show and do, for programs: figures, kiosks, officials, audit search, retention, queue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.kit.deps import Ctx, Who
from api.kit.problems import problems
from api.v1.schemas import office as schemas
from api.v1.schemas.accounts import AuditLine
from docproc.flow.accounts import users
from docproc.flow.core import views
from docproc.flow.kiosks import kiosks
from docproc.flow.review import figures, workbench
from docproc.flow.upkeep import retention

router = APIRouter(prefix="/v1", tags=["administration"])

UserId = Annotated[str, Path(max_length=32)]
Number = Annotated[str, Path(max_length=60)]


@router.get("/figures", responses=problems(401, 403, 422), summary="Figures")
def show_figures(ctx: Ctx, who: Who, days: Annotated[int, Query(ge=1, le=730)] = 90) -> schemas.FiguresView:
    """Time to decision, first-pass rate, findings by rule, corrections by field. Roles: approver, auditor."""
    found = figures.figures(ctx, who, days)
    rules = [schemas.Frequent(code=code, matter=matter, applications=count) for code, matter, count in found.findings]
    return schemas.FiguresView.model_validate(
        {"pace": found.pace, "findings": rules, "misread": found.misread, "trust": found.trust}, from_attributes=True
    )


@router.get("/kiosks", responses=problems(401, 403, 422), summary="Kiosk health")
def health(ctx: Ctx, who: Who, days: Annotated[int, Query(ge=1, le=365)] = 7) -> list[schemas.KioskView]:
    """When each was last there, what waits, what failed. Roles: clerk (own office), auditor, admin."""
    return [_kiosk(item) for item in kiosks.health(ctx, who, days)]


@router.post("/kiosks/line", status_code=204, responses=problems(401, 403, 422), summary="Report what waits at a kiosk")
def report_line(body: schemas.LineReport, ctx: Ctx, who: Who) -> None:
    """The caller's own queue for the line; the last report counts. Role: kiosk."""
    kiosks.report_line(ctx, who, body.waiting, body.oldest_seconds)


@router.get("/users", response_model=list[schemas.UserView], responses=problems(401, 403), summary="List officials")
def list_users(ctx: Ctx, who: Who) -> list[users.UserView]:
    """Without secrets. Role: admin."""
    return users.list_users(ctx, who)


@router.post(
    "/users",
    status_code=201,
    response_model=schemas.Secrets,
    responses=problems(401, 403, 409, 422),
    summary="Add an official",
)
def add_user(body: schemas.NewUser, ctx: Ctx, who: Who, response: Response) -> users.NewUser:
    """The secrets are in the answer this once; give them to the person alone. Role: admin."""
    response.headers["Cache-Control"] = "no-store"
    return users.add_user(ctx, who, body.name.strip(), body.title, body.org.strip(), body.roles)


@router.post(
    "/users/{user_id}/secrets",
    response_model=schemas.Secrets,
    responses=problems(401, 403, 404, 409),
    summary="New secrets",
)
def renew_secrets(user_id: UserId, ctx: Ctx, who: Who, response: Response) -> users.NewUser:
    """For who lost theirs; what they had is void at once. Role: admin."""
    response.headers["Cache-Control"] = "no-store"
    return users.renew_secrets(ctx, who, user_id)


@router.put(
    "/users/{user_id}/enabled",
    status_code=204,
    responses=problems(401, 403, 404, 409),
    summary="Shut or open an account",
)
def set_enabled(user_id: UserId, body: schemas.Enabled, ctx: Ctx, who: Who) -> None:
    """Shut, it is signed out everywhere. Role: admin."""
    users.set_enabled(ctx, who, user_id, body.enabled)


@router.get(
    "/audit/search", response_model=list[AuditLine], responses=problems(401, 403, 422), summary="Search the audit log"
)
def search_audit(
    ctx: Ctx,
    who: Who,
    text: Annotated[str, Query(max_length=80, description="Part of who or of what")] = "",
    action: Annotated[str, Query(max_length=40)] = "",
    since: Annotated[datetime | None, Query()] = None,
    until: Annotated[datetime | None, Query()] = None,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Last number of the page before")] = None,
) -> list[views.AuditLine]:
    """The newest lines that fit. Role: auditor."""
    return figures.search_audit(ctx, who, text=text, action=action, since=since, until=until, before=before)


@router.get("/retention", responses=problems(401, 403), summary="Retention", name="retention")
def list_rules(ctx: Ctx, who: Who) -> list[schemas.RetentionView]:
    """How long each matter's content is kept, and what is due. Role: admin."""
    return [
        schemas.RetentionView(
            matter=item.matter.id,
            draft_days=item.rules.draft_days,
            refused_days=item.rules.refused_days,
            finished_days=item.rules.finished_days,
            original_days=item.rules.original_days,
            basis=item.rules.basis,
            due=item.due,
        )
        for item in retention.rules(ctx, who)
    ]


@router.post("/retention/sweep", responses=problems(401, 403), summary="Erase what is due")
def sweep(ctx: Ctx, who: Who) -> schemas.SweptView:
    """Happens by itself every hour; here at once. Role: admin."""
    who.require("manage_retention")
    found = retention.sweep(ctx, who)
    return schemas.SweptView(applications=found.applications, files=found.files, waiting=found.waiting)


@router.get("/queue", responses=problems(401, 403), summary="What waits for a decision")
def queue(ctx: Ctx, who: Who) -> list[schemas.WaitingView]:
    """The most urgent first, with the working-day clock. Roles: reviewer, approver."""
    return [_waiting(item) for item in workbench.queue(ctx, who)]


@router.put(
    "/applications/{number}/claim",
    responses=problems(401, 403, 404, 409),
    summary="Take an application",
)
def claim(number: Number, ctx: Ctx, who: Who) -> schemas.Claimed:
    """For twenty minutes from now, so that two do not work on one. Roles: reviewer, approver."""
    return schemas.Claimed(held=workbench.claim(ctx, who, number))


@router.delete(
    "/applications/{number}/claim", status_code=204, responses=problems(401, 403, 404), summary="Put it back"
)
def put_back(number: Number, ctx: Ctx, who: Who) -> None:
    """Others can take it. Roles: reviewer, approver."""
    workbench.put_back(ctx, who, number)


def _kiosk(kiosk: kiosks.Kiosk) -> schemas.KioskView:
    faults = [schemas.Fault(code=code, message=message, pages=pages) for code, message, pages in kiosk.faults]
    told = {name: getattr(kiosk, name) for name in schemas.KioskView.model_fields if name != "faults"}
    return schemas.KioskView.model_validate({**told, "faults": faults})


def _waiting(item: workbench.Waiting) -> schemas.WaitingView:
    told = {name: item.view[name] for name in ("number", "matter", "status", "submitted_at")}
    clock = {"due": item.term.due.on, "due_certain": item.term.due.certain, "working_days_left": item.term.left}
    hold = {"held_by": item.by, "mine": item.mine, "own": item.own}
    return schemas.WaitingView.model_validate(
        {**told, **clock, **hold, "light": item.term.light, "findings": item.findings}
    )
