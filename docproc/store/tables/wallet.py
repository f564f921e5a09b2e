"""What applicants and holders reach without an account: codes to follow an application, licences of a firm, shares."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.store.tables.base import Base


class FollowCodeRow(Base):
    """Unguessable word under which an applicant follows an application without signing in."""

    __tablename__ = "follow_codes"

    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)


class LicenceHolderRow(Base):
    """Credit code of a licence's holder, so that an enterprise finds what is its own."""

    __tablename__ = "licence_holders"

    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"), primary_key=True)
    holder_code: Mapped[str] = mapped_column(sa.String(18), index=True)


class ShareRow(Base):
    """A holder's leave for somebody to see a licence, for a purpose and a time."""

    __tablename__ = "licence_shares"

    code: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"), index=True)
    purpose: Mapped[str] = mapped_column(sa.String(200))
    created_by: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    opened: Mapped[int]
    """How often it was looked at."""
