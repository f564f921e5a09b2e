"""The audit log, and the access log beside it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.canonical import JsonObject
from docproc.store.tables.base import Base, BigId, Signed

OPEN = sa.text("batch IS NULL")
"""Readings that no batch has closed yet."""


class AuditRow(Base):
    """One line of the audit log; each holds the hash of the line before it."""

    __tablename__ = "audit_log"
    __table_args__ = (
        sa.Index("ix_audit_log_subject_seq", "subject", "seq", postgresql_ops={"subject": "varchar_pattern_ops"}),
        sa.Index("ix_audit_log_actor_seq", "actor", "seq", postgresql_ops={"actor": "varchar_pattern_ops"}),
    )

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column("happened_at")
    actor: Mapped[str] = mapped_column(sa.String(80))
    action: Mapped[str] = mapped_column(sa.String(40))
    subject: Mapped[str] = mapped_column(sa.String(80))
    detail: Mapped[JsonObject]
    previous: Mapped[str] = mapped_column(sa.String(64))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    signature: Mapped[str] = mapped_column(sa.String(130))
    """By the key of the process that wrote it: the key's id and an Ed25519 signature over the hash
    (:func:`docproc.process_keys.sign`); empty in lines of a version before there were keys. There is no default, so
    that a process of such a version cannot add to a log that is signed."""


class AccessRow(Signed, Base):
    """One reading of content: who was given what, why, and from where; batches of rows are chained by the audit log."""

    __tablename__ = "access_log"
    __table_args__ = (
        sa.Index("ix_access_log_subject_id", "subject", "id"),
        sa.Index("ix_access_log_actor_id", "actor", "id"),
        sa.Index("ix_access_log_batch_id", "batch", "id"),
        sa.Index("ix_access_log_open", "id", sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    """Sorts by time: nanoseconds since 1970 and a random part, in hexadecimal digits."""
    at: Mapped[datetime] = mapped_column("given_at")
    actor: Mapped[str] = mapped_column(sa.String(80))
    """Name of the person or machine; of visitors without one, by what they came: a receipt, a share, a link."""
    credential: Mapped[str] = mapped_column(sa.String(16))
    """Id of the key or account."""
    roles: Mapped[str] = mapped_column(sa.String(120))
    org: Mapped[str] = mapped_column(sa.String(80))
    kind: Mapped[str] = mapped_column(sa.String(20))
    """What was given, see :data:`docproc.flow.core.reads.Kind`."""
    subject: Mapped[str] = mapped_column(sa.String(80))
    """Application, licence, or file."""
    item: Mapped[str] = mapped_column(sa.String(80))
    """Page of it."""
    purpose: Mapped[str] = mapped_column(sa.String(20))
    stated: Mapped[str] = mapped_column(sa.String(200))
    """The purpose in somebody's own words."""
    address: Mapped[str] = mapped_column(sa.String(64))
    batch: Mapped[int | None] = mapped_column(BigId)
    """Number of the batch that closed it; ``None`` until then."""

    UNSIGNED = frozenset({"batch"})
