"""What officials decide: who works on an application, opinions of departments, decisions."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.canonical import JsonObject
from docproc.domain import DecisionAction
from docproc.store.tables.base import Base, Json, Signed


class ClaimRow(Base):
    """Who works on an application; nobody else can change it meanwhile."""

    __tablename__ = "claims"

    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), primary_key=True)
    desk: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    """Department in a joint approval, whose officials work in parallel with the others; empty in all other matters."""
    by: Mapped[str] = mapped_column("claimed_by", sa.String(80), index=True)
    at: Mapped[datetime] = mapped_column("claimed_at")
    until: Mapped[datetime]


class DecisionRow(Signed, Base):
    """What an official decided, and on what."""

    __tablename__ = "decisions"
    __table_args__ = (
        sa.UniqueConstraint("application", "on_version", name="uq_decisions_version"),
        sa.Index("ix_decisions_decided_at", "decided_at"),
    )

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"))
    on_version: Mapped[int]
    """Version of the application that was decided on: no version is decided twice."""
    action: Mapped[DecisionAction] = mapped_column(sa.String(10))
    by: Mapped[str] = mapped_column("decided_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("decided_at")
    reason: Mapped[str] = mapped_column(sa.Text)
    basis: Mapped[str] = mapped_column(sa.Text)
    seen_sha256: Mapped[str] = mapped_column(sa.String(64))
    set_aside: Mapped[list[str]]
    """Codes of the findings that the official set aside in approving."""
    confirmed: Mapped[list[str]] = mapped_column(Json, server_default="[]", default=list)
    """Ids of the materials that no reader recognised and that the official confirmed by name in approving."""
    changed: Mapped[list[JsonObject]] = mapped_column(Json, server_default="[]", default=list)
    """Fields in which an approval rests on something else than the applicant wrote: correction, page, material, field
    and official; the values stay with the corrections, and go with them."""
    released_by: Mapped[str | None] = mapped_column(sa.String(80))
    released_at: Mapped[datetime | None]
    release_signed: Mapped[JsonObject | None] = mapped_column(default=None)

    UNSIGNED = frozenset({"released_by", "released_at", "release_signed"})
    COVERS: ClassVar = {"release_signed": ("id", "application", "released_by", "released_at")}


class OpinionRow(Signed, Base):
    """A department's opinion in a joint approval; the newest one of a department in a round counts."""

    __tablename__ = "opinions"
    __table_args__ = (sa.UniqueConstraint("application", "seq", name="uq_opinions_seq"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"))
    round: Mapped[int]
    """1 from the first submission, one more after each 补正."""
    org: Mapped[str] = mapped_column(sa.String(80))
    """Organisation id of the department."""
    seq: Mapped[int]
    """Order within the application."""
    action: Mapped[DecisionAction] = mapped_column(sa.String(10))
    """``approve`` (agrees), ``return`` (asks for correction) or ``reject`` (refuses)."""
    by: Mapped[str] = mapped_column("given_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("given_at")
    reason: Mapped[str] = mapped_column(sa.Text)
    basis: Mapped[str] = mapped_column(sa.Text)
    seen_sha256: Mapped[str] = mapped_column(sa.String(64))
    """Hash of the content that the department saw; the opinion counts for no other content."""
    set_aside: Mapped[list[str]]
    confirmed: Mapped[list[str]] = mapped_column(Json, server_default="[]", default=list)
    """As of :class:`DecisionRow`, of what the department saw."""
