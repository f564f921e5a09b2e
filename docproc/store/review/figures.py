"""Figures on the service's work; nothing is committed here."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.codec import reading_from_json
from docproc.store.tables.applications import ApplicationRow, CorrectionRow, FindingRow, PageRow, ReadingRow
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.review import DecisionRow

READ_BY_A_PERSON = ("", "misread")
"""Kinds of corrections that say that the machine was wrong; the empty one may."""


def decided(session: Session, org: str | None, since: datetime) -> list[tuple[str, str, datetime, datetime, bool]]:
    """Final decisions: number, matter, when first submitted, when decided, and whether it had been returned before."""
    first = (
        sa.select(sa.func.min(AuditRow.at))
        .where(AuditRow.action == "application.submitted", AuditRow.subject == ApplicationRow.number)
        .correlate(ApplicationRow)
        .scalar_subquery()
    )
    returned = sa.exists().where(DecisionRow.application == ApplicationRow.number, DecisionRow.action == "return")
    query = (
        sa.select(
            ApplicationRow.number, ApplicationRow.matter, first, DecisionRow.at, returned.correlate(ApplicationRow)
        )
        .join(DecisionRow, DecisionRow.application == ApplicationRow.number)
        .where(DecisionRow.action.in_(("approve", "reject")), DecisionRow.at >= since)
    )
    if org is not None:
        query = query.where(ApplicationRow.org == org)
    rows = session.execute(query)
    return [(number, matter, begun, at, bool(back)) for number, matter, begun, at, back in rows if begun is not None]


def findings(session: Session, org: str | None, since: datetime, limit: int = 30) -> list[tuple[str, str, int]]:
    """Rule, matter and number of applications that it currently applies to, most frequent first."""
    count = sa.func.count(sa.distinct(FindingRow.application))
    query = (
        sa.select(FindingRow.code, ApplicationRow.matter, count)
        .join(ApplicationRow, ApplicationRow.number == FindingRow.application)
        .where(ApplicationRow.created_at >= since, FindingRow.severity.in_(("block", "fix")))
        .group_by(FindingRow.code, ApplicationRow.matter)
        .order_by(count.desc(), FindingRow.code)
        .limit(limit)
    )
    if org is not None:
        query = query.where(ApplicationRow.org == org)
    return [(code, matter, number) for code, matter, number in session.execute(query)]


def corrections(
    session: Session, org: str | None, since: datetime, limit: int = 30
) -> list[tuple[str, str, str, int, int]]:
    """Matter, material, field, pages on which a person read it otherwise, pages of the material that were read."""
    read = (
        sa.select(ApplicationRow.matter, ReadingRow.material, sa.func.count().label("pages"))
        .join(PageRow, PageRow.id == ReadingRow.page_id)
        .join(ApplicationRow, ApplicationRow.number == PageRow.application)
        .where(PageRow.uploaded_at >= since)
        .group_by(ApplicationRow.matter, ReadingRow.material)
    )
    place = sa.distinct(CorrectionRow.page_id + sa.literal("/") + sa.cast(CorrectionRow.index, sa.String))
    count = sa.func.count(place)
    fixed = (
        sa.select(ApplicationRow.matter, ReadingRow.material, CorrectionRow.field, count)
        .join(ReadingRow, (ReadingRow.page_id == CorrectionRow.page_id) & (ReadingRow.index == CorrectionRow.index))
        .join(PageRow, PageRow.id == CorrectionRow.page_id)
        .join(ApplicationRow, ApplicationRow.number == PageRow.application)
        .where(PageRow.uploaded_at >= since, ReadingRow.material.is_not(None), CorrectionRow.kind.in_(READ_BY_A_PERSON))
        .group_by(ApplicationRow.matter, ReadingRow.material, CorrectionRow.field)
        .order_by(count.desc())
        .limit(limit)
    )
    if org is not None:
        read, fixed = read.where(ApplicationRow.org == org), fixed.where(ApplicationRow.org == org)
    pages = {(matter, material): number for matter, material, number in session.execute(read)}
    return [
        (matter, str(material), field, number, pages[matter, material])
        for matter, material, field, number in session.execute(fixed)
    ]


def reviewed(
    session: Session, org: str | None, since: datetime, limit: int = 1000
) -> list[tuple[str, str, str, str, float, bool]]:
    """Fields that officials decided on: matter, material, edition, name, confidence, whether a person changed it.

    Taken from the newest pages, at most ``limit``; the edition is empty for documents that are not our forms.
    """
    decided_ = sa.exists().where(
        DecisionRow.application == ApplicationRow.number, DecisionRow.action.in_(("approve", "reject"))
    )
    query = (
        sa.select(ApplicationRow.matter, ReadingRow)
        .join(PageRow, PageRow.id == ReadingRow.page_id)
        .join(ApplicationRow, ApplicationRow.number == PageRow.application)
        .where(PageRow.uploaded_at >= since, ReadingRow.material.is_not(None), PageRow.removed_at.is_(None), decided_)
        .order_by(PageRow.uploaded_at.desc())
        .limit(limit)
    )
    if org is not None:
        query = query.where(ApplicationRow.org == org)
    rows = [(matter, row) for matter, row in session.execute(query)]
    pages = {row.page_id for _, row in rows}
    edits = {
        (edit.page_id, edit.index, edit.field): edit.value
        for edit in session.scalars(
            sa.select(CorrectionRow)
            .where(CorrectionRow.page_id.in_(pages), CorrectionRow.kind != "changed")
            .order_by(CorrectionRow.id)
        )
    }
    found = []
    for matter, row in rows:
        reading = reading_from_json(row.body)
        for name, item in reading.fields.items():
            value = edits.get((row.page_id, row.index, name), item.value)
            if item.value is not None:  # where the machine abstained nothing was believed
                place = (matter, str(row.material), reading.edition or "", name)
                found.append((*place, item.confidence, value != item.value))
    return found
