"""Queries on pictures for the screen; nothing is committed here."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.store.tables.applications import PageRow, PreviewRow


def add_previews(session: Session, rows: list[PreviewRow]) -> None:
    """Store the pictures of a file's pages; existing ones stay."""
    for row in rows:
        if session.get(PreviewRow, (row.page_id, row.index)) is None:
            session.add(row)
    session.flush()


def has_previews(session: Session, page_id: str) -> bool:
    """Whether a file has its pictures."""
    return session.scalar(sa.select(PreviewRow.index).where(PreviewRow.page_id == page_id).limit(1)) is not None


def drawn_among(session: Session, page_ids: Collection[str]) -> set[str]:
    """Which of some files have a picture of their first page."""
    query = sa.select(PreviewRow.page_id).where(PreviewRow.page_id.in_(page_ids), PreviewRow.index == 0)
    return set(session.scalars(query))


def find_preview(session: Session, page_id: str, index: int) -> PreviewRow:
    """The pictures of one page.

    Raises:
        NotFoundError: they were not made (yet).
    """
    row = session.get(PreviewRow, (page_id, index))
    if row is None:
        raise NotFoundError(f"page {page_id!r} has no preview {index}", message_zh="没有这一页的预览图")
    return row


def previews_of(session: Session, application: str) -> list[PreviewRow]:
    """The pictures of every live file of an application."""
    query = (
        sa.select(PreviewRow)
        .join(PageRow, PageRow.id == PreviewRow.page_id)
        .where(PageRow.application == application, PageRow.removed_at.is_(None))
        .order_by(PageRow.position, PreviewRow.index)
    )
    return list(session.scalars(query))
