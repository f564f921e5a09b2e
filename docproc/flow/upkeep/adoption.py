"""Taking up what the version before wrote without signatures: once, at the first start of a web process with its key.

Accounts, seals, recognised roots, matters, open applications and issued licences are signed as adopted. Approvals that
are not sealed yet are not: they go back to their official, who confirms them once. That this was done stands beside the
key and not in the database, so that taking rows away there cannot bring it about again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.canonical import JsonObject
from docproc.errors import SetupError
from docproc.flow.applications.applications import set_back
from docproc.flow.core.context import Context
from docproc.flow.core.views import iso
from docproc.private_file import write_private
from docproc.store.accounts.api_keys import persons_behind
from docproc.store.audit import audit
from docproc.store.signatures import sign_row
from docproc.store.tables.accounts import ApiKeyRow, PageSessionRow, UserRow, UserSessionRow
from docproc.store.tables.applications import ApplicationRow, NoticeRow
from docproc.store.tables.base import ProposedChange, Signed
from docproc.store.tables.licences import LicenceRow, LicenceVersionRow
from docproc.store.tables.matters import CatalogueChangeRow
from docproc.store.tables.review import DecisionRow, OpinionRow
from docproc.store.tables.seals import SealChangeRow, SealRow, TrustChangeRow

log = logging.getLogger(__name__)

RECORD = "web.adopted.json"
PORTION = 2000
"""Rows that are signed in one transaction."""
OPEN = ("draft", "submitted", "accepted", "returned", "approved")
CONFIRM = "需重新确认：系统升级前的批准没有签名，请审批人再批准一次"
ORDER_AGAIN = "系统升级前提出的更正或换发没有签名，请重新提出"
_ACCOUNTS: tuple[type[Signed], ...] = (UserRow, ApiKeyRow, UserSessionRow, PageSessionRow)
_CHANGES: tuple[type[ProposedChange], ...] = (SealChangeRow, TrustChangeRow, CatalogueChangeRow)


def adopt(ctx: Context) -> int:
    """Sign what the version before left, unless that was done; returns how many rows were signed.

    A log that is signed already shows that there is nothing of the version before. Cut short, it goes on where it was.

    Raises:
        SetupError: the record cannot be kept beside the key.
    """
    folder, key = ctx.keys.folder, ctx.keys.own
    if folder is None or key is None or key.role != "web" or (folder / RECORD).exists():
        return 0
    with ctx.database.read() as session:
        last = audit.last(session)
    count = _adopt_all(ctx) if last is not None and not last.signature else 0
    _record(folder, {"at": iso(ctx.clock()), "key": key.id, "rows": count})
    if count:
        log.warning("%s rows that the version before wrote were taken up and signed", count)
    return count


def _record(folder: Path, said: JsonObject) -> None:
    try:
        write_private(folder / RECORD, json.dumps(said).encode() + b"\n")
    except OSError as error:
        raise SetupError(f"{folder / RECORD} cannot be written: {error.strerror}") from error


def _adopt_all(ctx: Context) -> int:
    done = sum(_each(ctx, table, lambda session, row: sign_row(session, row, adopted=True)) for table in _ACCOUNTS)
    done += sum(_each(ctx, table, _adopt_change) for table in _CHANGES)
    done += _each(ctx, SealRow, _adopt_seal)
    at = ctx.clock()
    done += _each(ctx, ApplicationRow, lambda s, row: _adopt_application(s, row, at), ApplicationRow.status.in_(OPEN))
    done += _each(ctx, OpinionRow, lambda session, row: _adopt_act(session, row, row.by))
    done += _each(ctx, NoticeRow, _adopt_notice, NoticeRow.state.in_(("queued", "waiting", "failed")))
    done += _each(ctx, LicenceRow, lambda session, row: sign_row(session, row, adopted=True))
    with ctx.database.write() as session:
        waiting = sa.update(LicenceVersionRow).where(LicenceVersionRow.state.in_(("queued", "waiting")))
        session.execute(waiting.values(state="failed", note=ORDER_AGAIN))
    return done


def _each(
    ctx: Context, table: type[Signed], adopt_one: Callable[[Session, Any], None], *where: sa.ColumnElement[bool]
) -> int:
    """Adopt all rows of a table that have no signature yet, in portions; returns how many."""
    keys = sa.inspect(table).primary_key
    done, after = 0, None
    while True:
        query = sa.select(table).where(*where).order_by(*keys).limit(PORTION)
        if after is not None:
            query = query.where(sa.tuple_(*keys) > sa.tuple_(*map(sa.literal, after)))
        with ctx.database.write() as session:
            rows = list(session.scalars(query))
            for row in rows:
                if row.signed is None:
                    adopt_one(session, row)
                    done += 1
        if len(rows) < PORTION:
            return done
        after = sa.inspect(rows[-1]).identity


def _adopt_change(session: Session, row: ProposedChange) -> None:
    _adopt_act(session, row, row.proposed_by)
    if row.state != "open":
        sign_row(session, row, part="closing_signed", person=_person(row.closed_by or "", ()), adopted=True)


def _adopt_seal(session: Session, row: SealRow) -> None:
    sign_row(session, row, at=iso(row.registered_at), adopted=True)


def _adopt_application(session: Session, row: ApplicationRow, at: datetime) -> None:
    _adopt_act(session, row, row.created_by)
    if row.status == "approved" and row.seal_state != "sealed":
        set_back(session, row, CONFIRM, at)


def _adopt_notice(session: Session, row: NoticeRow) -> None:
    decision = session.get_one(DecisionRow, row.decision)
    _adopt_act(session, row, decision.by)
    _adopt_act(session, decision, decision.by)


def _adopt_act(session: Session, row: Signed, by: str) -> None:
    sign_row(session, row, person=_person(by, persons_behind(session, by, None)), adopted=True)


def _person(by: str, behind: Iterable[str]) -> JsonObject:
    return {"id": "", "subject": by, "persons": sorted({by, *behind}), "org": "", "roles": [], "how": "adopted"}
