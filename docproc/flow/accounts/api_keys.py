"""API keys: whose a key is, making and revoking keys."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import TypedDict

from sqlalchemy.orm import Session

from docproc.errors import AccessError, ConflictError, InputError, UnavailableError
from docproc.flow.core.access import ROLES, SYSTEM, Caller
from docproc.flow.core.context import Context
from docproc.flow.core.idempotency import Once, run_once
from docproc.flow.core.views import iso, iso_or_none
from docproc.store.accounts import api_keys
from docproc.store.audit import audit
from docproc.store.tables.accounts import ApiKeyRow

log = logging.getLogger(__name__)


class KeyView(TypedDict):
    """An API key without its secret."""

    id: str
    subject: str
    org: str
    roles: list[str]
    created_at: str
    created_by: str
    owner: str
    """The person whose acts the key counts as, beside its subject's."""
    revoked_at: str | None
    seen_at: str | None
    expires_at: str | None
    """When it ends; ``None``: it was made before keys had an end, and should be replaced."""
    networks: list[str]
    """From where it may be used, in CIDR notation; empty: from anywhere."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a key is limited to beside its organisation and roles."""

    days: int | None = None
    """How long it lives; ``None``: as long as the settings say (``DOCPROC_KEY_DAYS``)."""
    networks: Sequence[str] = ()
    """From where it may be used: addresses, or networks in CIDR notation; empty: from anywhere."""


UNLIMITED = Limits()
MOST_DAYS = 3650
MOST_NETWORKS = 50


class CreatedKey(KeyView):
    """A new API key."""

    key: str | None
    """``None`` in the answer to a repeated request."""


_NAME = re.compile(r"[\w.@-]{1,80}")


def authenticate(ctx: Context, key: str, address: str = "") -> Caller | None:
    """Whose key this is; ``None`` when it is wrong or revoked, has ended, or may not be used from this address."""
    at = ctx.clock()
    with ctx.database.read() as session:
        row = api_keys.find_key(session, key, at, address)
    if row is None:
        return None
    note_use(ctx, row)
    return Caller(row.id, row.subject, row.org, frozenset(row.roles), row.owner, at=at, address=address)


def note_use(ctx: Context, row: ApiKeyRow) -> None:
    """Note that a key is in use, at most once a minute; nobody waits for it where the database is busy."""
    at = ctx.clock()
    if not api_keys.is_stale(row, at):
        return
    try:
        with ctx.database.write() as session:
            api_keys.note_use(session, row.id, at)
    except UnavailableError as error:
        log.warning("the use of key %s was not noted: %s", row.id, error)


def first_key(ctx: Context, keep: Callable[[str], None] = lambda key: None) -> str | None:
    """Make the first administrator's key on a fresh database; ``None`` when there are keys already.

    ``keep`` gets the key before the database has it, so that a key which is there was handed over.
    """
    with ctx.database.write() as session:
        if api_keys.has_keys(session):
            return None
        key = _made(ctx, session, ctx.clock(), None, "admin", "system", ["admin"], UNLIMITED)[1]
        keep(key)
        return key


def create_key(
    ctx: Context,
    caller: Caller | None,
    subject: str,
    org: str,
    roles: Collection[str],
    once: Once | None = None,
    limits: Limits = UNLIMITED,
) -> CreatedKey:
    """Make a key; ``key`` of the answer is shown this once and is ``None`` when the request is repeated.

    Where two persons are needed, what is done with it counts as done by who made it too, until its holder takes it
    over (:func:`take_over`). ``caller`` is ``None`` on the command line: who operates the machine vouches that the
    key goes to its subject alone.

    Raises:
        InputError: an unknown role, a subject or organisation that is not a plain name, or limits that make no sense.
    """
    if caller is not None:
        caller.require("manage_keys")
    unknown = sorted(set(roles) - set(ROLES))
    if unknown or not roles:
        raise InputError(f"roles {unknown} are none of {', '.join(ROLES)}", message_zh="角色不正确")
    if not _NAME.fullmatch(subject) or not _NAME.fullmatch(org) or subject == SYSTEM:
        raise InputError("subject and org are 1 to 80 letters, digits, . @ - _", message_zh="名称格式不正确")
    limits = _checked(limits)
    made: dict[str, str] = {}

    def work(session: Session) -> KeyView:
        row, key = _made(ctx, session, ctx.clock(), caller, subject, org, roles, limits)
        made[row.id] = key  # beside the answer, which is kept for repeated requests: no secret is stored
        return key_view(row)

    if caller is None:
        with ctx.database.write() as session:
            answer = work(session)
    else:
        answer = run_once(ctx, caller, once, work)
    return {**answer, "key": made.get(answer["id"])}


def take_over(ctx: Context, caller: Caller | None, key_id: str) -> CreatedKey:
    """Make a key its holder's own: it is revoked, and a new secret that its maker never saw takes its place.

    The holder signs in with the account that has the key's subject for its name, and shows thereby who it is. What was
    done with the old key still counts as its maker's. ``caller`` is ``None`` on the command line, see
    :func:`create_key`.

    Raises:
        AccessError: the key is for somebody else, or the caller has a key only and no account.
        NotFoundError: no such key.
        ConflictError: it is revoked.
    """
    with ctx.database.write() as session:
        at = ctx.clock()
        old = api_keys.find_row(session, key_id)
        if caller is not None and not is_for(caller, old):
            raise AccessError("only who is named on a key takes it over", message_zh="只有密钥上写明的本人可以接管")
        if old.revoked_at is not None:
            raise ConflictError("the key is revoked", message_zh="这个密钥已作废")
        api_keys.revoke_key(session, key_id, at)
        row, key = api_keys.create_key(
            session,
            subject=old.subject,
            org=old.org,
            roles=old.roles,
            by=caller.subject if caller is not None else SYSTEM,
            owner=old.subject,
            at=at,
            expires_at=old.expires_at or _end(ctx, at, UNLIMITED),
            networks=old.networks,
        )
        noted = {"holder": row.subject, "roles": row.roles, "former": key_id}
        audit.append(session, at, row.created_by, "key.taken_over", row.id, **noted)
        return {**key_view(row), "key": key}


def is_for(caller: Caller, row: ApiKeyRow) -> bool:
    """Whether a key bears the name of the account with which somebody signed in."""
    return caller.signed_in and row.subject == caller.subject


def own_keys(ctx: Context, caller: Caller) -> list[KeyView]:
    """The keys in the name of who signed in that are not revoked."""
    with ctx.database.read() as session:
        return [key_view(row) for row in api_keys.keys_named(session, caller.subject)] if caller.signed_in else []


def _made(
    ctx: Context,
    session: Session,
    at: datetime,
    caller: Caller | None,
    subject: str,
    org: str,
    roles: Collection[str],
    limits: Limits,
) -> tuple[ApiKeyRow, str]:
    by, owner = (caller.subject, caller.person) if caller is not None else (SYSTEM, subject)
    limited = {"expires_at": _end(ctx, at, limits), "networks": limits.networks}
    whose = {"subject": subject, "org": org, "by": by, "owner": owner}
    row, key = api_keys.create_key(session, roles=set(roles), at=at, **whose, **limited)  # type: ignore[arg-type]
    noted = {"expires_at": iso_or_none(row.expires_at), "networks": row.networks}
    audit.append(session, at, by, "key.created", row.id, holder=subject, roles=row.roles, **noted)
    return row, key


def _end(ctx: Context, at: datetime, limits: Limits) -> datetime:
    return at + timedelta(days=limits.days if limits.days is not None else ctx.settings.key_days)


def _checked(limits: Limits) -> Limits:
    """The limits with each network as it is written.

    Raises:
        InputError: no number of days for a key, or what is no network.
    """
    if limits.days is not None and not 1 <= limits.days <= MOST_DAYS:
        raise InputError(f"a key lives 1 to {MOST_DAYS} days", message_zh=f"密钥有效期为 1 至 {MOST_DAYS} 天")
    found = []
    for text in limits.networks:
        try:
            found.append(str(ip_network(text.strip(), strict=False)))
        except ValueError:
            raise InputError(f"{text!r} is no address or network", message_zh="网络地址格式不正确") from None
    if len(found) > MOST_NETWORKS:
        raise InputError(f"a key has at most {MOST_NETWORKS} networks", message_zh="网络地址过多")
    return Limits(limits.days, tuple(dict.fromkeys(found)))


def revoke_key(ctx: Context, caller: Caller, key_id: str) -> KeyView:
    """Revoke a key at once and for ever."""
    caller.require("manage_keys")
    with ctx.database.write() as session:
        at = ctx.clock()
        row = api_keys.revoke_key(session, key_id, at)
        audit.append(session, at, caller.subject, "key.revoked", key_id)
        return key_view(row)


def list_keys(ctx: Context, caller: Caller) -> list[KeyView]:
    """All keys, without secrets."""
    caller.require("manage_keys")
    with ctx.database.read() as session:
        return [key_view(row) for row in api_keys.list_keys(session)]


def key_view(row: ApiKeyRow) -> KeyView:
    """A key without its secret."""
    return {
        "id": row.id,
        "subject": row.subject,
        "org": row.org,
        "roles": row.roles,
        "created_at": iso(row.created_at),
        "created_by": row.created_by,
        "owner": row.owner,
        "revoked_at": iso_or_none(row.revoked_at),
        "seen_at": iso_or_none(row.seen_at),
        "expires_at": iso_or_none(row.expires_at),
        "networks": row.networks,
    }
