"""Events for those who ask for them by number."""

from __future__ import annotations

from typing import TypedDict

from docproc.canonical import JsonObject
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.views import iso
from docproc.store.messages import outbox
from docproc.store.tables.messages import OutboxRow


class EventView(TypedDict):
    """What happened, as the feed and every receiver get it."""

    id: int
    topic: str
    subject: str
    at: str
    body: JsonObject


def event_view(row: OutboxRow) -> EventView:
    """One event for others."""
    return {"id": row.id, "topic": row.topic, "subject": row.subject, "at": iso(row.created_at), "body": row.body}


def events(ctx: Context, caller: Caller, *, after: int = 0, limit: int = 100) -> list[EventView]:
    """Events of the caller's organisation after a number."""
    caller.require("events")
    with ctx.database.read() as session:
        org = None if caller.sees_all else caller.org
        return [event_view(row) for row in outbox.events(session, org=org, after=after, limit=limit)]
