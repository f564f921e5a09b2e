"""API keys: ``dp_<id>_<secret>``; the secret has 256 random bits, so a plain SHA-256 of it is enough."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.store.tables.accounts import ApiKeyRow

_SHAPE = re.compile(r"dp_([0-9a-f]{12})_([0-9a-f]{64})")


def create_key(
    session: Session, *, subject: str, org: str, roles: Collection[str], by: str, at: datetime
) -> tuple[ApiKeyRow, str]:
    """Create a key; the second value is the key itself, which is shown once and not stored."""
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    row = ApiKeyRow(
        id=key_id, sha256=_hash(secret), subject=subject, org=org, roles=sorted(roles), created_at=at, created_by=by
    )
    session.add(row)
    session.flush()
    return row, f"dp_{key_id}_{secret}"


def find_key(session: Session, key: str) -> ApiKeyRow | None:
    """The row of a presented key; ``None`` if it is wrong or revoked."""
    match = _SHAPE.fullmatch(key)
    row = session.get(ApiKeyRow, match[1]) if match else None
    if match is None or row is None or row.revoked_at is not None:
        return None
    return row if hmac.compare_digest(row.sha256, _hash(match[2])) else None


def is_stale(row: ApiKeyRow, at: datetime) -> bool:
    """Whether the recorded last use is more than a minute old: one write per minute is enough."""
    return row.seen_at is None or at - row.seen_at > timedelta(minutes=1)


def note_use(session: Session, key_id: str, at: datetime) -> None:
    """Record that a key was used."""
    session.execute(sa.update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(seen_at=at))


def revoke_key(session: Session, key_id: str, at: datetime) -> ApiKeyRow:
    """Revoke a key; it cannot be restored.

    Raises:
        NotFoundError: no such key.
    """
    row = session.get(ApiKeyRow, key_id)
    if row is None:
        raise NotFoundError(f"no API key {key_id!r}")
    row.revoked_at = row.revoked_at or at
    return row


def list_keys(session: Session) -> list[ApiKeyRow]:
    """All keys, oldest first."""
    return list(session.scalars(sa.select(ApiKeyRow).order_by(ApiKeyRow.created_at, ApiKeyRow.id)))


def has_keys(session: Session) -> bool:
    """Whether any key was ever created."""
    return session.scalar(sa.select(ApiKeyRow.id).limit(1)) is not None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
