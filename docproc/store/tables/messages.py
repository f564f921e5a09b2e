"""Events for other systems, webhooks and text messages."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.canonical import JsonObject
from docproc.store.tables.base import Base, BigId

SmsState = Literal["sending", "put off", "accepted", "refused", "unknown", "no number"]


class OutboxRow(Base):
    """An event for other systems, written in the transaction that caused it."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.Index("ix_outbox_topic_subject", "topic", "subject"),
        sa.Index("ix_outbox_org_id", "org", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    topic: Mapped[str] = mapped_column(sa.String(40))
    subject: Mapped[str] = mapped_column(sa.String(80))
    org: Mapped[str] = mapped_column(sa.String(80))
    body: Mapped[JsonObject]
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


class WebhookRow(Base):
    """A URL that receives events."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    org: Mapped[str] = mapped_column(sa.String(80), index=True)
    """Organisation or credit code whose events are posted."""
    url: Mapped[str] = mapped_column(sa.String(500))
    secret: Mapped[str] = mapped_column(sa.String(200))
    """Key of the HMAC; both sides need the secret itself, so it is locked. Empty once the webhook is removed."""
    created_by: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class DeliveryRow(Base):
    """One attempt to post an event."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook: Mapped[str] = mapped_column(sa.ForeignKey("webhooks.id"), index=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("outbox.id"))
    attempt: Mapped[int]
    at: Mapped[datetime] = mapped_column("attempted_at")
    status: Mapped[int | None]
    """HTTP status of the answer; ``None`` if there was none."""
    error: Mapped[str] = mapped_column(sa.String(200))
    delivered: Mapped[bool]


class SmsRow(Base):
    """A text message caused by an event; the phone number is not stored."""

    __tablename__ = "sms"

    event_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("outbox.id"), primary_key=True, autoincrement=False)
    org: Mapped[str] = mapped_column(sa.String(80), index=True)
    application: Mapped[str] = mapped_column(sa.String(60), index=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    session: Mapped[str] = mapped_column(sa.String(40), unique=True)
    """Our own id of the message, passed to the provider."""
    state: Mapped[SmsState] = mapped_column(sa.String(20))
    attempt: Mapped[int]
    code: Mapped[str] = mapped_column(sa.String(80))
    """The provider's latest status."""
    serial: Mapped[str | None] = mapped_column(sa.String(80), index=True)
    """The provider's id of the message, which the receipt refers to."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SmsReceiptRow(Base):
    """The delivery receipt of a message; it may arrive before the answer to the send request is stored."""

    __tablename__ = "sms_receipts"

    serial: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    session: Mapped[str] = mapped_column(sa.String(80), index=True)
    delivered: Mapped[bool]
    code: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime] = mapped_column("received_at")
