"""Queries on files that cost too much to open; nothing is committed here."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.applications import RefusedFileRow


def find_refused(session: Session, sha256: str, limits: str) -> RefusedFileRow | None:
    """What these limits said of a file's bytes; ``None``: they were not asked, or nothing dear came of it."""
    return session.get(RefusedFileRow, (sha256, limits))


def keep_refused(
    session: Session, sha256: str, limits: str, code: str, message_zh: str, cpu_s: float, at: datetime
) -> None:
    """Remember why a file was refused; what is known of it already stays."""
    if find_refused(session, sha256, limits) is None:
        row = RefusedFileRow(sha256=sha256, limits=limits, code=code, message_zh=message_zh, cpu_s=cpu_s, refused_at=at)
        session.add(row)
        session.flush()


def forget_refused(session: Session, before: datetime) -> int:
    """Delete what was remembered before the time; returns how many."""
    gone = sa.delete(RefusedFileRow).where(RefusedFileRow.refused_at < before).returning(RefusedFileRow.sha256)
    return len(session.execute(gone).all())
