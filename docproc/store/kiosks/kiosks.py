"""Figures on kiosks: what each submitted and how well it could be read; nothing is committed here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.accounts import ApiKeyRow
from docproc.store.tables.applications import ApplicationRow, PageRow, ReadingRow

MOST_LOOKED_AT = 400
"""Number of pages with verdict ``rescan``, the newest, whose findings are counted."""


def kiosk_keys(session: Session, org: str | None) -> list[ApiKeyRow]:
    """API keys of kiosks, revoked ones left out, of an organisation or, with ``None``, of all."""
    query = sa.select(ApiKeyRow).where(ApiKeyRow.revoked_at.is_(None)).order_by(ApiKeyRow.subject)
    if org is not None:
        query = query.where(ApiKeyRow.org == org)
    return [row for row in session.scalars(query) if "kiosk" in row.roles]


def note_line(session: Session, key_id: str, waiting: int, since: datetime | None, at: datetime) -> None:
    """Record how many files wait at a kiosk to be uploaded."""
    session.execute(
        sa.update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id)
        .values(line_waiting=waiting, line_since=since, line_told_at=at)
    )


def files_from(session: Session, subjects: Collection[str], since: datetime) -> dict[tuple[str, str], int]:
    """Number of files uploaded since the time, by subject and state."""
    query = (
        sa.select(PageRow.uploaded_by, PageRow.state, sa.func.count())
        .where(PageRow.uploaded_by.in_(subjects), PageRow.uploaded_at >= since)
        .group_by(PageRow.uploaded_by, PageRow.state)
    )
    return {(subject, state): count for subject, state, count in session.execute(query)}


def waiting_from(session: Session, subjects: Collection[str]) -> dict[str, tuple[int, datetime]]:
    """Number of files that wait to be read, and when the oldest was uploaded, by subject."""
    query = (
        sa.select(PageRow.uploaded_by, sa.func.count(), sa.func.min(PageRow.uploaded_at))
        .where(PageRow.state == "queued", PageRow.removed_at.is_(None), PageRow.uploaded_by.in_(subjects))
        .group_by(PageRow.uploaded_by)
    )
    return {subject: (count, oldest) for subject, count, oldest in session.execute(query)}


def applications_from(session: Session, subjects: Collection[str], since: datetime) -> dict[tuple[str, str], int]:
    """Number of applications begun since the time, by subject and status."""
    query = (
        sa.select(ApplicationRow.created_by, ApplicationRow.status, sa.func.count())
        .where(ApplicationRow.created_by.in_(subjects), ApplicationRow.created_at >= since)
        .group_by(ApplicationRow.created_by, ApplicationRow.status)
    )
    return {(subject, status): count for subject, status, count in session.execute(query)}


def scan_verdicts(session: Session, subjects: Collection[str], since: datetime) -> dict[tuple[str, str], int]:
    """Number of pages uploaded since the time and read, by subject and quality verdict (``good`` or ``rescan``)."""
    verdict = ReadingRow.body[("quality", "verdict")].as_string()
    query = (
        sa.select(PageRow.uploaded_by, verdict, sa.func.count())
        .join(ReadingRow, ReadingRow.page_id == PageRow.id)
        .where(PageRow.uploaded_by.in_(subjects), PageRow.uploaded_at >= since)
        .group_by(PageRow.uploaded_by, verdict)
    )
    return {(subject, word): count for subject, word, count in session.execute(query)}


def scan_faults(session: Session, subjects: Collection[str], since: datetime) -> dict[str, Counter[tuple[str, str]]]:
    """Why the newest pages had to be scanned again: number of pages for each code and message, by subject."""
    query = (
        sa.select(PageRow.uploaded_by, ReadingRow.body)
        .join(ReadingRow, ReadingRow.page_id == PageRow.id)
        .where(
            PageRow.uploaded_by.in_(subjects),
            PageRow.uploaded_at >= since,
            ReadingRow.body[("quality", "verdict")].as_string() == "rescan",
        )
        .order_by(PageRow.uploaded_at.desc())
        .limit(MOST_LOOKED_AT)
    )
    found: dict[str, Counter[tuple[str, str]]] = {}
    for subject, body in session.execute(query):
        found_on_page = {(item["code"], item["message"]) for item in body["quality"]["findings"]}
        found.setdefault(subject, Counter()).update(found_on_page)
    return found
