"""API keys: ``dp_<id>_<secret>``; the secret has 256 random bits, so a plain SHA-256 of it is enough."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.store.signatures import is_signed, sign_row
from docproc.store.tables.accounts import ApiKeyRow

log = logging.getLogger(__name__)
_SHAPE = re.compile(r"dp_([0-9a-f]{12})_([0-9a-f]{64})")


def create_key(
    session: Session,
    *,
    subject: str,
    org: str,
    roles: Collection[str],
    by: str,
    owner: str,
    at: datetime,
    expires_at: datetime | None = None,
    networks: Sequence[str] = (),
) -> tuple[ApiKeyRow, str]:
    """Create a key; the second value is the key itself, which is shown once and not stored.

    ``by`` is recorded as who made it, ``owner`` as the person whose acts it counts as beside its subject's; it ends at
    ``expires_at`` and may be used from ``networks`` alone, where there are any.
    """
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    row = ApiKeyRow(
        id=key_id,
        sha256=_hash(secret),
        subject=subject,
        org=org,
        roles=sorted(roles),
        created_at=at,
        created_by=by,
        owner=owner,
        expires_at=expires_at,
        networks=list(networks),
    )
    sign_row(session, row)
    session.add(row)
    session.flush()
    return row, f"dp_{key_id}_{secret}"


def find_key(session: Session, key: str, at: datetime, address: str) -> ApiKeyRow | None:
    """The row of a presented key; ``None`` if it is wrong or not one that this service made, or not :func:`usable`."""
    match = _SHAPE.fullmatch(key)
    row = session.get(ApiKeyRow, match[1]) if match else None
    if match is None or row is None or not hmac.compare_digest(row.sha256, _hash(match[2])):
        return None
    return row if usable(session, row, at, address) else None


def usable(session: Session, row: ApiKeyRow, at: datetime, address: str) -> bool:
    """Whether a key is not revoked, has not ended, and may be used from an address; one that may not is in the log."""
    if row.revoked_at is not None or not is_signed(session, row):
        return False
    if row.expires_at is not None and row.expires_at <= at:
        log.warning("key %s of %s ended at %s: make a new one", row.id, row.subject, row.expires_at.isoformat())
        return False
    if row.networks and not is_within(address, row.networks):
        log.warning("key %s of %s came from %s, which is not among its networks", row.id, row.subject, address)
        return False
    return True


def is_within(address: str, networks: Collection[str]) -> bool:
    """Whether an IP address lies in one of some networks; what is no address lies in none.

    An IPv4 address that came in an IPv6 one (``::ffff:10.0.0.1``) counts as itself.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    plain = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return any((plain or found) in ip_network(item) for item in networks)


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
    row = find_row(session, key_id)
    row.revoked_at = row.revoked_at or at
    sign_row(session, row)
    return row


def persons_behind(session: Session, subject: str, at: datetime | None) -> frozenset[str]:
    """Who may have acted under a name at a moment: the one so called, and the owners of the keys it had then.

    ``at`` is ``None`` where the moment is not known: every key that ever had the name counts then.
    """
    query = sa.select(ApiKeyRow.owner).where(ApiKeyRow.subject == subject)
    if at is not None:
        lives = sa.or_(ApiKeyRow.revoked_at.is_(None), ApiKeyRow.revoked_at >= at)
        query = query.where(ApiKeyRow.created_at <= at, lives)
    return frozenset({subject, *session.scalars(query)})


def names_of(session: Session, persons: Collection[str]) -> frozenset[str]:
    """Every name under which some persons may have acted: their own, and the subjects of the keys that are theirs."""
    query = sa.select(ApiKeyRow.subject).where(ApiKeyRow.owner.in_(persons))
    return frozenset({*persons, *session.scalars(query)})


def keys_named(session: Session, subject: str) -> list[ApiKeyRow]:
    """The keys of a subject that are not revoked, oldest first."""
    query = sa.select(ApiKeyRow).where(ApiKeyRow.subject == subject, ApiKeyRow.revoked_at.is_(None))
    return list(session.scalars(query.order_by(ApiKeyRow.created_at, ApiKeyRow.id)))


def find_row(session: Session, key_id: str) -> ApiKeyRow:
    """A key by its id.

    Raises:
        NotFoundError: no such key.
    """
    row = session.get(ApiKeyRow, key_id)
    if row is None or not is_signed(session, row):
        raise NotFoundError(f"no API key {key_id!r}", message_zh="没有这个密钥")
    return row


def list_keys(session: Session) -> list[ApiKeyRow]:
    """All keys, oldest first."""
    found = session.scalars(sa.select(ApiKeyRow).order_by(ApiKeyRow.created_at, ApiKeyRow.id))
    return [row for row in found if is_signed(session, row)]


def has_keys(session: Session) -> bool:
    """Whether any key was ever created."""
    return session.scalar(sa.select(ApiKeyRow.id).limit(1)) is not None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
