"""The audit log for who may read it: its lines, and whether its chain is whole."""

from __future__ import annotations

from typing import Any

from docproc.flow.core import views
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.store.audit import audit


def audit_lines(
    ctx: Context, caller: Caller, *, subject: str | None = None, after: int = 0, limit: int = 100
) -> list[dict[str, Any]]:
    """Lines of the audit log."""
    caller.require("audit")
    with ctx.database.read() as session:
        return [views.audit_line(row) for row in audit.lines(session, subject=subject, after=after, limit=limit)]


def check_audit(ctx: Context, caller: Caller) -> dict[str, Any]:
    """Whether the audit log's chain is whole."""
    caller.require("audit")
    with ctx.database.read() as session:
        broken = audit.first_broken(session)
        return {"ok": broken is None, "first_broken": broken}
