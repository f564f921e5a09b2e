"""一次性告知书: made with the decision to return, sealed by a job of its own, given out once it is sealed.

The decision stands and the applicant is told whether or not the seal can be set;
:mod:`docproc.flow.applications.notice_job` does that and tries again.
"""

from __future__ import annotations

import json
from datetime import date, datetime

from sqlalchemy.orm import Session

from docproc.domain import CHINA
from docproc.errors import ConflictError, NotFoundError
from docproc.flow.applications import views
from docproc.flow.applications.applications import visible
from docproc.flow.applications.views import NoticeView
from docproc.flow.core import reads
from docproc.flow.core.access import Caller
from docproc.flow.core.acts import sign_act
from docproc.flow.core.authority import authority_code
from docproc.flow.core.context import Context
from docproc.licence.page.notice import NoticeContent, notice_record
from docproc.licence.page.record import licence_json
from docproc.matter.load import find_matter
from docproc.store.applications import notices
from docproc.store.audit import audit
from docproc.store.tables.applications import ApplicationRow, NoticeRow
from docproc.store.tables.review import DecisionRow
from docproc.store.wallet import shares

PREPARED = "notice.prepared"
FIRST = "正在签章"


def prepare(ctx: Context, session: Session, caller: Caller, row: ApplicationRow, decision: DecisionRow) -> None:
    """Record the notice of a decision to return, as it stands now, and queue its sealing."""
    if row.submitted_at is None:
        raise ConflictError(f"application {row.number} was not handed in")
    matter = find_matter(row.matter)
    told = NoticeContent(
        number=f"{row.number}-BZ{notices.count(session, row.number) + 1}",
        application=row.number,
        matter=matter.id,
        matter_name=matter.name,
        authority=ctx.settings.authority_name,
        authority_code=authority_code(ctx.settings),
        submitted_on=_day(row.submitted_at),
        decided_on=_day(decision.at),
        reason=decision.reason,
        basis=decision.basis,
        address=f"{ctx.settings.public_url.rstrip('/')}/p/{shares.follow_code(session, row.number)}",
    )
    made = NoticeRow(
        decision=decision.id,
        application=row.number,
        number=told.number,
        body=json.loads(licence_json(notice_record(told))),
        state="queued",
        note=FIRST,
        attempt=1,
        sha256=None,
        created_at=decision.at,
        sealed_at=None,
    )
    sign_act(session, caller, made)
    session.add(made)
    session.flush()
    audit.append(session, decision.at, decision.by, PREPARED, row.number, notice=told.number)
    queue(ctx, session, made)


def queue(ctx: Context, session: Session, row: NoticeRow, delay: float = 0) -> None:
    """Queue the attempt that the row counts."""
    job_id = f"notice:{row.decision}:{row.attempt}"
    ctx.jobs.enqueue(session, "seal_notice", job_id, row.decision, row.attempt, delay=delay)


def notice_file(ctx: Context, caller: Caller, number: str) -> bytes:
    """The newest sealed notice of an application.

    Raises:
        NotFoundError: it was never returned, or the notice is not sealed yet.
    """
    with ctx.database.read() as session:
        row = visible(session, caller, number, "view")
        found = _file(ctx, session, row.number)
        reads.note(caller, "notice", number)
        return found


def notice_by_code(ctx: Context, code: str) -> bytes:
    """The same for whoever holds the follow code; raises as :func:`notice_file`."""
    with ctx.database.read() as session:
        number = shares.followed(session, code).number
        found = _file(ctx, session, number)
        reads.note(None, "notice", number, by="receipt", purpose="own")
        return found


def seal_again(ctx: Context, caller: Caller, number: str) -> NoticeView:
    """Try to seal a notice again that could not be sealed.

    Raises:
        ConflictError: there is none, or its sealing did not fail.
        AccessError: the caller may not return applications.
    """
    caller.require("return")
    with ctx.database.write() as session:
        visible(session, caller, number, "return", lock=True)
        row = notices.newest(session, number, lock=True)
        if row is None or row.state != "failed":
            raise ConflictError("no notice failed to be sealed", message_zh="没有需要重新签章的告知书")
        row.state, row.note, row.attempt = "queued", FIRST, row.attempt + 1
        audit.append(session, ctx.clock(), caller.subject, "notice.retried", number, notice=row.number)
        queue(ctx, session, row)
        return views.notice(row)


def _file(ctx: Context, session: Session, application: str) -> bytes:
    row = notices.newest(session, application)
    if row is None or row.state != "sealed" or row.sha256 is None:
        said = "告知书正在签章，请稍候" if row is not None and row.state in notices.OPEN else "没有告知书"
        raise NotFoundError(f"application {application!r} has no sealed notice", message_zh=said)
    return ctx.blobs.get(row.sha256)


def _day(at: datetime) -> date:
    return at.astimezone(CHINA).date()
