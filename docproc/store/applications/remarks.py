"""Queries on citizens' remarks on what was read; nothing is committed here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.applications import CorrectionRow, PageRow, RemarkRow


def put(session: Session, page_id: str, index: int, field: str, said: str, by: str, at: datetime) -> None:
    """Insert a remark in place of an earlier one on the same field."""
    remove(session, page_id, index, field)
    session.add(RemarkRow(page_id=page_id, index=index, field=field, said=said, by=by, at=at))
    session.flush()


def remove(session: Session, page_id: str, index: int, field: str) -> bool:
    """Delete the remark on a field; ``False`` where there is none."""
    row = find(session, page_id, index, field)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def find(session: Session, page_id: str, index: int, field: str) -> RemarkRow | None:
    """The remark on a field."""
    query = sa.select(RemarkRow).where(RemarkRow.page_id == page_id, RemarkRow.index == index, RemarkRow.field == field)
    return session.scalars(query).one_or_none()


def remarks_of(session: Session, application: str) -> list[RemarkRow]:
    """Remarks on an application's live files."""
    query = (
        sa.select(RemarkRow)
        .join(PageRow, PageRow.id == RemarkRow.page_id)
        .where(PageRow.application == application, PageRow.removed_at.is_(None))
        .order_by(RemarkRow.id)
    )
    return list(session.scalars(query))


def unsettled(remarks: Sequence[RemarkRow], edits: Sequence[CorrectionRow]) -> list[RemarkRow]:
    """Remarks after which no official corrected or confirmed the field."""
    newest = {(edit.page_id, edit.index, edit.field): edit.at for edit in edits}
    return [row for row in remarks if (at := newest.get((row.page_id, row.index, row.field))) is None or at < row.at]
