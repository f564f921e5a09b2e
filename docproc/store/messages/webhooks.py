"""Queries on webhooks and their deliveries; nothing is committed here."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.store.db import keys_of
from docproc.store.locked import lock
from docproc.store.tables.messages import DeliveryRow, WebhookRow


def add_webhook(session: Session, org: str, url: str, *, by: str, at: datetime) -> tuple[WebhookRow, str]:
    """Add a webhook URL; returns it with its new secret, which is locked in the row."""
    row = WebhookRow(id=uuid4().hex, org=org, url=url, created_by=by, created_at=at, removed_at=None)
    secret = secrets.token_urlsafe(32)
    lock(keys_of(session).secrets, row, "secret", secret)
    session.add(row)
    session.flush()
    return row, secret


def remove_webhook(session: Session, webhook_id: str, org: str, at: datetime) -> None:
    """Mark a webhook as removed, and wipe its secret; raises as :func:`find_webhook`."""
    row = find_webhook(session, webhook_id, org)
    row.removed_at, row.secret = at, ""


def find_webhook(session: Session, webhook_id: str, org: str | None = None) -> WebhookRow:
    """A webhook that has not been removed.

    Raises:
        NotFoundError: there is none, or it belongs to another organisation.
    """
    row = session.get(WebhookRow, webhook_id)
    if row is None or row.removed_at is not None or org not in (None, row.org):
        raise NotFoundError(f"no webhook {webhook_id!r}", message_zh="没有这个通知地址")
    return row


def webhooks_of(session: Session, orgs: Collection[str]) -> list[WebhookRow]:
    """Webhooks of some organisations, oldest first."""
    query = sa.select(WebhookRow).where(WebhookRow.org.in_(orgs), WebhookRow.removed_at.is_(None))
    return list(session.scalars(query.order_by(WebhookRow.created_at, WebhookRow.id)))


def was_delivered(session: Session, webhook_id: str, event_id: int) -> bool:
    """Whether an event reached a webhook."""
    query = sa.select(DeliveryRow.id).where(
        DeliveryRow.webhook == webhook_id, DeliveryRow.event_id == event_id, DeliveryRow.delivered.is_(True)
    )
    return session.scalar(query.limit(1)) is not None


def last_attempt(session: Session, webhook_id: str, event_id: int) -> int | None:
    """Number of the last attempt to post an event; ``None`` if there was none."""
    query = sa.select(sa.func.max(DeliveryRow.attempt)).where(
        DeliveryRow.webhook == webhook_id, DeliveryRow.event_id == event_id
    )
    return session.scalar(query)


def log_delivery(
    session: Session, webhook_id: str, event_id: int, attempt: int, at: datetime, status: int | None, error: str
) -> None:
    """Record an attempt; an empty error means that it was delivered."""
    session.add(
        DeliveryRow(
            webhook=webhook_id,
            event_id=event_id,
            attempt=attempt,
            at=at,
            status=status,
            error=error[:200],
            delivered=not error,
        )
    )
    session.flush()


def deliveries_of(session: Session, webhook_id: str, limit: int = 50) -> list[DeliveryRow]:
    """The last attempts, newest first."""
    query = sa.select(DeliveryRow).where(DeliveryRow.webhook == webhook_id)
    return list(session.scalars(query.order_by(DeliveryRow.id.desc()).limit(limit)))
