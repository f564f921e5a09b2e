"""What the office's pages show and do, for programs: figures, kiosks, officials, audit search, retention, queue."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.kit.deps import Ctx, Who
from api.kit.problems import problems
from api.v1.schemas import AuditLine
from docproc.flow.accounts import users
from docproc.flow.core import views
from docproc.flow.kiosks import kiosks
from docproc.flow.review import figures, workbench
from docproc.flow.upkeep import retention as erasing

router = APIRouter(prefix="/v1", tags=["administration"])

UserId = Annotated[str, Path(max_length=32)]
Number = Annotated[str, Path(max_length=60)]


class Pace(BaseModel):
    """How fast a matter is decided."""

    matter: str
    decided: int
    median_hours: float = Field(description="On working days alone, from first handing in to the final decision")
    statutory_days: int = Field(description="Working days")
    saved: float = Field(description="Share of the statutory term, 24 hours to a working day; negative when over")
    first_pass: float
    certain: bool = Field(description="False where the calendar of a year is not published yet")


class Frequent(BaseModel):
    """A rule and how often it speaks."""

    code: str
    matter: str
    applications: int


class Misread(BaseModel):
    """A field that persons change."""

    matter: str
    material: str
    field: str
    changed: int
    pages: int


class Believed(BaseModel):
    """From which confidence a field may be believed."""

    matter: str
    material: str
    edition: str
    field: str
    seen: int
    changed: int
    threshold: float = Field(description="Above 1: none is to be believed unseen")


class FiguresView(BaseModel):
    """All of it."""

    pace: list[Pace]
    findings: list[Frequent]
    misread: list[Misread]
    trust: list[Believed]


class Fault(BaseModel):
    """What was wrong with scans."""

    code: str
    message: str
    pages: int


class KioskView(BaseModel):
    """One kiosk, by the name of its key."""

    subject: str
    org: str
    seen_at: datetime | None
    waiting: int = Field(description="Files that wait to be read now")
    oldest: datetime | None
    line_waiting: int = Field(description="Files in the kiosk's own queue for the line, as it last reported")
    line_since: datetime | None = Field(description="Since when the oldest of them waits")
    line_told_at: datetime | None
    begun: int
    handed_in: int
    given_up: int
    pages: int
    rescans: int
    failed: int
    faults: list[Fault]
    states: list[kiosks.State]


class LineReport(BaseModel):
    """What waits for the line at a kiosk."""

    model_config = ConfigDict(extra="forbid")

    waiting: int = Field(ge=0, le=10_000, description="Files")
    oldest_seconds: int = Field(
        0, ge=0, le=366 * 86400, description="For how long the oldest waits; no clock is needed"
    )


class UserView(BaseModel):
    """An official, without secrets."""

    id: str
    name: str
    title: str
    org: str
    roles: list[str]
    created_at: datetime
    locked: bool
    disabled: bool
    elsewhere: bool = Field(description="Signs in at the OpenID Connect provider")


class NewUser(BaseModel):
    """An official to add."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=80, examples=["li.na"])
    title: str = Field("", max_length=80)
    org: str = Field(max_length=80)
    roles: list[str] = Field(max_length=20)


class Secrets(BaseModel):
    """What an official signs in with; shown this once, the password is changed at the first sign-in."""

    id: str
    name: str
    password: str
    totp_uri: str


class Enabled(BaseModel):
    """Whether an account is open."""

    enabled: bool


class RetentionView(BaseModel):
    """For how long a matter's content is kept, and how much is due to be erased."""

    matter: str
    draft_days: int
    refused_days: int
    finished_days: int
    original_days: int
    basis: str
    due: dict[str, int]


class SweptView(BaseModel):
    """What a sweep erased."""

    applications: int
    files: int
    waiting: int = Field(description="Files that are still to be deleted")


class WaitingView(BaseModel):
    """One application of the queue."""

    number: str
    matter: str
    status: str
    submitted_at: datetime
    due: date
    due_certain: bool = Field(description="False where the calendar of a year is not published yet")
    working_days_left: int
    light: Literal["green", "yellow", "red"]
    findings: int = Field(description="That block or must be mended")
    held_by: str | None
    mine: bool
    own: bool = Field(description="Handed in by the caller, who cannot decide on it")


class Claimed(BaseModel):
    """Whether there is something to decide, held for the caller from now on."""

    held: bool


@router.get("/figures", responses=problems(401, 403, 422), summary="Figures")
def show_figures(ctx: Ctx, who: Who, days: Annotated[int, Query(ge=1, le=730)] = 90) -> FiguresView:
    """Time to decision, first-pass rate, findings by rule, corrections by field. Roles: approver, auditor."""
    found = figures.figures(ctx, who, days)
    rules = [Frequent(code=code, matter=matter, applications=count) for code, matter, count in found.findings]
    return FiguresView.model_validate(
        {"pace": found.pace, "findings": rules, "misread": found.misread, "trust": found.trust}, from_attributes=True
    )


@router.get("/kiosks", responses=problems(401, 403, 422), summary="Kiosk health")
def health(ctx: Ctx, who: Who, days: Annotated[int, Query(ge=1, le=365)] = 7) -> list[KioskView]:
    """When each was last there, what waits, what failed. Roles: clerk (own office), auditor, admin."""
    return [_kiosk(item) for item in kiosks.health(ctx, who, days)]


@router.post("/kiosks/line", status_code=204, responses=problems(401, 403, 422), summary="Report what waits at a kiosk")
def report_line(body: LineReport, ctx: Ctx, who: Who) -> None:
    """The caller's own queue for the line; the last report counts. Role: kiosk."""
    kiosks.report_line(ctx, who, body.waiting, body.oldest_seconds)


@router.get("/users", response_model=list[UserView], responses=problems(401, 403), summary="List officials")
def list_users(ctx: Ctx, who: Who) -> list[users.UserView]:
    """Without secrets. Role: admin."""
    return users.list_users(ctx, who)


@router.post(
    "/users", status_code=201, response_model=Secrets, responses=problems(401, 403, 409, 422), summary="Add an official"
)
def add_user(body: NewUser, ctx: Ctx, who: Who, response: Response) -> users.NewUser:
    """The secrets are in the answer this once; give them to the person alone. Role: admin."""
    response.headers["Cache-Control"] = "no-store"
    return users.add_user(ctx, who, body.name.strip(), body.title, body.org.strip(), body.roles)


@router.post(
    "/users/{user_id}/secrets", response_model=Secrets, responses=problems(401, 403, 404, 409), summary="New secrets"
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
def set_enabled(user_id: UserId, body: Enabled, ctx: Ctx, who: Who) -> None:
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


@router.get("/retention", responses=problems(401, 403), summary="Retention")
def retention(ctx: Ctx, who: Who) -> list[RetentionView]:
    """How long each matter's content is kept, and what is due. Role: admin."""
    return [
        RetentionView(
            matter=item.matter.id,
            draft_days=item.rules.draft_days,
            refused_days=item.rules.refused_days,
            finished_days=item.rules.finished_days,
            original_days=item.rules.original_days,
            basis=item.rules.basis,
            due=item.due,
        )
        for item in erasing.rules(ctx, who)
    ]


@router.post("/retention/sweep", responses=problems(401, 403), summary="Erase what is due")
def sweep(ctx: Ctx, who: Who) -> SweptView:
    """Happens by itself every hour; here at once. Role: admin."""
    who.require("manage_retention")
    found = erasing.sweep(ctx, who)
    return SweptView(applications=found.applications, files=found.files, waiting=found.waiting)


@router.get("/queue", responses=problems(401, 403), summary="What waits for a decision")
def queue(ctx: Ctx, who: Who) -> list[WaitingView]:
    """The most urgent first, with the working-day clock. Roles: reviewer, approver."""
    return [_waiting(item) for item in workbench.queue(ctx, who)]


@router.put(
    "/applications/{number}/claim",
    responses=problems(401, 403, 404, 409),
    summary="Take an application",
)
def claim(number: Number, ctx: Ctx, who: Who) -> Claimed:
    """For twenty minutes from now, so that two do not work on one. Roles: reviewer, approver."""
    return Claimed(held=workbench.claim(ctx, who, number))


@router.delete(
    "/applications/{number}/claim", status_code=204, responses=problems(401, 403, 404), summary="Put it back"
)
def put_back(number: Number, ctx: Ctx, who: Who) -> None:
    """Others can take it. Roles: reviewer, approver."""
    workbench.put_back(ctx, who, number)


def _kiosk(kiosk: kiosks.Kiosk) -> KioskView:
    faults = [Fault(code=code, message=message, pages=pages) for code, message, pages in kiosk.faults]
    told = {name: getattr(kiosk, name) for name in KioskView.model_fields if name != "faults"}
    return KioskView.model_validate({**told, "faults": faults})


def _waiting(item: workbench.Waiting) -> WaitingView:
    told = {name: item.view[name] for name in ("number", "matter", "status", "submitted_at")}
    clock = {"due": item.term.due.on, "due_certain": item.term.due.certain, "working_days_left": item.term.left}
    hold = {"held_by": item.by, "mine": item.mine, "own": item.own}
    return WaitingView.model_validate({**told, **clock, **hold, "light": item.term.light, "findings": item.findings})
