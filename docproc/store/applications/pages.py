"""Queries on uploaded files, their readings, corrections and findings; nothing is committed here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.domain import CorrectionKind, Field, Finding, PageReading, with_field
from docproc.errors import NotFoundError
from docproc.store.applications.remarks import remarks_of, unsettled
from docproc.store.codec import reading_from_json, reading_to_json
from docproc.store.tables.applications import ApplicationRow, CorrectionRow, FindingRow, PageRow, ReadingRow, RemarkRow

IS_WAITING = sa.text("pages.state = 'queued' AND pages.removed_at IS NULL")
"""Written as in its partial index: with the state as a parameter the database could not see that the index applies."""


def add_page(
    session: Session,
    application: ApplicationRow,
    *,
    sha256: str,
    size: int,
    filename: str,
    media_type: str,
    material: str,
    by: str,
    at: datetime,
    place: int,
) -> PageRow:
    """Insert an uploaded file at a place in the reading queue; the application must be locked."""
    last = session.scalar(sa.select(sa.func.max(PageRow.position)).where(PageRow.application == application.number))
    row = PageRow(
        id=uuid4().hex,
        application=application.number,
        position=(last or 0) + 1,
        filename=filename,
        media_type=media_type,
        size=size,
        sha256=sha256,
        material_hint=material,
        state="queued",
        error_code="",
        uploaded_at=at,
        uploaded_by=by,
        place=place,
    )
    session.add(row)
    session.flush()
    return row


def find_page(session: Session, page_id: str, application: str | None = None) -> PageRow:
    """An uploaded file, removed or not.

    Raises:
        NotFoundError: no such file, or not of this application.
    """
    row = session.get(PageRow, page_id)
    if row is None or application not in (None, row.application):
        raise NotFoundError(f"no page {page_id!r}", message_zh="没有这份材料")
    return row


def find_same(session: Session, application: str, sha256: str, material: str) -> PageRow | None:
    """The file with the same bytes that was uploaded before as the same material."""
    query = _live(application).where(PageRow.sha256 == sha256, PageRow.material_hint == material)
    return session.scalars(query).one_or_none()


def live_pages(session: Session, application: str) -> list[PageRow]:
    """Files of an application in order of upload, removed ones left out."""
    return list(session.scalars(_live(application).order_by(PageRow.position)))


def queued_among(session: Session, page_ids: Collection[str]) -> set[str]:
    """Which of some files wait to be read."""
    return set(session.scalars(sa.select(PageRow.id).where(PageRow.id.in_(page_ids), PageRow.state == "queued")))


def count_waiting(session: Session, application: str | None = None, *, by: str | None = None) -> int:
    """Number of files waiting to be read: of one application, of one submitter, or of all."""
    query = sa.select(sa.func.count()).select_from(PageRow).where(IS_WAITING)
    if application is not None:
        query = query.where(PageRow.application == application)
    if by is not None:
        query = query.where(PageRow.uploaded_by == by)
    return session.scalar(query) or 0


def places(session: Session, by: str, first: int, last: int) -> tuple[int | None, int | None]:
    """The lowest place in a part of the reading queue, and the highest place there of a submitter's files."""
    here = (IS_WAITING, PageRow.place >= first, PageRow.place <= last)
    lowest = session.scalar(sa.select(sa.func.min(PageRow.place)).where(*here))
    return lowest, session.scalar(sa.select(sa.func.max(PageRow.place)).where(*here, PageRow.uploaded_by == by))


def waiting_since(session: Session, before: datetime, limit: int = 50) -> list[str]:
    """Ids of files uploaded before the given time that still wait, oldest first."""
    query = (
        sa.select(PageRow.id).where(IS_WAITING, PageRow.uploaded_at < before).order_by(PageRow.uploaded_at).limit(limit)
    )
    return list(session.scalars(query))


def store_readings(session: Session, page: PageRow, readings: Sequence[PageReading], at: datetime) -> None:
    """Replace the readings of a file and mark it as read."""
    _clear(session, page)
    session.add_all(
        ReadingRow(page_id=page.id, index=r.index, material=r.material, body=reading_to_json(r)) for r in readings
    )
    page.state, page.error_code, page.read_at = "read", "", at
    session.flush()


def mark_failed(session: Session, page: PageRow, finding: Finding, at: datetime) -> None:
    """Mark a file as unreadable, with the finding that says why."""
    _clear(session, page)
    page.state, page.error_code, page.read_at = "failed", finding.code, at
    session.add(_finding_row(page.application, finding, page.id))
    session.flush()


def readings_of(session: Session, application: str, *, corrected: bool = True) -> list[tuple[PageRow, PageReading]]:
    """Every page of an application in order, with people's corrections and remarks applied."""
    query = (
        sa.select(PageRow, ReadingRow)
        .join(ReadingRow, ReadingRow.page_id == PageRow.id)
        .where(PageRow.application == application, PageRow.removed_at.is_(None))
        .order_by(PageRow.position, ReadingRow.index)
    )
    found = [(page, replace(reading_from_json(row.body), sha256=page.sha256)) for page, row in session.execute(query)]
    if not corrected:
        return found
    edits = corrections_of(session, application)
    return as_corrected(found, edits, unsettled(remarks_of(session, application), edits))


def as_corrected(
    readings: Sequence[tuple[PageRow, PageReading]], edits: Sequence[CorrectionRow], doubted: Sequence[RemarkRow]
) -> list[tuple[PageRow, PageReading]]:
    """Pages as they were read, with people's corrections, oldest first, and unsettled remarks applied."""
    found = []
    for page, reading in readings:
        place = page.id, reading.index
        for edit in edits:
            if (edit.page_id, edit.index) == place:
                reading = _with_correction(reading, edit)
        for said in doubted:
            if (said.page_id, said.index) == place:
                reading = _with_doubt(reading, said.field)
        found.append((page, reading))
    return found


def find_reading(session: Session, page_id: str, index: int) -> PageReading:
    """The reading of one page of a file, without corrections.

    Raises:
        NotFoundError: it was not read, or has no such page.
    """
    row = session.get(ReadingRow, (page_id, index))
    if row is None:
        raise NotFoundError(f"page {page_id!r} has no reading {index}", message_zh="没有这一页的识别结果")
    return reading_from_json(row.body)


def add_correction(
    session: Session, page_id: str, index: int, field: str, value: str, kind: CorrectionKind, by: str, at: datetime
) -> CorrectionRow:
    """Add a value with which a person corrects a reading."""
    row = CorrectionRow(page_id=page_id, index=index, field=field, value=value, kind=kind, by=by, at=at)
    session.add(row)
    session.flush()
    return row


def corrections_of(session: Session, application: str) -> list[CorrectionRow]:
    """Corrections in an application's live files, oldest first."""
    query = (
        sa.select(CorrectionRow)
        .join(PageRow, PageRow.id == CorrectionRow.page_id)
        .where(PageRow.application == application, PageRow.removed_at.is_(None))
        .order_by(CorrectionRow.id)
    )
    return list(session.scalars(query))


def open_remarks(session: Session, application: str) -> list[RemarkRow]:
    """Remarks on an application that nobody has settled."""
    return unsettled(remarks_of(session, application), corrections_of(session, application))


def corrections_on(session: Session, page_id: str, index: int, field: str) -> list[CorrectionRow]:
    """Corrections of one field of one page, oldest first."""
    query = sa.select(CorrectionRow).where(
        CorrectionRow.page_id == page_id, CorrectionRow.index == index, CorrectionRow.field == field
    )
    return list(session.scalars(query.order_by(CorrectionRow.id)))


def store_findings(session: Session, application: str, findings: Iterable[Finding]) -> None:
    """Replace the findings of the check; those on files that could not be read stay."""
    session.execute(sa.delete(FindingRow).where(FindingRow.application == application, FindingRow.page_id.is_(None)))
    session.add_all(_finding_row(application, item) for item in findings)
    session.flush()


def open_findings(session: Session, numbers: Collection[str]) -> dict[str, list[tuple[str | None, bool]]]:
    """Findings that prevent an approval as it stands, by application, in a single query.

    Returns:
        Of each one its material and whether it blocks or must be mended; else a person must settle it.
    """
    severe = FindingRow.severity.in_(("block", "fix"))
    query = sa.select(FindingRow.application, FindingRow.material, severe).where(
        FindingRow.application.in_(numbers), sa.or_(severe, FindingRow.look)
    )
    found: dict[str, list[tuple[str | None, bool]]] = {}
    for number, material, is_severe in session.execute(query):
        found.setdefault(number, []).append((material, bool(is_severe)))
    return found


def findings_of(session: Session, application: str) -> list[tuple[str | None, Finding]]:
    """Findings, each with the file that it is about, if any; those on removed files are left out."""
    query = (
        sa.select(FindingRow)
        .outerjoin(PageRow, PageRow.id == FindingRow.page_id)
        .where(FindingRow.application == application, PageRow.removed_at.is_(None))
        .order_by(FindingRow.id)
    )
    return [(row.page_id, _finding(row)) for row in session.scalars(query)]


def _live(application: str) -> sa.Select[PageRow]:
    return sa.select(PageRow).where(PageRow.application == application, PageRow.removed_at.is_(None))


def _clear(session: Session, page: PageRow) -> None:
    session.execute(sa.delete(ReadingRow).where(ReadingRow.page_id == page.id))
    session.execute(sa.delete(FindingRow).where(FindingRow.page_id == page.id))


def _with_correction(reading: PageReading, edit: CorrectionRow) -> PageReading:
    old = reading.fields.get(edit.field)
    base = old or Field(edit.field, None, "", 0.0, None, reading.page)
    return with_field(reading, replace(base, value=edit.value, confidence=1.0, source="person", alternatives=()))


def _with_doubt(reading: PageReading, field: str) -> PageReading:
    """The reading with a field that counts for nobody until an official has looked at it."""
    old = reading.fields.get(field)
    return reading if old is None else with_field(reading, replace(old, confidence=0.0, alternatives=()))


def _finding_row(application: str, item: Finding, page_id: str | None = None) -> FindingRow:
    return FindingRow(
        application=application,
        page_id=page_id,
        code=item.code,
        severity=item.severity,
        message=item.message,
        material=item.material,
        field=item.field,
        basis=item.basis,
        look=item.look,
    )


def _finding(row: FindingRow) -> Finding:
    return Finding(row.code, row.severity, row.message, row.material, row.field, row.basis, row.look)
