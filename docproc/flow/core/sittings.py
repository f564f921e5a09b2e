"""How long a citizen's session at a kiosk lasts: to the end of the day; with a key alone a while after handing in.

A kiosk's browser holds its citizen's application until they leave it. A program with a kiosk's key has no such moment,
so what it opened stays open to the key for a time; afterwards only the code on the receipt opens it, which the citizen
holds and the kiosk does not keep.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from docproc.domain import CHINA
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.jobs import fair_queue
from docproc.matter.load import find_matter
from docproc.store.tables.applications import ApplicationRow

AT_LEAST = timedelta(hours=1)
"""A session that begins just before midnight is not cut off in its middle."""


def end_of_day(at: datetime, days: int = 1) -> datetime:
    """The midnight in China that ends the day, or a later one; at least an hour away.

    Args:
        at: when a session began.
        days: how many midnights it lasts, from 1.
    """
    begun = at.astimezone(CHINA)
    midnight = datetime.combine(begun.date() + timedelta(days=days), time(), CHINA)
    return max(midnight, begun + AT_LEAST).astimezone(at.tzinfo)


def open_to_key(ctx: Context, caller: Caller, row: ApplicationRow) -> None:
    """Let a kiosk's key go on with what it opened: a draft to the end of the day, what is handed in a while longer.

    A batch of scans waits for its readers for days, so its drafts stay open as long as drafts are kept.
    """
    if not caller.sees_own_only or caller.session is not None:
        return
    at = ctx.clock()
    if row.status != "draft":
        row.kiosk_until = min(at + timedelta(minutes=ctx.settings.kiosk_session_minutes), end_of_day(at))
    elif row.channel == fair_queue.BATCH:
        row.kiosk_until = at + timedelta(days=find_matter(row.matter).retention.draft_days)
    else:
        row.kiosk_until = end_of_day(at)
