"""Accounts compared with what the audit log says of them: who was added, with which roles, and who was shut out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.accounts import ApiKeyRow, UserRow
from docproc.store.tables.audit import AuditRow


@dataclass(frozen=True, slots=True)
class _Account:
    """An official or a key as the log tells it, or as its row says."""

    roles: tuple[str, ...]
    org: str | None
    """``None`` where the log does not tell."""
    holder: str
    shut: bool = False


def differing_accounts(session: Session) -> Iterator[str]:
    """Officials and API keys that no line of the log made, that differ from their lines, or that are gone."""
    for what, logged, kept in (
        ("user", _logged_users(session), _users(session)),
        ("API key", _logged_keys(session), _keys(session)),
    ):
        for name in sorted(kept.keys() - logged.keys()):
            yield f"{what} {name}: no line of the log added it"
        for name in sorted(logged.keys() - kept.keys()):
            yield f"{what} {name}: was added, and is gone"
        for name in sorted(logged.keys() & kept.keys()):
            yield from (f"{what} {name}: {problem}" for problem in _compare(logged[name], kept[name]))


def _compare(logged: _Account, kept: _Account) -> Iterator[str]:
    if logged.roles != kept.roles:
        yield f"has the roles {', '.join(kept.roles) or 'none'}, and the log gave {', '.join(logged.roles) or 'none'}"
    if logged.org not in (None, kept.org):
        yield f"belongs to {kept.org}, and by the log to {logged.org}"
    if logged.holder != kept.holder:
        yield f"is held by {kept.holder}, and by the log by {logged.holder}"
    if logged.shut != kept.shut:
        yield "is open, and the log shut it" if logged.shut else "is shut, and no line of the log did that"


def _logged_users(session: Session) -> dict[str, _Account]:
    found: dict[str, _Account] = {}
    for line in _lines(session, ("user.added", "user.roles_given", "user.disabled", "user.enabled")):
        name, detail = line.subject, line.detail
        if line.action in ("user.added", "user.roles_given"):
            shut = name in found and found[name].shut
            found[name] = _Account(tuple(sorted(detail.get("roles", ()))), detail.get("org"), name, shut)
        elif name in found:
            found[name] = replace(found[name], shut=line.action == "user.disabled")
    return found


def _users(session: Session) -> dict[str, _Account]:
    rows = session.execute(sa.select(UserRow.name, UserRow.roles, UserRow.org, UserRow.disabled_at))
    return {name: _Account(tuple(sorted(roles)), org, name, shut is not None) for name, roles, org, shut in rows}


def _logged_keys(session: Session) -> dict[str, _Account]:
    found: dict[str, _Account] = {}
    for line in _lines(session, ("key.created", "key.taken_over", "key.revoked")):
        detail, over = line.detail, line.subject
        if line.action != "key.revoked":
            found[line.subject] = _Account(tuple(sorted(detail["roles"])), detail.get("org"), detail["holder"])
            over = detail.get("former", "")
        if over in found:
            found[over] = replace(found[over], shut=True)
    return found


def _keys(session: Session) -> dict[str, _Account]:
    columns = ApiKeyRow.id, ApiKeyRow.roles, ApiKeyRow.org, ApiKeyRow.subject, ApiKeyRow.revoked_at
    rows = session.execute(sa.select(*columns))
    return {key: _Account(tuple(sorted(roles)), org, who, shut is not None) for key, roles, org, who, shut in rows}


def _lines(session: Session, actions: tuple[str, ...]) -> list[AuditRow]:
    return list(session.scalars(sa.select(AuditRow).where(AuditRow.action.in_(actions)).order_by(AuditRow.seq)))
