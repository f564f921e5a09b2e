"""Queries on text messages and their receipts; nothing is committed here."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.messages import OutboxRow, SmsReceiptRow, SmsRow


def find(session: Session, event_id: int) -> SmsRow | None:
    """The message for an event, locked."""
    return session.scalar(sa.select(SmsRow).where(SmsRow.event_id == event_id).with_for_update())


def keep_receipt(session: Session, serial: str, *, sent_as: str, delivered: bool, code: str, at: datetime) -> bool:
    """Store the delivery receipt of a message; ``False`` if it is already stored."""
    if session.get(SmsReceiptRow, serial) is not None:
        return False
    session.add(SmsReceiptRow(serial=serial, session=sent_as, delivered=delivered, code=code, at=at))
    session.flush()
    return True


def log(
    session: Session, *, org: str | None, application: str | None = None, before: int | None = None, limit: int = 100
) -> list[tuple[SmsRow, SmsReceiptRow | None]]:
    """Messages with their receipts, newest first, of an organisation or, with ``None``, of all."""
    of_message = (SmsReceiptRow.serial == SmsRow.serial) | (SmsReceiptRow.session == SmsRow.session)
    query = sa.select(SmsRow, SmsReceiptRow).outerjoin(SmsReceiptRow, of_message)
    if org is not None:
        query = query.where(SmsRow.org == org)
    if application is not None:
        query = query.where(SmsRow.application == application)
    if before is not None:
        query = query.where(SmsRow.event_id < before)
    return [(row, receipt) for row, receipt in session.execute(query.order_by(SmsRow.event_id.desc()).limit(limit))]


def unannounced(
    session: Session, topic: str, matter: str, statuses: tuple[str, ...], before: datetime, limit: int
) -> list[ApplicationRow]:
    """Applications submitted before the given time that have had no event of the topic since, oldest first."""
    announced = sa.exists().where(
        OutboxRow.topic == topic,
        OutboxRow.subject == ApplicationRow.number,
        OutboxRow.created_at >= ApplicationRow.submitted_at,
    )
    query = sa.select(ApplicationRow).where(
        ApplicationRow.matter == matter,
        ApplicationRow.status.in_(statuses),
        ApplicationRow.submitted_at < before,
        ~announced,
    )
    return list(session.scalars(query.order_by(ApplicationRow.submitted_at).limit(limit)))
