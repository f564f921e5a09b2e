"""What an applicant may see without signing in: by the follow code all that concerns them, by the number the stage."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.flow.applications.pickup import pickup_code
from docproc.flow.applications.views import NoticeView, newest_notice
from docproc.flow.core import views
from docproc.flow.core.context import Context
from docproc.lifecycle import FINAL, STATUS_ZH, Status
from docproc.matter.load import find_matter
from docproc.store.applications import applications, pages
from docproc.store.counter import custody
from docproc.store.licences import licences
from docproc.store.tables.applications import ApplicationRow
from docproc.store.wallet import shares

STAGES: tuple[tuple[Status, ...], ...] = (("submitted",), ("accepted",), ("approved",), ("issued",))
"""Stages of an application that goes well, in order."""


class Stage(TypedDict):
    """How far an application is, without a word on persons or papers."""

    number: str
    matter: str
    authority: str
    decide_working_days: int
    status: Status
    status_zh: str
    stage: int
    """Place in :data:`STAGES`."""
    over: bool
    submitted_at: datetime | None
    updated_at: datetime


class Problem(TypedDict):
    """What an applicant has to correct."""

    message: str
    basis: str


class IssuedLicence(views.PublicLicence):
    """The licence that an application led to."""

    code: str


class Followed(Stage):
    """All that concerns the applicant."""

    reason: str
    basis: str
    findings: list[Problem]
    notice: NoticeView | None
    pickup_code: str | None
    licence: IssuedLicence | None


def progress(ctx: Context, number: str) -> Stage:
    """How far an application is; numbers can be guessed, so nothing about the person or the papers is disclosed.

    Raises:
        NotFoundError: no such application, or it was never submitted.
    """
    with ctx.database.read() as session:
        row = applications.find_application(session, number.strip().upper())
        if row.submitted_at is None:
            raise NotFoundError(f"application {number!r} was not handed in", message_zh="没有这个办件")
        return _stage(row)


def follow(ctx: Context, code: str) -> Followed:
    """All that concerns the applicant: stage, what is to be corrected, the licence.

    Raises:
        NotFoundError: no application has this code.
    """
    with ctx.database.read() as session:
        row = shares.followed(session, code)
        decisions = applications.decisions_of(session, row.number)
        last = decisions[-1] if decisions else None
        told = last if last is not None and row.status in ("returned", "rejected") else None
        findings = [item for _, item in pages.findings_of(session, row.number)] if row.status == "returned" else []
        return {
            **_stage(row),
            "reason": told.reason if told is not None else "",
            "basis": told.basis if told is not None else "",
            "findings": [
                {"message": item.message, "basis": item.basis} for item in findings if item.severity in ("block", "fix")
            ],
            "notice": newest_notice(session, row.number),
            **_result(ctx, session, row.number, code),
        }


class _Result(TypedDict):
    pickup_code: str | None
    licence: IssuedLicence | None


def _result(ctx: Context, session: Session, number: str, code: str) -> _Result:
    """The licence once it is sealed, and the code to pick it up by until that is done."""
    row = licences.licence_of_application(session, number)
    if row is None or row.sha256 is None:
        return {"pickup_code": None, "licence": None}
    picked_up = custody.count(session, number, "handed_over")
    return {
        "pickup_code": None if picked_up else pickup_code(code, row.number),
        "licence": {**views.public_licence(row, ctx.today()), "code": row.code},
    }


def _stage(row: ApplicationRow) -> Stage:
    matter = find_matter(row.matter)
    return {
        "number": row.number,
        "matter": matter.name,
        "authority": matter.authority,
        "decide_working_days": matter.clock.decide_working_days,
        "status": row.status,
        "status_zh": STATUS_ZH[row.status],
        "stage": next((place for place, those in enumerate(STAGES) if row.status in those), 0),
        "over": row.status in FINAL,
        "submitted_at": row.submitted_at,
        "updated_at": row.updated_at,
    }
