"""Issuing: the job that turns an approval into a sealed, registered licence; every step can run twice without harm.

::

    issue_licence   number -> render, seal, verify -> blob -> registered

What happens once happens in a database transaction that looks first whether it happened already. A job never waits for
a person and never sleeps: when the TSA is out of reach the next attempt is queued with a delay.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy.orm import Session

from docproc.canonical import canonical_sha256
from docproc.check.licence_draft import draft_licence, holder_code, series
from docproc.domain import Licence, PageReading
from docproc.errors import SealError
from docproc.flow.applications import views
from docproc.flow.applications.applications import announce
from docproc.flow.core.access import SYSTEM
from docproc.flow.core.authority import authority_code
from docproc.flow.core.context import Context
from docproc.flow.core.stages import Tools
from docproc.flow.jobs import meters
from docproc.flow.jobs.engine import Job, step, workflow
from docproc.flow.seals.seal_once import NOT_APPROVED, SealOutcome, retry_delay, seal_once
from docproc.flow.seals.usable import usable_seals
from docproc.licence.page.record import licence_json
from docproc.lifecycle import transition
from docproc.log import about
from docproc.matter.load import find_matter
from docproc.matter.model import Matter
from docproc.store import running_numbers
from docproc.store.applications import applications, pages
from docproc.store.audit import audit
from docproc.store.licences import licences
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.licences import LicenceRow
from docproc.store.tables.review import DecisionRow
from docproc.store.wallet import shares

JOBS: tuple[Job, ...] = ("issue_licence",)
NUMBERED = "licence.numbered"


def queue_issue(ctx: Context, session: Session, row: ApplicationRow, decision: DecisionRow, delay: float = 0) -> None:
    """Queue the next attempt to issue the licence; the application must be locked."""
    row.seal_attempt += 1
    row.seal_state = "waiting" if delay else "queued"
    if not delay:
        row.seal_note = "正在制证签章"
    session.flush()
    job_id = f"issue:{decision.id}:{row.seal_attempt}"
    ctx.jobs.enqueue(session, "issue_licence", job_id, decision.id, row.seal_attempt, delay=delay)


@workflow("issue_licence")
def issue_licence(decision_id: str, attempt: int) -> None:
    """Give a number, seal, verify, register; one licence for each approval."""
    number = allocate(decision_id)
    outcome = seal_and_keep(number)
    if outcome["state"] == "sealed":
        register(number, outcome["sha256"])
    else:
        postpone(decision_id, attempt, outcome)


@step("allocate")
def allocate(decision_id: str) -> str:
    """The licence's number; the database allows one licence for each approval."""
    ctx, _ = Tools.get()
    with ctx.database.write() as session:
        decision = applications.find_decision(session, decision_id)
        about(application=decision.application)
        row = applications.find_application(session, decision.application, lock=True)
        existing = licences.licence_of_decision(session, decision_id)
        if existing is not None:
            return existing.number
        view = views.application(session, row)
        if view["content_sha256"] != decision.seen_sha256:
            raise SealError(f"application {row.number} is not what decision {decision_id} was made on")
        matter = find_matter(row.matter)
        readings = [reading for _, reading in pages.readings_of(session, row.number)]
        code = licences.new_code()
        licence = _numbered(ctx, session, row, code, matter, readings)
        body = json.loads(licence_json(licence))
        licences.add_licence(session, licence, decision=decision_id, application=row, code=code, body=body)
        holder = holder_code(licence)
        if holder is not None:
            shares.set_holder(session, licence.number, holder)
        audit.append(
            session, ctx.clock(), SYSTEM, NUMBERED, licence.number, decision=decision_id, body=canonical_sha256(body)
        )
        return licence.number


def _numbered(
    ctx: Context, session: Session, row: ApplicationRow, code: str, matter: Matter, readings: Sequence[PageReading]
) -> Licence:
    """The licence under the next number that is free: two matters of before may have shared a code."""
    while True:
        licence = draft_licence(
            matter,
            readings,
            serial=running_numbers.next_value(session, series(matter, readings)),
            application=row.number,
            authority=ctx.settings.authority_name,
            authority_code=authority_code(ctx.settings),
            today=ctx.today(),
            verify_url=f"{ctx.settings.public_url.rstrip('/')}/v/{code}",
        )
        if not licences.is_taken(session, licence.number):
            return licence


@step("seal_and_keep")
def seal_and_keep(number: str) -> SealOutcome:
    """Seal and store the file; a file from an attempt that was cut short stays unregistered and is never given out."""
    ctx, stages = Tools.get()
    with ctx.database.read() as session:
        row = licences.prepared_licence(session, number)
    about(application=row.application, licence=number)
    if row.sha256 is not None:
        return {"state": "sealed", "sha256": row.sha256, "note": ""}
    spec = find_matter(row.matter).licence
    return seal_once(
        row.body,
        f"licence {number}",
        check_content=lambda: check_approved(ctx, row),
        seals=lambda licence, at: usable_seals(ctx, spec, licence, at, stages.own_seals),
        keep_days=365 * spec.retention_years,
    )


def check_approved(ctx: Context, row: LicenceRow) -> None:
    """Only what was approved is sealed: the application as it was seen, the licence as it was numbered.

    Raises:
        SealError: one of them changed since.
    """
    with ctx.database.read() as session:
        decision = applications.find_decision(session, row.decision)
        view = views.application(session, applications.find_application(session, row.application))
        noted = [line.detail for line in audit.lines(session, subject=row.number) if line.action == NUMBERED]
    if view["content_sha256"] != decision.seen_sha256:
        raise SealError(f"application {row.application} is not what was approved", message_zh=NOT_APPROVED)
    if [item.get("body") for item in noted] != [canonical_sha256(row.body)]:
        raise SealError(f"licence {row.number} is not what was numbered", message_zh=NOT_APPROVED)


@step("register")
def register(number: str, sha256: str) -> None:
    """Make the sealed file the licence: from here on it verifies as issued."""
    ctx, _ = Tools.get()
    keep_originals(ctx, number)
    with ctx.database.write() as session:
        at = ctx.clock()
        licence = licences.prepared_licence(session, number)
        about(application=licence.application, licence=number)
        row = applications.find_application(session, licence.application, lock=True)
        if not licences.register_sealed(session, number, sha256, at):
            return
        licences.add_status_event(session, number, "valid", SYSTEM, at, "签发")
        row.status = transition(row.status, "issue")
        row.version += 1
        row.updated_at = at
        row.seal_state, row.seal_note = "sealed", ""
        audit.append(session, at, SYSTEM, "licence.issued", number, application=row.number, sha256=sha256)
        meters.SEALS.labels("sealed").inc()
        announce(ctx, session, row, "licence.issued", licence=number)


def keep_originals(ctx: Context, number: str) -> None:
    """Forbid deletion of what a licence rests on, for as long as the matter keeps it."""
    with ctx.database.read() as session:
        licence = licences.prepared_licence(session, number)
        keys = [page.sha256 for page in pages.live_pages(session, licence.application)]
    for key in keys:
        ctx.blobs.keep(key, find_matter(licence.matter).retention.original_days)


@step("postpone")
def postpone(decision_id: str, attempt: int, outcome: SealOutcome) -> None:
    """Record why there is no licence yet, and queue the next attempt unless a person must act first."""
    ctx, _ = Tools.get()
    with ctx.database.write() as session:
        decision = applications.find_decision(session, decision_id)
        about(application=decision.application)
        row = applications.find_application(session, decision.application, lock=True)
        if row.status != "approved" or row.seal_attempt != attempt:
            return
        row.seal_note = outcome["note"]
        if outcome["state"] == "wait":
            queue_issue(ctx, session, row, decision, delay=retry_delay(attempt))
        else:
            row.seal_state = "failed"
            audit.append(session, ctx.clock(), SYSTEM, "seal.failed", row.number, note=outcome["note"])
