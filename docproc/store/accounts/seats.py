"""Queries on browser sessions opened with an API key; nothing is committed here."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.accounts.api_keys import usable
from docproc.store.signatures import is_signed, sign_row
from docproc.store.tables.accounts import ApiKeyRow, PageSessionRow


def open_session(session: Session, key: ApiKeyRow, kind: str, at: datetime, lasts: timedelta) -> str:
    """Begin a session; returns its token, of which only the hash is stored."""
    session.execute(sa.delete(PageSessionRow).where(PageSessionRow.expires_at < at))
    token = secrets.token_urlsafe(32)
    row = PageSessionRow(
        sha256=_hash(token),
        key_id=key.id,
        kind=kind,
        application=None,
        created_at=at,
        seen_at=at,
        expires_at=at + lasts,
    )
    sign_row(session, row)
    session.add(row)
    session.flush()
    return token


def find_session(
    session: Session, token: str, kind: str, at: datetime, address: str = ""
) -> tuple[PageSessionRow, ApiKeyRow] | None:
    """An open session and its key; ``None`` when it is over, or the key may not be used (from here)."""
    row = session.get(PageSessionRow, _hash(token))
    if row is None or row.kind != kind or row.expires_at <= at or not is_signed(session, row):
        return None
    key = session.get(ApiKeyRow, row.key_id)
    return (row, key) if key is not None and usable(session, key, at, address) else None


def close_session(session: Session, token: str) -> None:
    """End a session."""
    session.execute(sa.delete(PageSessionRow).where(PageSessionRow.sha256 == _hash(token)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
