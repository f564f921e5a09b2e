"""Queries on follow codes, holders and shares; nothing is committed here."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.licences import LicenceRow
from docproc.store.tables.wallet import FollowCodeRow, LicenceHolderRow, ShareRow


def add_follow_code(session: Session, application: str) -> str:
    """Add an application's follow code, 128 random bits."""
    row = FollowCodeRow(application=application, code=secrets.token_urlsafe(16))
    session.add(row)
    session.flush()
    return row.code


def follow_code(session: Session, application: str) -> str:
    """The follow code of an application.

    Raises:
        NotFoundError: no such application.
    """
    row = session.get(FollowCodeRow, application)
    if row is None:
        raise NotFoundError(f"no application {application!r}", message_zh="没有这个办件")
    return row.code


def followed(session: Session, code: str) -> ApplicationRow:
    """The application with this follow code.

    Raises:
        NotFoundError: none.
    """
    query = sa.select(ApplicationRow).join(FollowCodeRow, FollowCodeRow.application == ApplicationRow.number)
    row = session.scalars(query.where(FollowCodeRow.code == code)).one_or_none()
    if row is None:
        raise unknown_code()
    return row


def unknown_code() -> NotFoundError:
    """What is said of a follow code that there is not, or that is not for who brings it."""
    return NotFoundError("no application has this code", message_zh="没有查到这个办件，请核对查询码")


def set_holder(session: Session, licence: str, holder_code: str) -> None:
    """Record the holder of a licence."""
    session.add(LicenceHolderRow(licence=licence, holder_code=holder_code))
    session.flush()


def licences_of_holder(session: Session, holder_code: str) -> list[LicenceRow]:
    """Issued licences of a credit code, newest first."""
    query = (
        sa.select(LicenceRow)
        .join(LicenceHolderRow, LicenceHolderRow.licence == LicenceRow.number)
        .where(LicenceHolderRow.holder_code == holder_code, LicenceRow.sha256.is_not(None))
        .order_by(LicenceRow.issued_on.desc(), LicenceRow.number)
    )
    return list(session.scalars(query))


def holder_of(session: Session, licence: str) -> str | None:
    """Credit code of a licence's holder, where known."""
    row = session.get(LicenceHolderRow, licence)
    return row.holder_code if row is not None else None


def add_share(session: Session, licence: str, purpose: str, *, by: str, at: datetime, expires_at: datetime) -> ShareRow:
    """Allow whoever has the code to view a licence."""
    row = ShareRow(
        code=secrets.token_urlsafe(16),
        licence=licence,
        purpose=purpose,
        created_by=by,
        created_at=at,
        expires_at=expires_at,
        revoked_at=None,
        opened=0,
    )
    session.add(row)
    session.flush()
    return row


def shares_of(session: Session, licence: str) -> list[ShareRow]:
    """Shares of a licence, newest first."""
    query = sa.select(ShareRow).where(ShareRow.licence == licence)
    return list(session.scalars(query.order_by(ShareRow.created_at.desc())))


def find_share(session: Session, code: str) -> ShareRow:
    """A share, expired or not.

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(ShareRow, code)
    if row is None:
        raise NotFoundError("no such share", message_zh="没有这个授权链接")
    return row
