"""The audit log for those who may read it: its lines, searching it, and whether its chain is whole."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.views import AuditLine, audit_line
from docproc.store.audit import audit, chain


class AuditCheck(TypedDict):
    """Whether the chain is whole."""

    ok: bool
    first_broken: int | None
    problem: str | None
    """What is wrong there, in words."""


def audit_lines(
    ctx: Context, caller: Caller, *, subject: str | None = None, after: int = 0, limit: int = 100
) -> list[AuditLine]:
    """Lines of the audit log."""
    caller.require("audit")
    with ctx.database.read() as session:
        return [audit_line(row) for row in audit.lines(session, subject=subject, after=after, limit=limit)]


def check_audit(ctx: Context, caller: Caller) -> AuditCheck:
    """Whether the audit log's chain is whole."""
    caller.require("audit")
    with ctx.database.read() as session:
        found = chain.walk(session, ctx.keys.known)
    problem = found.problems[0] if found.problems else None
    return {"ok": found.ok, "first_broken": found.broken, "problem": problem}


def search_audit(
    ctx: Context,
    caller: Caller,
    *,
    text: str = "",
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
) -> list[AuditLine]:
    """The newest lines of the audit log that fit."""
    caller.require("audit")
    with ctx.database.read() as session:
        rows = audit.search(session, text=text, action=action, since=since, until=until, before=before)
        return [audit_line(row) for row in rows]
