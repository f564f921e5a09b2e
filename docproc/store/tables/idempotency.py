"""Answers to requests that may be repeated."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.canonical import JsonObject
from docproc.store.tables.base import Base


class IdempotencyRow(Base):
    """The answer to a creating request, so that the same request gets the same answer."""

    __tablename__ = "idempotency_keys"

    key_id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[JsonObject]
    created_at: Mapped[datetime]
