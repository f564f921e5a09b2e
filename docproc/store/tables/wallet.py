"""Access without an account for applicants and holders: follow codes, licences of an enterprise, shares."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.store.tables.base import Base


class FollowCodeRow(Base):
    """Unguessable code with which an applicant follows an application without signing in."""

    __tablename__ = "follow_codes"

    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)


class LicenceHolderRow(Base):
    """Credit code of a licence's holder, by which an enterprise finds its licences."""

    __tablename__ = "licence_holders"

    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"), primary_key=True)
    holder_code: Mapped[str] = mapped_column(sa.String(18), index=True)


class ShareRow(Base):
    """A holder's permission to view a licence, for a purpose and a limited time."""

    __tablename__ = "licence_shares"

    code: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"), index=True)
    purpose: Mapped[str] = mapped_column(sa.String(200))
    created_by: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    opened: Mapped[int]
    """How often it was viewed."""
