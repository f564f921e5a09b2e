"""Running numbers."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.store.tables.base import Base


class CounterRow(Base):
    """Running numbers, assigned without gaps in committed transactions."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    value: Mapped[int]
