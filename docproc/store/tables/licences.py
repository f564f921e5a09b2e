"""Licences, their files, versions, events and status lists."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.canonical import JsonObject
from docproc.store.tables.base import Base, BigId, Signed

SealedStatus = Literal["valid", "suspended", "revoked", "superseded"]
"""Status of a licence whose file is sealed."""
VersionAction = Literal["correct", "reissue"]
VersionState = Literal["queued", "waiting", "failed", "sealed"]
"""``waiting``: for the TSA or the key."""


class LicenceRow(Signed, Base):
    """证照; the row exists from when its number is assigned, its file from when it is sealed."""

    __tablename__ = "licences"

    number: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    decision: Mapped[str] = mapped_column(sa.ForeignKey("decisions.id"), unique=True)
    """One approval, one licence: the database refuses a second."""
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), unique=True)
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)
    """Unguessable code in the URL of the QR code."""
    matter: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[str] = mapped_column(sa.String(60))
    version: Mapped[int]
    org: Mapped[str] = mapped_column(sa.String(80), index=True)
    holder: Mapped[str] = mapped_column(sa.Text)
    title: Mapped[str] = mapped_column(sa.Text)
    authority: Mapped[str] = mapped_column(sa.Text)
    issued_on: Mapped[date]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    status: Mapped[SealedStatus | Literal["preparing"]] = mapped_column(sa.String(12))
    """``preparing`` until its file is sealed."""
    body: Mapped[JsonObject]
    """The licence's data as attached to the sealed file."""
    sha256: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    """Hash of the sealed file; also its key in the blob store."""
    sealed_at: Mapped[datetime | None]

    COVERS: ClassVar = {"signed": ("number", "decision", "application", "code", "matter", "version", "body")}
    """What a sealer numbered, and what it sealed last; a renewed file says the same."""


class LicenceFileRow(Base):
    """Every sealed file that a licence ever had; the current one is named by ``licences.sha256``."""

    __tablename__ = "licence_files"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"), index=True)
    at: Mapped[datetime] = mapped_column("registered_at")
    reason: Mapped[Literal["issued", "renewed"] | VersionAction] = mapped_column(sa.String(20))
    """``issued``, ``renewed`` (a fresh archive time-stamp), ``correct`` or ``reissue`` (a new version)."""
    good_until: Mapped[datetime | None] = mapped_column(index=True)
    """When its newest archive time-stamp expires; ``None`` until the renewal sweep has determined it."""


class LicenceEventRow(Signed, Base):
    """One change of a licence's status."""

    __tablename__ = "licence_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"), index=True)
    status: Mapped[SealedStatus] = mapped_column(sa.String(12))
    by: Mapped[str] = mapped_column("changed_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("changed_at")
    reason: Mapped[str] = mapped_column(sa.Text)
    basis: Mapped[str] = mapped_column(sa.Text, server_default="")
    """Legal basis."""

    UNSIGNED = frozenset({"id"})


class LicenceVersionRow(Signed, Base):
    """A new version of a licence, corrected or re-issued, from the moment it is ordered."""

    __tablename__ = "licence_versions"
    __table_args__ = (sa.UniqueConstraint("licence", "version", name="uq_licence_versions_version"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"))
    version: Mapped[int]
    action: Mapped[VersionAction] = mapped_column(sa.String(10))
    body: Mapped[JsonObject]
    """The licence's data as it will be attached to the sealed file."""
    by: Mapped[str] = mapped_column("ordered_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("ordered_at")
    reason: Mapped[str] = mapped_column(sa.Text)
    basis: Mapped[str] = mapped_column(sa.Text)
    state: Mapped[VersionState] = mapped_column(sa.String(10))
    note: Mapped[str] = mapped_column(sa.Text)
    """Reason, in Chinese, why it is not sealed yet."""
    attempt: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(sa.String(64))

    UNSIGNED = frozenset({"state", "note", "attempt", "sha256"})


class StatusListRow(Base):
    """A signed list of the licences that are not in force; the newest is served."""

    __tablename__ = "status_lists"

    sequence: Mapped[int] = mapped_column(BigId, primary_key=True)
    issued_at: Mapped[datetime]
    body: Mapped[str] = mapped_column(sa.Text)
    """JSON Web Signature, compact form."""
