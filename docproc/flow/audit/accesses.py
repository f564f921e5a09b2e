"""The access log for those who may read it, and what a worker does with it: closing batches, erasing what is old."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypedDict

from docproc.flow.applications.applications import visible
from docproc.flow.core import reads
from docproc.flow.core.access import SYSTEM, Caller
from docproc.flow.core.context import Context
from docproc.flow.core.views import iso
from docproc.store.audit import access_log, audit
from docproc.store.audit.access_log import Wanted
from docproc.store.tables.audit import AccessRow

CLOSE_AFTER = timedelta(seconds=30)
"""A reading is closed into a batch no later than so long after it, and the worker's next look."""
CLOSE_AT = 1000
"""So many open readings are closed at once, however young."""
MOST_IN_BATCH = 5000
MOST_EXPORTED = 100_000
_NO_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet would take for a formula."""


class AccessLine(TypedDict):
    """One reading."""

    id: str
    at: str
    actor: str
    credential: str
    roles: str
    org: str
    kind: str
    subject: str
    item: str
    purpose: str
    stated: str
    address: str
    batch: int | None


def search(ctx: Context, caller: Caller, wanted: Wanted) -> list[AccessLine]:
    """The newest readings that fit; looking at them is a reading too."""
    caller.require("audit")
    with ctx.database.read() as session:
        found = [_line(row) for row in access_log.search(session, wanted)]
    reads.note(caller, "access_log", wanted.subject or wanted.actor)
    return found


def readers(ctx: Context, caller: Caller, number: str, *, before: str = "", limit: int = 200) -> list[AccessLine]:
    """Who was given something of an application, or of the licence it led to, newest first.

    Raises:
        AccessError: the caller is no approver and no auditor.
        NotFoundError: no such application for this caller.
    """
    caller.require("readers")
    with ctx.database.read() as session:
        visible(session, caller, number, "view")
        wanted = Wanted(subject=number, before=before, limit=limit)
        found = [_line(row) for row in access_log.search(session, wanted)]
    reads.note(caller, "access_log", number)
    return found


def export(ctx: Context, caller: Caller, *, since: datetime | None = None, until: datetime | None = None) -> bytes:
    """The readings of a time as CSV in UTF-8, newest first, at most :data:`MOST_EXPORTED`."""
    lines = search(ctx, caller, Wanted(since=since, until=until, limit=MOST_EXPORTED))
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(AccessLine.__annotations__)
    table.writerows([_plain(value) for value in line.values()] for line in lines)
    return written.getvalue().encode("utf-8-sig")


def close_due(ctx: Context) -> int:
    """Close open readings into a batch if there are many, or some that are old; returns how many were closed."""
    with ctx.database.read() as session:
        oldest = access_log.oldest_open(session)
        if oldest is None:
            return 0
        if ctx.clock() - oldest.at < CLOSE_AFTER and access_log.count_open(session, CLOSE_AT) < CLOSE_AT:
            return 0
    return sum(close_open(ctx))


def close_open(ctx: Context) -> Iterator[int]:
    """Close all open readings, batch after batch; gives the rows of each."""
    while True:
        with ctx.database.write() as session:
            batch = access_log.close(session, MOST_IN_BATCH)
            if batch is None:
                return
            told = {"batch": batch.number, "rows": batch.rows, "sha256": batch.sha256}
            told |= {"first": batch.first, "last": batch.last}
            if batch.foreign:
                told["foreign"] = list(batch.foreign)
            audit.append(session, ctx.clock(), SYSTEM, access_log.CLOSED, access_log.SUBJECT, **told)
        yield batch.rows
        if batch.rows < MOST_IN_BATCH:
            return


def erase_old(ctx: Context) -> int:
    """Delete readings that are older than the settings say, in whole batches; returns how many."""
    with ctx.database.write() as session:
        at = ctx.clock()
        gone = access_log.erase(session, at - timedelta(days=ctx.settings.access_log_days))
        if gone is None:
            return 0
        audit.append(session, at, SYSTEM, access_log.ERASED, access_log.SUBJECT, batch=gone[0], rows=gone[1])
        return gone[1]


def _line(row: AccessRow) -> AccessLine:
    return {
        "id": row.id,
        "at": iso(row.at),
        "actor": row.actor,
        "credential": row.credential,
        "roles": row.roles,
        "org": row.org,
        "kind": row.kind,
        "subject": row.subject,
        "item": row.item,
        "purpose": row.purpose,
        "stated": row.stated,
        "address": row.address,
        "batch": row.batch,
    }


def _plain(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_NO_FORMULA) else text
