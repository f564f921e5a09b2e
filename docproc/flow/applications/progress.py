"""What an applicant may see without signing in: by the follow code all that concerns them, by the number the stage."""

from __future__ import annotations

from typing import Any

from docproc.errors import NotFoundError
from docproc.flow.applications.pickup import pickup_code
from docproc.flow.core import views
from docproc.flow.core.context import Context
from docproc.lifecycle import FINAL, STATUS_ZH, Status
from docproc.matter.load import find_matter
from docproc.store.applications import applications, notices, pages
from docproc.store.counter import custody
from docproc.store.licences import licences
from docproc.store.tables.applications import ApplicationRow
from docproc.store.wallet import shares

STAGES: tuple[tuple[Status, ...], ...] = (("submitted",), ("accepted",), ("approved",), ("issued",))
"""Stages of an application that goes well, in order."""


def progress(ctx: Context, number: str) -> dict[str, Any]:
    """How far an application is; numbers can be guessed, so it tells nothing about the person or the papers.

    Raises:
        NotFoundError: no such application, or it was never handed in.
    """
    with ctx.database.read() as session:
        row = applications.find_application(session, number.strip().upper())
        if row.submitted_at is None:
            raise NotFoundError(f"application {number!r} was not handed in", message_zh="没有这个办件")
        return _stage(row)


def follow(ctx: Context, code: str) -> dict[str, Any]:
    """All that concerns the applicant: stage, what is to be corrected, the licence.

    Raises:
        NotFoundError: no application has this code.
    """
    with ctx.database.read() as session:
        row = shares.followed(session, code)
        decisions = applications.decisions_of(session, row.number)
        last = decisions[-1] if decisions else None
        told = last if last is not None and row.status in ("returned", "rejected") else None
        licence = licences.licence_of_application(session, row.number)
        done = licence is not None and licence.sha256 is not None
        notice = views.notice(notices.newest(session, row.number))
        findings = [item for _, item in pages.findings_of(session, row.number)] if row.status == "returned" else []
        return {
            **_stage(row),
            "reason": told.reason if told is not None else "",
            "basis": told.basis if told is not None else "",
            "findings": [
                {"message": f.message, "basis": f.basis} for f in findings if f.severity in ("block", "fix")
            ],
            "notice": notice,
            "pickup_code": pickup_code(code, licence.number)
            if licence is not None and done and not custody.count(session, row.number, "handed_over")
            else None,
            "licence": {
                **views.public_licence(licence, ctx.today()), "code": licence.code
            } if licence is not None and done else None,
        }  # fmt: skip


def _stage(row: ApplicationRow) -> dict[str, Any]:
    matter = find_matter(row.matter)
    return {
        "number": row.number,
        "matter": matter.name,
        "authority": matter.authority,
        "decide_working_days": matter.clock.decide_working_days,
        "status": row.status,
        "status_zh": STATUS_ZH[row.status],  # type: ignore[index]
        "stage": next((place for place, those in enumerate(STAGES) if row.status in those), 0),
        "over": row.status in FINAL,
        "submitted_at": row.submitted_at,
        "updated_at": row.updated_at,
    }
