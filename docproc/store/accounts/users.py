"""Queries on officials and their sessions; nothing is committed here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import ConflictError, NotFoundError
from docproc.store.db import keys_of
from docproc.store.locked import lock, unlock
from docproc.store.signatures import is_signed, sign_row
from docproc.store.tables.accounts import OidcLoginRow, UserRow, UserSessionRow


def add_user(
    session: Session,
    *,
    name: str,
    title: str,
    org: str,
    roles: Collection[str],
    password_hash: str,
    totp_secret: str,
    by: str,
    at: datetime,
    identity_sha256: str | None = None,
) -> UserRow:
    """Insert an official, with an initial password that must be changed or an identity at an OpenID Connect provider.

    Raises:
        ConflictError: the name is taken.
    """
    if is_taken(session, name):
        raise ConflictError(f"user {name!r} exists already", message_zh="这个登录名已被使用")
    row = UserRow(
        id=secrets.token_hex(6),
        name=name,
        title=title,
        org=org,
        roles=sorted(roles),
        password_hash=password_hash,
        must_change=identity_sha256 is None,
        totp_step=0,
        failures=0,
        created_at=at,
        created_by=by,
        identity_sha256=identity_sha256,
    )
    lock(keys_of(session).secrets, row, "totp_secret", totp_secret)
    sign_row(session, row)
    session.add(row)
    session.flush()
    return row


def is_taken(session: Session, name: str) -> bool:
    """Whether there is an account of this name, be it one that nobody can sign in with."""
    return session.scalar(sa.select(UserRow.id).where(UserRow.name == name)) is not None


def find_by_name(session: Session, name: str, *, lock: bool = False) -> UserRow | None:
    """The official with this sign-in name; ``None`` too for an account that this service did not make."""
    query = sa.select(UserRow).where(UserRow.name == name)
    return _genuine(session, session.scalars(query.with_for_update() if lock else query).one_or_none())


def find_by_identity(session: Session, identity_sha256: str) -> UserRow | None:
    """The official with this identity at the identity provider, locked."""
    query = sa.select(UserRow).where(UserRow.identity_sha256 == identity_sha256)
    return _genuine(session, session.scalars(query.with_for_update()).one_or_none())


def find_user(session: Session, user_id: str, *, lock: bool = False) -> UserRow:
    """The official with this id; locked where it is signed anew, for another process may lock its secret anew.

    Raises:
        NotFoundError: no such official.
    """
    row = _genuine(session, session.get(UserRow, user_id, with_for_update=lock))
    if row is None:
        raise NotFoundError(f"no user {user_id!r}", message_zh="没有这个用户")
    return row


def has_users(session: Session) -> bool:
    """Whether there is any account."""
    return session.scalar(sa.select(UserRow.id).limit(1)) is not None


def list_users(session: Session) -> list[UserRow]:
    """All officials by name."""
    return [row for row in session.scalars(sa.select(UserRow).order_by(UserRow.name)) if is_signed(session, row)]


def titles(session: Session) -> dict[str, str]:
    """Display names by sign-in name."""
    return dict(session.execute(sa.select(UserRow.name, UserRow.title)).all())


def open_session(session: Session, user: UserRow, at: datetime, lasts: timedelta) -> str:
    """Begin a session; returns its token, of which only the hash is stored."""
    session.execute(sa.delete(UserSessionRow).where(UserSessionRow.expires_at < at))
    token = secrets.token_urlsafe(32)
    row = UserSessionRow(sha256=_hash(token), user_id=user.id, created_at=at, seen_at=at, expires_at=at + lasts)
    sign_row(session, row)
    session.add(row)
    session.flush()
    return token


def find_session(session: Session, token: str, at: datetime) -> tuple[UserSessionRow, UserRow] | None:
    """An open session and its official; ``None`` when it has expired or the account was disabled."""
    row = session.get(UserSessionRow, _hash(token))
    if row is None or row.expires_at <= at or not is_signed(session, row):
        return None
    user = _genuine(session, session.get(UserRow, row.user_id))
    return (row, user) if user is not None and user.disabled_at is None else None


def close_session(session: Session, token: str) -> None:
    """End a session."""
    session.execute(sa.delete(UserSessionRow).where(UserSessionRow.sha256 == _hash(token)))


def close_sessions_of(session: Session, user_id: str) -> None:
    """End every session of an official."""
    session.execute(sa.delete(UserSessionRow).where(UserSessionRow.user_id == user_id))


def add_login(session: Session, state: str, nonce: str, verifier: str, *, at: datetime, expires_at: datetime) -> None:
    """Store a sign-in that was redirected to the identity provider; expired ones are deleted."""
    session.execute(sa.delete(OidcLoginRow).where(OidcLoginRow.expires_at < at))
    row = OidcLoginRow(state_sha256=_hash(state), expires_at=expires_at)
    for name, secret in (("nonce", nonce), ("verifier", verifier)):
        lock(keys_of(session).secrets, row, name, secret)
    session.add(row)
    session.flush()


def take_login(session: Session, state: str, at: datetime) -> tuple[str, str] | None:
    """Remove the stored sign-in with this ``state`` value, so that it can be used only once; its nonce and verifier."""
    query = sa.delete(OidcLoginRow).where(OidcLoginRow.state_sha256 == _hash(state), OidcLoginRow.expires_at > at)
    row = session.scalars(query.returning(OidcLoginRow)).one_or_none()
    keys = keys_of(session).secrets
    return None if row is None else (unlock(keys, row, "nonce"), unlock(keys, row, "verifier"))


def _genuine(session: Session, row: UserRow | None) -> UserRow | None:
    return row if row is not None and is_signed(session, row) else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
