"""Events for those who ask for them by number."""

from __future__ import annotations

from typing import Any

from docproc.flow.core import views
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.store.messages import outbox


def events(ctx: Context, caller: Caller, *, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
    """Events of the caller's organisation after a number."""
    caller.require("events")
    with ctx.database.read() as session:
        org = None if caller.sees_all else caller.org
        return [views.event(row) for row in outbox.events(session, org=org, after=after, limit=limit)]
