"""Blobs to be deleted from the blob store."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.store.tables.base import Base


class ErasureRow(Base):
    """A blob to be deleted from the blob store unless something else refers to it."""

    __tablename__ = "erasures"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    since: Mapped[datetime]
