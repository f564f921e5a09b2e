"""Queries on what persons say that pages are; nothing is committed here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.domain import PageReading, Said
from docproc.store.codec import reading_to_json
from docproc.store.tables.applications import AssignmentRow, CorrectionRow, PageRow, ReadingRow, RemarkRow


def add_assignment(
    session: Session, page_id: str, index: int, said: Said, by: str, at: datetime, *, followed: bool
) -> AssignmentRow:
    """Keep what a person says a page is; the application must be locked."""
    row = AssignmentRow(
        page_id=page_id, index=index, material=said.material, side=said.page, by=by, at=at, followed=followed
    )
    session.add(row)
    session.flush()
    return row


def newest_of(session: Session, application: str) -> dict[tuple[str, int], AssignmentRow]:
    """What was said last of each page of an application's live files, by file and index."""
    query = (
        sa.select(AssignmentRow)
        .join(PageRow, PageRow.id == AssignmentRow.page_id)
        .where(PageRow.application == application, PageRow.removed_at.is_(None))
        .order_by(AssignmentRow.id)
    )
    return {(row.page_id, row.index): row for row in session.scalars(query)}


def pending(session: Session, page_id: str) -> list[AssignmentRow]:
    """What was said last of pages of a file that were not read as that since, in the order it was said."""
    query = sa.select(AssignmentRow).where(AssignmentRow.page_id == page_id).order_by(AssignmentRow.id)
    newest = {row.index: row for row in session.scalars(query)}
    return sorted((row for row in newest.values() if not row.followed), key=lambda row: row.id)


def mark_followed(session: Session, ids: Iterable[int]) -> None:
    """Note that pages were read as what was said of them."""
    query = sa.update(AssignmentRow).where(AssignmentRow.id.in_(list(ids))).values(followed=True)
    session.execute(query, execution_options={"synchronize_session": "fetch"})


def replace_reading(session: Session, page_id: str, reading: PageReading) -> None:
    """Put a new reading in the place of a page's old one; what persons entered or remarked there is dropped."""
    for table in (CorrectionRow, RemarkRow, ReadingRow):
        session.execute(sa.delete(table).where(table.page_id == page_id, table.index == reading.index))
    session.flush()
    body = reading_to_json(reading)
    session.add(ReadingRow(page_id=page_id, index=reading.index, material=reading.material, body=body))
    session.flush()
