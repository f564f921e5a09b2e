"""What an applicant may see without signing in: by the follow code all that concerns them, by the number the stage."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.flow.applications import corrections
from docproc.flow.applications.corrections import ChangeView
from docproc.flow.applications.pickup import PickupState, pickup_state
from docproc.flow.applications.views import NoticeView, newest_notice
from docproc.flow.core import reads, views
from docproc.flow.core.context import Context
from docproc.flow.core.views import KnownStatus
from docproc.lifecycle import FINAL, STATUS_ZH, Status
from docproc.matter.load import find_matter
from docproc.store.applications import applications
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
    standing: KnownStatus | None
    """Status of the licence; ``None`` before there is one."""
    standing_zh: str
    submitted_at: datetime | None
    updated_at: datetime


class IssuedLicence(views.PublicLicence):
    """The licence that an application led to."""

    code: str
    offered: bool
    """It is in force, so its file is offered as the licence."""
    since: str | None
    """When its status was changed by an order; ``None`` where it was not, and once it is in force again."""
    reason: str
    """Of the order."""
    basis: str


class Followed(Stage):
    """All that concerns the applicant."""

    reason: str
    basis: str
    matter_id: str
    changes: list[ChangeView]
    """Values that an official put in place of what the applicant wrote."""
    notice: NoticeView | None
    pickup: PickupState | None
    """Of the printed licence, once there is one."""
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
        return _stage(ctx, session, row)


def follow(ctx: Context, code: str) -> Followed:
    """All that concerns the applicant: stage, what is to be corrected, the licence.

    Raises:
        NotFoundError: no application has this code.
    """
    with ctx.database.read() as session:
        row = shares.followed(session, code)
        reads.note(None, "progress", row.number, by="receipt", purpose="own")
        decisions = applications.decisions_of(session, row.number)
        last = decisions[-1] if decisions else None
        told = last if last is not None and row.status in ("returned", "rejected") else None
        return {
            **_stage(ctx, session, row),
            "reason": told.reason if told is not None else "",
            "basis": told.basis if told is not None else "",
            "matter_id": row.matter,
            "changes": corrections.changes_of(session, row),
            "notice": newest_notice(session, row.number),
            **_result(ctx, session, row.number),
        }


class _Result(TypedDict):
    pickup: PickupState | None
    licence: IssuedLicence | None


def _result(ctx: Context, session: Session, number: str) -> _Result:
    """The licence once it is sealed, and what is told of the code to pick it up by."""
    row = licences.licence_of_application(session, number)
    if row is None or row.sha256 is None:
        return {"pickup": None, "licence": None}
    known = views.public_licence(row, ctx.today())
    order = licences.last_event(session, row.number) if row.status != "valid" else None
    return {
        "pickup": pickup_state(ctx, session, number),
        "licence": {
            **known,
            "code": row.code,
            "offered": known["status"] == "valid",
            "since": views.iso(order.at) if order is not None else None,
            "reason": order.reason if order is not None else "",
            "basis": order.basis if order is not None else "",
        },
    }


def _stage(ctx: Context, session: Session, row: ApplicationRow) -> Stage:
    matter = find_matter(row.matter)
    standing = views.standing_of_application(session, row.number, ctx.today())
    return {
        "number": row.number,
        "matter": matter.name,
        "authority": matter.authority,
        "decide_working_days": matter.clock.decide_working_days,
        "status": row.status,
        "status_zh": STATUS_ZH[row.status],
        "stage": next((place for place, those in enumerate(STAGES) if row.status in those), 0),
        "over": row.status in FINAL,
        "standing": standing,
        "standing_zh": views.LICENCE_ZH[standing] if standing is not None else "",
        "submitted_at": row.submitted_at,
        "updated_at": row.updated_at,
    }
