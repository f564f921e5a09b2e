"""API keys, officials' accounts, and the browser sessions of both."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.store.tables.base import Base, Signed


class ApiKeyRow(Signed, Base):
    """An API key of a person or machine; only the hash of its secret is stored."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    subject: Mapped[str] = mapped_column(sa.String(80), index=True)
    """The person or machine that acts under this name."""
    org: Mapped[str] = mapped_column(sa.String(80))
    roles: Mapped[list[str]]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.String(80))
    owner: Mapped[str] = mapped_column(sa.String(80), index=True)
    """Whose hands the secret came from: who made the key, until its holder takes it over. Acts count as theirs too."""
    revoked_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    """When it was last used, to the minute."""
    expires_at: Mapped[datetime | None]
    """When it ends by itself; ``None``: it was made before keys had an end."""
    networks: Mapped[list[str]] = mapped_column(server_default="[]", default=list)
    """Networks from which it may be used, in CIDR notation; empty: from anywhere."""
    line_waiting: Mapped[int] = mapped_column(server_default="0", default=0)
    """Files in the kiosk's own upload queue, as it last reported."""
    line_since: Mapped[datetime | None]
    """Since when the oldest of them has been waiting."""
    line_told_at: Mapped[datetime | None]
    """When it reported."""

    UNSIGNED = frozenset({"seen_at", "line_waiting", "line_since", "line_told_at"})


class PageSessionRow(Signed, Base):
    """A browser in which somebody entered an API key: a kiosk, or an enterprise; only the token's hash is stored."""

    __tablename__ = "page_sessions"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    key_id: Mapped[str] = mapped_column(sa.ForeignKey("api_keys.id"))
    kind: Mapped[str] = mapped_column(sa.String(12))
    """``kiosk`` or ``wallet``."""
    application: Mapped[str | None] = mapped_column(sa.ForeignKey("applications.number"))
    """The application that the citizen at the kiosk works on; no other is shown."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)

    UNSIGNED = frozenset({"application", "seen_at"})


class UserRow(Signed, Base):
    """An official who signs in with a password and a one-time code."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    """Sign-in name; the subject under which everything that the person does is recorded."""
    title: Mapped[str] = mapped_column(sa.String(80))
    """Name to show."""
    org: Mapped[str] = mapped_column(sa.String(80))
    roles: Mapped[list[str]]
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    """Argon2id."""
    must_change: Mapped[bool]
    """The password was set by somebody else and only allows choosing a new one."""
    totp_secret: Mapped[str] = mapped_column(sa.String(200))
    """Locked (:mod:`docproc.store.locked`), for RFC 6238 needs the secret itself on both sides: base32."""
    totp_step: Mapped[int]
    """Time step of the last accepted code: no code is accepted twice."""
    failures: Mapped[int]
    """Refused since the last sign-in."""
    locked_until: Mapped[datetime | None]
    """Until when the account is shown as guessed at; nobody is refused for it."""
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.String(80))
    disabled_at: Mapped[datetime | None]
    identity_sha256: Mapped[str | None] = mapped_column(sa.String(64), unique=True, index=True)
    """Hash of issuer and subject at the OpenID Connect provider, for officials who sign in there."""

    UNSIGNED = frozenset({"totp_step", "failures", "locked_until"})


class TryRow(Base):
    """Guesses at secrets: a bucket of one name, one address, or both together, or a note about a name."""

    __tablename__ = "sign_in_tries"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    """Of the name and of what else it is counted by."""
    name_sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    spent: Mapped[float]
    at: Mapped[datetime]
    """When that was so; the bucket empties evenly."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


class OidcLoginRow(Base):
    """A sign-in that was redirected to the provider and has not returned yet."""

    __tablename__ = "oidc_logins"

    state_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.String(200))
    """Locked, as the verifier."""
    verifier: Mapped[str] = mapped_column(sa.String(300))
    """PKCE, RFC 7636."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


class UserSessionRow(Signed, Base):
    """A browser in which an official signed in; only the token's hash is stored."""

    __tablename__ = "user_sessions"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    UNSIGNED = frozenset({"seen_at"})
