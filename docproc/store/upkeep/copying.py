"""Copy an approved application, for measurements with many of them; nothing is committed here."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.applications import (
    ApplicationRow,
    AssignmentRow,
    CorrectionRow,
    FindingRow,
    PageRow,
    ReadingRow,
    RemarkRow,
)
from docproc.store.tables.base import Base
from docproc.store.tables.review import DecisionRow
from docproc.store.wallet import shares


def copy_application(session: Session, number: str, to: str) -> DecisionRow:
    """Copy an application with its files, readings, findings and one decision; returns the copy's decision."""
    session.add(_like(session.get_one(ApplicationRow, number), number=to))
    session.flush()
    shares.add_follow_code(session, to)
    for page in session.scalars(sa.select(PageRow).where(PageRow.application == number)):
        made = secrets.token_hex(16)
        session.add(_like(page, id=made, application=to))
        session.flush()
        for reading in session.scalars(sa.select(ReadingRow).where(ReadingRow.page_id == page.id)):
            session.add(_like(reading, page_id=made))
        session.flush()
        for table in (CorrectionRow, RemarkRow, AssignmentRow):
            for said in session.scalars(sa.select(table).where(table.page_id == page.id)):
                session.add(_like(said, id=None, page_id=made))
    for finding in session.scalars(sa.select(FindingRow).where(FindingRow.application == number)):
        session.add(_like(finding, id=None, application=to, page_id=None))
    decision = session.scalars(sa.select(DecisionRow).where(DecisionRow.application == number)).one()
    made_decision: DecisionRow = _like(decision, id=secrets.token_hex(16), application=to)
    session.add(made_decision)
    session.flush()
    return made_decision


def count_doubled(session: Session) -> int:
    """Number of licences beyond one per application, and of files beyond one per licence."""
    more = "SELECT COALESCE(SUM(n - 1), 0) FROM (SELECT COUNT(*) AS n FROM {} GROUP BY {}) AS counted"
    asked = (("licences", "application"), ("licence_files", "licence"))
    return sum(int(session.scalar(sa.text(more.format(*item))) or 0) for item in asked)


def _like(row: Base, **changes: Any) -> Any:
    names = (item.key for item in sa.inspect(type(row)).column_attrs)
    return type(row)(**{name: getattr(row, name) for name in names} | changes)
