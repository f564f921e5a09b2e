"""Queries on departments' opinions in joint approvals; nothing is committed here."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.domain import Decision
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.review import DecisionRow, OpinionRow


def round_of(session: Session, application: ApplicationRow) -> int:
    """The current round of examination: 1, and one more after each correction (补正) that was submitted."""
    open_again = application.status not in ("returned", "draft")
    query = sa.select(sa.func.count()).where(
        DecisionRow.application == application.number, DecisionRow.action == "return"
    )
    returned = session.scalar(query) or 0
    return returned + (1 if open_again else 0) if returned else 1


def of_round(session: Session, number: str, round_: int) -> list[OpinionRow]:
    """The newest opinion of each department in a round, oldest first."""
    query = sa.select(OpinionRow).where(OpinionRow.application == number, OpinionRow.round == round_)
    newest = {row.org: row for row in session.scalars(query.order_by(OpinionRow.seq))}
    return sorted(newest.values(), key=lambda row: row.seq)


def add_opinion(
    session: Session, application: ApplicationRow, org: str, given: Decision, set_aside: Sequence[str]
) -> OpinionRow:
    """Insert a department's opinion; the application must be locked. An earlier one is kept but no longer counts."""
    last = session.scalar(sa.select(sa.func.max(OpinionRow.seq)).where(OpinionRow.application == application.number))
    row = OpinionRow(
        id=uuid4().hex,
        application=application.number,
        round=round_of(session, application),
        org=org,
        seq=(last or 0) + 1,
        action=given.action,
        by=given.by,
        at=given.at,
        reason=given.reason,
        basis=given.basis,
        seen_sha256=given.seen_sha256,
        set_aside=list(set_aside),
        confirmed=list(given.confirmed),
    )
    session.add(row)
    session.flush()
    return row


def agreed(session: Session, number: str) -> list[OpinionRow]:
    """Every approving opinion on an application, including those of earlier rounds."""
    query = sa.select(OpinionRow).where(OpinionRow.application == number, OpinionRow.action == "approve")
    return list(session.scalars(query.order_by(OpinionRow.seq)))
