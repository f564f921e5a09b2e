"""The audit log."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.canonical import JsonObject
from docproc.store.tables.base import Base, BigId


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
