"""Queries for retention rules: what is due, erasing content, blobs to be deleted; nothing is committed here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.applications import notices
from docproc.store.counter import custody, pickup
from docproc.store.tables.applications import (
    ApplicationRow,
    AssignmentRow,
    CorrectionRow,
    FindingRow,
    NoticeRow,
    PageRow,
    PreviewRow,
    ReadingRow,
    RemarkRow,
)
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.licences import LicenceFileRow
from docproc.store.tables.upkeep import ErasureRow

CONTENT, ORIGINALS = "application.erased", "originals.erased"


def due_content(
    session: Session, matter: str, statuses: Sequence[str], before: datetime, *, handed_in: bool | None, limit: int
) -> list[str]:
    """Applications whose content is due for erasure: unchanged since the time, in these statuses, oldest first."""
    query = sa.select(ApplicationRow.number).where(
        ApplicationRow.matter == matter,
        ApplicationRow.status.in_(statuses),
        ApplicationRow.updated_at < before,
        ApplicationRow.erased_at.is_(None),
    )
    if handed_in is not None:
        given = ApplicationRow.submitted_at
        query = query.where(given.is_not(None) if handed_in else given.is_(None))
    return list(session.scalars(query.order_by(ApplicationRow.updated_at).limit(limit)))


def due_originals(session: Session, matter: str, before: datetime, limit: int) -> list[str]:
    """Finished applications whose uploaded files are due for erasure."""
    there = sa.exists().where(PageRow.application == ApplicationRow.number, PageRow.erased_at.is_(None))
    query = sa.select(ApplicationRow.number).where(
        ApplicationRow.matter == matter, ApplicationRow.status == "issued", ApplicationRow.updated_at < before, there
    )
    return list(session.scalars(query.order_by(ApplicationRow.updated_at).limit(limit)))


def take_content(session: Session, number: str) -> set[str]:
    """Delete an application's readings, what persons said of them, findings and pictures; returns blob keys."""
    mine = sa.select(PageRow.id).where(PageRow.application == number)
    keys: set[str] = set()
    for view, thumb in session.execute(
        sa.select(PreviewRow.view_sha256, PreviewRow.thumb_sha256).where(PreviewRow.page_id.in_(mine))
    ):
        keys |= {view, thumb}
    for table in (PreviewRow, CorrectionRow, RemarkRow, AssignmentRow, ReadingRow):
        session.execute(sa.delete(table).where(table.page_id.in_(mine)))
    session.execute(sa.delete(FindingRow).where(FindingRow.application == number))
    custody.forget_names(session, number)
    pickup.drop_code(session, number)
    return keys | notices.take_away(session, number)


def take_originals(session: Session, number: str, at: datetime) -> tuple[list[str], set[str]]:
    """Release an application's uploaded files; returns their ids and blob keys. The rows stay, without file names."""
    rows = session.scalars(sa.select(PageRow).where(PageRow.application == number, PageRow.erased_at.is_(None))).all()
    for row in rows:
        row.erased_at, row.filename = at, ""
    session.flush()
    return sorted(row.id for row in rows), {row.sha256 for row in rows}


def want_gone(session: Session, keys: Collection[str], at: datetime) -> None:
    """Queue blobs for deletion."""
    for key in sorted(keys):
        if session.get(ErasureRow, key) is None:
            session.add(ErasureRow(sha256=key, since=at))
    session.flush()


def wanted_gone(session: Session, limit: int = 1000) -> list[str]:
    """Keys of blobs queued for deletion, oldest first."""
    return list(session.scalars(sa.select(ErasureRow.sha256).order_by(ErasureRow.since).limit(limit)))


def count_wanted(session: Session) -> int:
    """Number of blobs queued for deletion."""
    return session.scalar(sa.select(sa.func.count()).select_from(ErasureRow)) or 0


def lock_wanted(session: Session, key: str) -> bool:
    """Lock a queued blob until the transaction ends; ``False`` when it is no longer queued."""
    return session.get(ErasureRow, key, with_for_update=True) is not None


def settle(session: Session, keys: Collection[str]) -> None:
    """Remove blobs from the deletion queue: they are deleted, or were uploaded again."""
    session.execute(sa.delete(ErasureRow).where(ErasureRow.sha256.in_(keys)))


def is_named(session: Session, key: str) -> bool:
    """Whether a blob is still referred to by another upload, a picture or a licence."""
    return any(
        session.scalar(query.limit(1)) is not None
        for query in (
            sa.select(PageRow.id).where(PageRow.sha256 == key, PageRow.erased_at.is_(None)),
            sa.select(PreviewRow.page_id).where(sa.or_(PreviewRow.view_sha256 == key, PreviewRow.thumb_sha256 == key)),
            sa.select(LicenceFileRow.licence).where(LicenceFileRow.sha256 == key),
            sa.select(NoticeRow.decision).where(NoticeRow.sha256 == key, NoticeRow.state == "sealed"),
        )
    )


def contradictions(session: Session) -> Iterator[str]:
    """Erasures that are not in the audit log, and logged erasures that did not happen."""
    lines = session.scalars(sa.select(AuditRow).where(AuditRow.action.in_((CONTENT, ORIGINALS)))).all()
    logged_pages = {page for line in lines for page in line.detail["pages"]}
    logged = {line.subject for line in lines if line.action == CONTENT}
    pages = set(session.scalars(sa.select(PageRow.id).where(PageRow.erased_at.is_not(None))))
    applications = set(session.scalars(sa.select(ApplicationRow.number).where(ApplicationRow.erased_at.is_not(None))))
    for what, names in (("uploaded file", pages - logged_pages), ("application", applications - logged)):
        yield from (f"{what} {name}: erased, which the log does not know" for name in sorted(names))
    for what, names in (("uploaded file", logged_pages - pages), ("application", logged - applications)):
        yield from (f"{what} {name}: logged as erased, which it is not" for name in sorted(names))


def erased_keys(session: Session) -> Iterator[tuple[str, str]]:
    """Key and page of every erased file whose bytes must no longer exist."""
    wanted = sa.exists().where(ErasureRow.sha256 == PageRow.sha256)
    query = sa.select(PageRow.sha256, PageRow.id).where(PageRow.erased_at.is_not(None), ~wanted)
    for key, page in session.execute(query).all():
        if not is_named(session, key):
            yield key, page
