"""Officials: signing in with password and one-time code, sessions, administration.

Passwords are kept as Argon2id hashes (:mod:`docproc.flow.core.passwords`), one-time codes follow RFC 6238 (30 s, one
step to either side) and are taken once. Every way to fail looks the same to the visitor, and is counted and takes
its time whether there is such a name or not (:mod:`docproc.flow.accounts.guesses`).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

import pyotp
from sqlalchemy.orm import Session

from docproc.errors import AccessError, ConflictError, InputError
from docproc.flow.accounts import guesses, oidc
from docproc.flow.core.access import ROLES, SYSTEM, Caller
from docproc.flow.core.context import Context
from docproc.flow.core.passwords import LONGEST_PASSWORD, hash_password, verifies
from docproc.secret_keys import LockedError
from docproc.store.accounts import users
from docproc.store.audit import audit
from docproc.store.locked import lock, unlock
from docproc.store.signatures import sign_row
from docproc.store.tables.accounts import UserRow

log = logging.getLogger(__name__)

SESSION_LASTS, IDLE = timedelta(hours=10), timedelta(minutes=45)
SHOWN_AS_LOCKED = timedelta(minutes=15)
SHORTEST_PASSWORD = 12
STEP = 30
"""Seconds of one step of RFC 6238."""
MACHINES = frozenset({"kiosk", "enterprise"})
"""Roles that sign in with a key."""
NO_PASSWORD = "elsewhere"
"""In place of a hash: nothing verifies against it."""
OFFICIALS = tuple(role for role in ROLES if role not in MACHINES)
_NAME = re.compile(r"[\w.@-]{1,80}")


@dataclass(frozen=True, slots=True)
class Official:
    """Somebody who signed in."""

    caller: Caller
    title: str
    must_change: bool
    """Nothing else is open until the password was changed."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """What is shown once when an official is added or gets new secrets."""

    id: str
    name: str
    password: str
    totp_uri: str
    """``otpauth:`` address for the QR code of an authenticator."""
    totp_secret: str


class UserView(TypedDict):
    """An official, without secrets."""

    id: str
    name: str
    title: str
    org: str
    roles: list[str]
    created_at: datetime
    locked: bool
    disabled: bool
    elsewhere: bool
    """Signs in at the OpenID Connect provider."""


class SignInError(AccessError):
    """Name, password or code are wrong, or there were too many tries; which of them is not disclosed."""

    code = "sign_in_failed"
    message_zh = "登录名、密码或验证码不正确；多次输错后须等待几分钟再试"


def sign_in(ctx: Context, name: str, password: str, code: str, address: str = "") -> str:
    """Begin a session; returns the token for the browser's cookie.

    The try is counted first, then the hash is computed outside of any transaction, then what it allows is done on the
    account as it is by then.

    Args:
        ctx: the service.
        name: as typed.
        password: as typed.
        code: as typed.
        address: the visitor's, as it counts against limits.

    Raises:
        SignInError: it is not them, or there were too many tries.
        BusyError: too many sign in at once.
    """
    name = name.strip()
    with ctx.database.write() as session:
        counted = guesses.may_try(session, name, address, ctx.clock())
        user = users.find_by_name(session, name)
        if user is not None:
            _note_try(session, user, ctx.clock(), counted=counted)
    if counted and verifies(user.password_hash if user is not None else None, password):
        with ctx.database.write() as session:
            at = ctx.clock()
            same = users.find_by_name(session, name, lock=True)
            if user is not None and same is not None and same.password_hash == user.password_hash:
                step = _step_of(ctx, same, code, at)
                if same.disabled_at is None and step is not None:
                    same.failures, same.totp_step = 0, step
                    guesses.succeeded(session, name, address, at)
                    audit.append(session, at, same.name, "user.signed_in", same.name)
                    return users.open_session(session, same, at, SESSION_LASTS)
    raise SignInError("a sign-in failed")


def sign_in_elsewhere(ctx: Context, kept: str, given: dict[str, str]) -> str:
    """Begin a session for who comes back from the OpenID Connect provider; returns the token for the browser's cookie.

    Their groups say what they may do, each time anew; the first time makes their account. A name that another
    account has is not theirs.

    Raises:
        SignInError: it is not proven who they are, no group of theirs is mapped, or the account is shut.
        UnavailableError: the provider is out of reach.
    """
    try:
        claims = oidc.finish(ctx, kept, given)
    except oidc.RefusedError as error:
        log.warning("sign-in at the provider was refused: %s", error)
        raise SignInError(str(error), message_zh="统一身份认证没有成功，请重新登录") from error
    mapped = oidc.grants(ctx.settings.oidc_roles)
    granted = [mapped[group] for group in sorted(claims.groups) if group in mapped]
    orgs = {item.org for item in granted}
    identity = hashlib.sha256(f"{claims.issuer}\n{claims.subject}".encode()).hexdigest()
    with ctx.database.write() as session:
        at = ctx.clock()
        user = users.find_by_identity(session, identity)
        if len(orgs) == 1 and user is None and _NAME.fullmatch(claims.name) and claims.name != SYSTEM:
            user = _add_elsewhere(session, claims, granted[0].org, identity, at)
        if user is not None:
            roles, org = sorted({item.role for item in granted}), next(iter(orgs), user.org)
            if len(orgs) != 1 or user.disabled_at is not None:
                users.close_sessions_of(session, user.id)
                audit.append(session, at, user.name, "user.not_let_in", user.name, groups=len(claims.groups))
            else:
                if (user.roles, user.org) != (roles, org):
                    users.close_sessions_of(session, user.id)
                    audit.append(session, at, SYSTEM, "user.roles_given", user.name, roles=roles, org=org)
                    user.roles, user.org = roles, org
                    sign_row(session, user)
                audit.append(session, at, user.name, "user.signed_in", user.name, provider=claims.issuer)
                return users.open_session(session, user, at, SESSION_LASTS)
    message = "您的统一身份账号没有本系统的权限，请联系管理员"
    raise SignInError(f"{claims.name!r} may do nothing here", message_zh=message)


def _add_elsewhere(session: Session, claims: oidc.Claims, org: str, identity: str, at: datetime) -> UserRow | None:
    if users.is_taken(session, claims.name):
        return None
    user = users.add_user(
        session,
        name=claims.name,
        title=claims.title[:80],
        org=org,
        roles=(),
        password_hash=NO_PASSWORD,
        totp_secret=pyotp.random_base32(),
        by=SYSTEM,
        at=at,
        identity_sha256=identity,
    )
    audit.append(session, at, SYSTEM, "user.added", user.name, provider=claims.issuer, org=org)
    return user


def official(ctx: Context, token: str) -> Official | None:
    """Who sits at a browser; ``None`` when the session is over, idle for too long or the account shut."""
    at = ctx.clock()
    with ctx.database.read() as session:
        found = users.find_session(session, token, at)
        if found is None or at - found[0].seen_at > IDLE:
            return None
        row, user = found
        stale = at - row.seen_at > timedelta(minutes=1)
        caller = Caller(user.id, user.name, user.org, frozenset(user.roles), signed_in=True, how=_how(user))
        here = Official(caller, user.title, user.must_change)
    if stale:  # one write a minute is enough to know that somebody is there
        with ctx.database.write() as session:
            again = users.find_session(session, token, at)
            if again is not None:
                again[0].seen_at = at
    return here


def sign_out(ctx: Context, token: str) -> None:
    """End a session."""
    with ctx.database.write() as session:
        users.close_session(session, token)


def change_password(ctx: Context, caller: Caller, old: str, new: str) -> None:
    """Choose a password; every other session of the person ends.

    Raises:
        InputError: too short, or the old one again.
        SignInError: the old one is wrong.
    """
    if not SHORTEST_PASSWORD <= len(new) <= LONGEST_PASSWORD or hmac.compare_digest(old.encode(), new.encode()):
        raise InputError(
            "password too short or not new", message_zh=f"新密码至少 {SHORTEST_PASSWORD} 位，且不能与旧密码相同"
        )
    with ctx.database.read() as session:
        kept = users.find_user(session, caller.key_id).password_hash
    if not guesses.spend_own(ctx, caller.subject, "password") or not verifies(kept, old):
        raise SignInError("old password is wrong", message_zh="原密码不正确")
    made = hash_password(new)
    with ctx.database.write() as session:
        user = users.find_user(session, caller.key_id, lock=True)
        if user.password_hash != kept:
            raise ConflictError("the password was changed meanwhile")
        guesses.forgive_own(session, caller.subject, "password")
        user.password_hash, user.must_change = made, False
        sign_row(session, user)
        users.close_sessions_of(session, user.id)
        audit.append(session, ctx.clock(), user.name, "user.password_changed", user.name)


def first_user(ctx: Context, keep: Callable[[NewUser], None] = lambda user: None) -> NewUser | None:
    """Make the first administrator on a service without users; ``None`` when there are some.

    ``keep`` gets the account before the database has it, so that one which is there was handed over.
    """
    with ctx.database.read() as session:
        if users.has_users(session):
            return None
    password = _new_password()
    with ctx.database.write() as session:
        if users.has_users(session):
            return None
        user = _add(ctx, session, password, "admin", "系统管理员", "system", ["admin"], SYSTEM)
        keep(user)
        return user


def add_user(ctx: Context, caller: Caller | None, name: str, title: str, org: str, roles: Collection[str]) -> NewUser:
    """Add an official; what is returned is shown this once. ``caller`` is ``None`` on the command line.

    Raises:
        InputError: a role that officials do not have, or a name that is not plain.
        ConflictError: the name is taken.
    """
    if caller is not None:
        caller.require("manage_users")
    if not roles or set(roles) - set(OFFICIALS):
        raise InputError(f"roles are some of {', '.join(OFFICIALS)}", message_zh="请至少选择一个角色")
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(org) or name == SYSTEM:
        raise InputError(
            "name and org are 1 to 80 letters, digits, . @ - _", message_zh="登录名和单位只能用文字、数字和 . @ - _"
        )
    password = _new_password()
    with ctx.database.write() as session:
        return _add(ctx, session, password, name, title.strip()[:80] or name, org, roles, _by(caller))


def renew_secrets(ctx: Context, caller: Caller | None, user_id: str) -> NewUser:
    """Give an official a new password and a new one-time-code secret, and unlock the account.

    Raises:
        ConflictError: they sign in at the provider, and have no secrets here.
    """
    if caller is not None:
        caller.require("manage_users")
    password, secret = _new_password(), pyotp.random_base32()
    with ctx.database.write() as session:
        user = users.find_user(session, user_id, lock=True)
        if user.identity_sha256 is not None:
            raise ConflictError("signs in elsewhere", message_zh="该用户使用统一身份认证登录，在本系统没有密码")
        user.password_hash, user.must_change, user.totp_step = password[1], True, 0
        lock(ctx.keys.secrets, user, "totp_secret", secret)
        guesses.forgive(session, user.name)
        user.failures, user.locked_until = 0, None
        sign_row(session, user)
        users.close_sessions_of(session, user.id)
        audit.append(session, ctx.clock(), _by(caller), "user.secrets_renewed", user.name)
        return _shown(user, password[0], secret)


def set_enabled(ctx: Context, caller: Caller, user_id: str, enabled: bool) -> None:
    """Shut an account out at once, or let it in again.

    Raises:
        InputError: one's own account.
    """
    caller.require("manage_users")
    if user_id == caller.key_id:
        raise InputError("an administrator cannot shut out themselves", message_zh="不能停用自己的账号")
    with ctx.database.write() as session:
        at = ctx.clock()
        user = users.find_user(session, user_id, lock=True)
        user.disabled_at = None if enabled else at
        sign_row(session, user)
        users.close_sessions_of(session, user.id)
        audit.append(session, at, caller.subject, "user.enabled" if enabled else "user.disabled", user.name)


def list_users(ctx: Context, caller: Caller) -> list[UserView]:
    """All officials, without secrets."""
    caller.require("manage_users")
    at = ctx.clock()
    with ctx.database.read() as session:
        return [
            {
                "id": user.id,
                "name": user.name,
                "title": user.title,
                "org": user.org,
                "roles": user.roles,
                "created_at": user.created_at,
                "locked": _is_locked(user, at),
                "disabled": user.disabled_at is not None,
                "elsewhere": user.identity_sha256 is not None,
            }
            for user in users.list_users(session)
        ]


def titles(ctx: Context) -> dict[str, str]:
    """Names to show by sign-in name."""
    with ctx.database.read() as session:
        return users.titles(session)


def _new_password() -> tuple[str, str]:
    """A random password and its hash."""
    password = secrets.token_urlsafe(12)
    return password, hash_password(password)


def _add(
    ctx: Context,
    session: Session,
    password: tuple[str, str],
    name: str,
    title: str,
    org: str,
    roles: Collection[str],
    by: str,
) -> NewUser:
    at, secret = ctx.clock(), pyotp.random_base32()
    user = users.add_user(
        session,
        name=name,
        title=title,
        org=org,
        roles=set(roles),
        password_hash=password[1],
        totp_secret=secret,
        by=by,
        at=at,
    )
    audit.append(session, at, by, "user.added", name, roles=user.roles, org=org)
    return _shown(user, password[0], secret)


def _shown(user: UserRow, password: str, secret: str) -> NewUser:
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.name, issuer_name="docproc")
    return NewUser(user.id, user.name, password, uri, secret)


def _how(user: UserRow) -> str:
    """How an official signs in, for what is signed in their name."""
    return f"oidc:{user.identity_sha256}" if user.identity_sha256 is not None else "password+totp"


def _by(caller: Caller | None) -> str:
    return caller.subject if caller is not None else SYSTEM


def _note_try(session: Session, user: UserRow, at: datetime, *, counted: bool) -> None:
    """Count on the account what is not signed in yet; once it is guessed at, say so, and again after a while."""
    user.failures += 1
    if not counted and not _is_locked(user, at):
        user.locked_until = at + SHOWN_AS_LOCKED
        audit.append(session, at, SYSTEM, "user.locked", user.name, failures=user.failures)


def _is_locked(user: UserRow, at: datetime) -> bool:
    return user.locked_until is not None and user.locked_until > at


def _step_of(ctx: Context, user: UserRow, code: str, at: datetime) -> int | None:
    """The time step that a code belongs to; ``None`` when it is wrong, old or was taken before."""
    try:
        secret = unlock(ctx.keys.secrets, user, "totp_secret")
    except LockedError as error:
        log.error("not believed: %s", error)
        return None
    totp, now = pyotp.TOTP(secret), int(at.timestamp()) // STEP
    fits = [
        s for s in (now - 1, now, now + 1) if hmac.compare_digest(totp.at(s * STEP).encode(), code.strip().encode())
    ]
    return next((s for s in fits if s > user.totp_step), None)
