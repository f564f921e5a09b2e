"""Custody of paper documents at the counter."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.canonical import JsonObject
from docproc.store.tables.base import Base, BigId

StepKind = Literal["received", "returned", "checked", "compared", "handed_over", "refused"]


class CustodyRow(Base):
    """One step in the custody of paper documents; rows are only added."""

    __tablename__ = "custody"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), index=True)
    kind: Mapped[StepKind] = mapped_column(sa.String(20))
    receipt: Mapped[str] = mapped_column(sa.String(80))
    """Of originals; empty for other steps."""
    actor: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime] = mapped_column("happened_at")
    detail: Mapped[JsonObject]


class PickupRow(Base):
    """The code by which a result is picked up at the counter: a hash, for nobody here is to know it."""

    __tablename__ = "pickup_codes"

    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), primary_key=True)
    hash: Mapped[str] = mapped_column(sa.String(200))
    """Argon2id."""
    made_at: Mapped[datetime]
    times: Mapped[int]
    """How often one was made and shown."""
