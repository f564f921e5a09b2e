"""The base class of all tables, and columns that several of them share."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from docproc.canonical import JsonObject
from docproc.store.db import UtcTime

Json = sa.JSON().with_variant(JSONB(), "postgresql")
ChangeState = Literal["open", "confirmed", "refused"]
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Base(DeclarativeBase):
    """Base class of all tables; constraint names are fixed so that migrations can refer to them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime, JsonObject: Json, dict[str, str]: Json, list[str]: Json}  # noqa: RUF012  (SQLAlchemy's shape)


class Signed:
    """A row that a process signs (:mod:`docproc.store.signatures`)."""

    __tablename__: str
    UNSIGNED: ClassVar[frozenset[str]] = frozenset()
    """Attributes that the signature does not cover."""
    COVERS: ClassVar[dict[str, tuple[str, ...]]] = {}
    """For further signatures, or where few attributes count: what they cover."""

    signed: Mapped[JsonObject | None] = mapped_column(default=None)


class ProposedChange(Signed):
    """Columns of a change by two persons: one proposes it, another confirms or refuses it."""

    id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    reason: Mapped[str] = mapped_column(sa.Text)
    proposed_by: Mapped[str] = mapped_column(sa.String(80))
    proposed_at: Mapped[datetime]
    state: Mapped[ChangeState] = mapped_column(sa.String(10))
    closed_by: Mapped[str | None] = mapped_column(sa.String(80))
    closed_at: Mapped[datetime | None]
    closing_signed: Mapped[JsonObject | None] = mapped_column(default=None)
    """Signature over the whole change as it was closed."""

    UNSIGNED = frozenset({"state", "closed_by", "closed_at", "closing_signed", "starts_on"})
    """A proposal is signed before it is closed; a day that is over becomes the day of closing."""
