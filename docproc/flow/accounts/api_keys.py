"""API keys: whose a key is, making and revoking keys."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from typing import TypedDict

from sqlalchemy.orm import Session

from docproc.errors import InputError, UnavailableError
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
    revoked_at: str | None
    seen_at: str | None


class CreatedKey(KeyView):
    """A new API key."""

    key: str | None
    """``None`` in the answer to a repeated request."""


_NAME = re.compile(r"[\w.@-]{1,80}")


def authenticate(ctx: Context, key: str) -> Caller | None:
    """Whose key this is; ``None`` when it is wrong or revoked."""
    with ctx.database.read() as session:
        row = api_keys.find_key(session, key)
    if row is None:
        return None
    note_use(ctx, row)
    return Caller(row.id, row.subject, row.org, frozenset(row.roles))


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


def first_key(ctx: Context) -> str | None:
    """Make the first administrator's key on a fresh database; ``None`` when there are keys already."""
    with ctx.database.write() as session:
        if api_keys.has_keys(session):
            return None
        at = ctx.clock()
        row, key = api_keys.create_key(session, subject="admin", org="system", roles=["admin"], by=SYSTEM, at=at)
        audit.append(session, at, SYSTEM, "key.created", row.id, holder=row.subject, roles=row.roles)
        return key


def create_key(
    ctx: Context, caller: Caller, subject: str, org: str, roles: Collection[str], once: Once | None = None
) -> CreatedKey:
    """Make a key; ``key`` of the answer is shown this once and is ``None`` when the request is repeated.

    Raises:
        InputError: an unknown role, or a subject or organisation that is not a plain name.
    """
    caller.require("manage_keys")
    unknown = sorted(set(roles) - set(ROLES))
    if unknown or not roles:
        raise InputError(f"roles {unknown} are none of {', '.join(ROLES)}", message_zh="角色不正确")
    if not _NAME.fullmatch(subject) or not _NAME.fullmatch(org) or subject == SYSTEM:
        raise InputError("subject and org are 1 to 80 letters, digits, . @ - _", message_zh="名称格式不正确")
    made: dict[str, str] = {}

    def work(session: Session) -> KeyView:
        at = ctx.clock()
        row, key = api_keys.create_key(session, subject=subject, org=org, roles=set(roles), by=caller.subject, at=at)
        audit.append(session, at, caller.subject, "key.created", row.id, holder=subject, roles=row.roles)
        made[row.id] = key  # beside the answer, which is kept for repeated requests: no secret is stored
        return key_view(row)

    answer = run_once(ctx, caller, once, work)
    return {**answer, "key": made.get(answer["id"])}


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
        "revoked_at": iso_or_none(row.revoked_at),
        "seen_at": iso_or_none(row.seen_at),
    }
