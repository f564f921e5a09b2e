"""Events for others (transactional outbox) and answers to repeated requests (idempotency)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.idempotency import IdempotencyRow
from docproc.store.tables.messages import OutboxRow


def add_event(session: Session, at: datetime, topic: str, subject: str, org: str, **body: Any) -> OutboxRow:
    """Write an event in the transaction that causes it."""
    row = OutboxRow(topic=topic, subject=subject, org=org, body=body, created_at=at)
    session.add(row)
    session.flush()
    return row


def events(session: Session, *, org: str | None, after: int = 0, limit: int = 100) -> list[OutboxRow]:
    """Events after a number, oldest first; ``org`` ``None`` gives those of all."""
    query = sa.select(OutboxRow).where(OutboxRow.id > after).order_by(OutboxRow.id).limit(limit)
    if org is not None:
        query = query.where(OutboxRow.org == org)
    return list(session.scalars(query))


def was_told(session: Session, topic: str, subject: str, since: datetime) -> bool:
    """Whether an event of a topic was written about a subject since a moment."""
    query = sa.select(OutboxRow.id).where(
        OutboxRow.topic == topic, OutboxRow.subject == subject, OutboxRow.created_at >= since
    )
    return session.scalar(query.limit(1)) is not None


def mark_delivered(session: Session, event_id: int, at: datetime) -> None:
    """Note that an event reached its receiver."""
    session.execute(
        sa.update(OutboxRow).where(OutboxRow.id == event_id, OutboxRow.delivered_at.is_(None)).values(delivered_at=at)
    )


def find_answer(session: Session, key_id: str, key: str) -> IdempotencyRow | None:
    """What an earlier request with this key was answered."""
    return session.get(IdempotencyRow, (key_id, key))


def keep_answer(
    session: Session, key_id: str, key: str, request_sha256: str, answer: dict[str, Any], at: datetime
) -> None:
    """Keep the answer to a request.

    Raises:
        sqlalchemy.exc.IntegrityError: a request with this key was answered meanwhile.
    """
    session.add(IdempotencyRow(key_id=key_id, key=key, request_sha256=request_sha256, answer=answer, created_at=at))
    session.flush()


def forget_answers(session: Session, before: datetime) -> int:
    """Remove answers older than a moment; returns how many."""
    result = session.execute(
        sa.delete(IdempotencyRow).where(IdempotencyRow.created_at < before).returning(IdempotencyRow.key)
    )
    return len(result.all())
