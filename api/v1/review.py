"""What officials do with applications: queue, claims, acceptance, decision, release of the seal, and figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, OnceJson, Who
from api.kit.problems import problems
from api.v1.applications.applications import Number
from api.v1.schemas import applications as schemas
from api.v1.schemas import review as review_schemas
from docproc.flow.applications import notices
from docproc.flow.applications.views import ApplicationView, NoticeView
from docproc.flow.review import decisions, figures, workbench

router = APIRouter(route_class=HeadFirst, prefix="/v1/applications", tags=["decisions"])
work = APIRouter(route_class=HeadFirst, prefix="/v1", tags=["administration"])
_PROBLEMS = problems(401, 403, 404, 409, 422)


@router.post("/{number}/accept", response_model=schemas.ApplicationView, responses=_PROBLEMS, summary="Accept (受理)")
def accept(number: Number, body: schemas.Version, ctx: Ctx, who: Who, once: OnceJson) -> ApplicationView:
    """Roles: reviewer, approver; never who handed it in."""
    return decisions.accept(ctx, who, number, body.version, once)


@router.post(
    "/{number}/decisions",
    status_code=201,
    response_model=schemas.ApplicationView,
    responses=_PROBLEMS,
    summary="Approve, return (补正) or reject",
)
def decide(number: Number, body: schemas.NewDecision, ctx: Ctx, who: Who, once: OnceJson) -> ApplicationView:
    """Decide on what was seen: `version` and `content_sha256` of the view.

    Of two who decide at once one gets 409. An approval needs a finished check and
    no `block` finding; each finding that is `fix` or `look` must be set aside by its code, with a
    reason. Every required paper must be there: recognised, or named by a person (`claimed`) and
    listed in `confirmed` by the official who looked at it; else 409 `missing_paper` or
    `unconfirmed_paper`.

    In a joint approval this is the opinion of the caller's department: one `reject`
    rejects; once all have spoken, what they want corrected is joined into one `return`,
    and what all approve is approved.
    """
    seen = decisions.Seen(body.version, body.content_sha256)
    return decisions.decide(
        ctx,
        who,
        number,
        body.action,
        seen,
        reason=body.reason,
        basis=body.basis,
        set_aside=body.set_aside,
        confirmed=body.confirmed,
        once=once,
    )


@router.get(
    "/{number}/notice.pdf", response_class=Response, responses=problems(401, 403, 404), summary="The sealed notice"
)
def notice(number: Number, ctx: Ctx, who: Who) -> Response:
    """一次性告知书 of the newest return, as sealed PDF; 404 until it is sealed. It verifies like a licence."""
    return notice_pdf(number, notices.notice_file(ctx, who, number))


@router.post(
    "/{number}/notice/seal", response_model=schemas.NoticeView, responses=_PROBLEMS, summary="Seal the notice again"
)
def seal_notice(number: Number, ctx: Ctx, who: Who) -> NoticeView:
    """Try again after sealing the notice failed; while the TSA is down that happens by itself. Who may return may."""
    return notices.seal_again(ctx, who, number)


@router.post(
    "/{number}/release", response_model=schemas.ApplicationView, responses=_PROBLEMS, summary="Release the seal"
)
def release(number: Number, body: schemas.Version, ctx: Ctx, who: Who, once: OnceJson) -> ApplicationView:
    """Let an approved licence be sealed, or try again after sealing failed. Role: sealer; never who approved."""
    return decisions.release(ctx, who, number, body.version, once)


def notice_pdf(number: str, data: bytes) -> Response:
    """A sealed notice as a response."""
    headers = {"Content-Disposition": f'inline; filename="notice-{number}.pdf"', "Cache-Control": "no-store"}
    return Response(data, media_type="application/pdf", headers=headers)


@work.get("/figures", responses=problems(401, 403, 422), summary="Figures")
def show_figures(ctx: Ctx, who: Who, days: Annotated[int, Query(ge=1, le=730)] = 90) -> review_schemas.FiguresView:
    """Time to decision, first-pass rate, findings by rule, corrections by field. Roles: approver, auditor."""
    found = figures.figures(ctx, who, days)
    rules = [
        review_schemas.Frequent(code=code, matter=matter, applications=count) for code, matter, count in found.findings
    ]
    return review_schemas.FiguresView.model_validate(
        {"pace": found.pace, "findings": rules, "misread": found.misread, "trust": found.trust}, from_attributes=True
    )


@work.get("/queue", responses=problems(401, 403), summary="What waits for a decision")
def queue(ctx: Ctx, who: Who) -> list[review_schemas.WaitingView]:
    """The most urgent first, with the working-day clock. Roles: reviewer, approver."""
    return [_waiting(item) for item in workbench.queue(ctx, who)]


@work.put(
    "/applications/{number}/claim",
    responses=problems(401, 403, 404, 409),
    summary="Take an application",
)
def claim(number: Number, ctx: Ctx, who: Who) -> review_schemas.Claimed:
    """For twenty minutes from now, so that two do not work on one. Roles: reviewer, approver."""
    return review_schemas.Claimed(held=workbench.claim(ctx, who, number))


@work.delete("/applications/{number}/claim", status_code=204, responses=problems(401, 403, 404), summary="Put it back")
def put_back(number: Number, ctx: Ctx, who: Who) -> None:
    """Others can take it. Roles: reviewer, approver."""
    workbench.put_back(ctx, who, number)


def _waiting(item: workbench.Waiting) -> review_schemas.WaitingView:
    told = {name: item.view[name] for name in ("number", "matter", "status", "submitted_at", "verdict")}
    clock = {"due": item.term.due.on, "due_certain": item.term.due.certain, "working_days_left": item.term.left}
    hold = {"held_by": item.by, "mine": item.mine, "own": item.own}
    return review_schemas.WaitingView.model_validate(
        {**told, **clock, **hold, "light": item.term.light, "findings": item.findings, "looks": item.looks}
    )
