"""Events for other systems (a transactional outbox); nothing is committed here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.messages import OutboxRow


def add_event(session: Session, at: datetime, topic: str, subject: str, org: str, **body: Any) -> OutboxRow:
    """Add an event in the transaction that causes it."""
    row = OutboxRow(topic=topic, subject=subject, org=org, body=body, created_at=at)
    session.add(row)
    session.flush()
    return row


def events(session: Session, *, org: str | None, after: int = 0, limit: int = 100) -> list[OutboxRow]:
    """Events after an id, oldest first, of an organisation or, with ``None``, of all."""
    query = sa.select(OutboxRow).where(OutboxRow.id > after).order_by(OutboxRow.id).limit(limit)
    if org is not None:
        query = query.where(OutboxRow.org == org)
    return list(session.scalars(query))


def was_announced(session: Session, topic: str, subject: str, since: datetime) -> bool:
    """Whether an event of the topic was added about the subject since the given time."""
    query = sa.select(OutboxRow.id).where(
        OutboxRow.topic == topic, OutboxRow.subject == subject, OutboxRow.created_at >= since
    )
    return session.scalar(query.limit(1)) is not None


def mark_delivered(session: Session, event_id: int, at: datetime) -> None:
    """Record that an event reached its receiver."""
    session.execute(
        sa.update(OutboxRow).where(OutboxRow.id == event_id, OutboxRow.delivered_at.is_(None)).values(delivered_at=at)
    )
