"""Answers to requests with an Idempotency-Key, so that repeats get the same answer; nothing is committed here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.idempotency import IdempotencyRow


def find_answer(session: Session, key_id: str, key: str) -> IdempotencyRow | None:
    """The answer to an earlier request with this key."""
    return session.get(IdempotencyRow, (key_id, key))


def keep_answer(
    session: Session, key_id: str, key: str, request_sha256: str, answer: Mapping[str, object], at: datetime
) -> None:
    """Store the answer to a request.

    Raises:
        sqlalchemy.exc.IntegrityError: another request with this key was answered meanwhile.
    """
    session.add(IdempotencyRow(key_id=key_id, key=key, request_sha256=request_sha256, answer=answer, created_at=at))
    session.flush()


def forget_answers(session: Session, before: datetime) -> int:
    """Delete answers given before the time; returns their number."""
    result = session.execute(
        sa.delete(IdempotencyRow).where(IdempotencyRow.created_at < before).returning(IdempotencyRow.key)
    )
    return len(result.all())
