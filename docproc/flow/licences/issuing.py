"""Issuing: the job that turns an approval into a sealed, registered licence; every step can run twice without harm.

::

    issue_licence   number -> render, seal, verify -> blob -> registered

What happens once happens in a database transaction that looks first whether it happened already. A job never waits for
a person and never sleeps: when the TSA is out of reach the next attempt is queued with a delay.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime

from sqlalchemy.orm import Session

from docproc.canonical import canonical_sha256
from docproc.check.licence_draft import holder_code, series
from docproc.domain import Licence
from docproc.errors import SealError
from docproc.flow.applications.applications import announce, set_back
from docproc.flow.core.access import SYSTEM
from docproc.flow.core.context import Context
from docproc.flow.core.stages import Tools
from docproc.flow.jobs import meters
from docproc.flow.jobs.engine import Job, step, workflow
from docproc.flow.licences.approval import Approved, check_approval, check_licence, check_numbered, draft
from docproc.flow.seals.memory import memory_of
from docproc.flow.seals.seal_once import SealOutcome, check_proof, retry_delay, seal_once
from docproc.flow.seals.usable import usable_seals
from docproc.licence.page.record import licence_json
from docproc.lifecycle import transition
from docproc.log import about
from docproc.matter.load import find_matter
from docproc.store import running_numbers
from docproc.store.applications import applications, pages
from docproc.store.audit import audit
from docproc.store.licences import licences
from docproc.store.signatures import sign_row
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.licences import LicenceRow
from docproc.store.tables.review import DecisionRow
from docproc.store.wallet import shares

log = logging.getLogger(__name__)

JOBS: tuple[Job, ...] = ("issue_licence",)
NUMBERED = "licence.numbered"
GIVEN_BACK = frozenset({"not_signed", "rules_changed"})
"""Codes of refusals that the approval's official mends by approving again."""


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
    if not number:
        return  # refused: what is wrong stands with the application
    outcome = seal_and_keep(number)
    if outcome["state"] == "sealed":
        register(number, outcome["sha256"], outcome.get("proof", ""))
    else:
        postpone(decision_id, attempt, outcome)


@step("allocate")
def allocate(decision_id: str) -> str:
    """The licence's number, empty where the approval does not hold; the database allows one licence for each."""
    ctx, _ = Tools.get()
    try:
        return _number(ctx, decision_id)
    except SealError as error:
        log.error("decision %s: %s", decision_id, error)
        _refuse(ctx, decision_id, error)
        return ""


def _number(ctx: Context, decision_id: str) -> str:
    with ctx.database.write() as session:
        about(application=applications.find_decision(session, decision_id).application)
        found = check_approval(session, decision_id)
        row = applications.find_application(session, found.application.number, lock=True)
        existing = licences.licence_of_application(session, row.number)
        if existing is not None:
            _draw_up_again(ctx, session, found, existing)
            return existing.number
        code = licences.new_code()
        licence = _next(ctx, session, found, code)
        body = json.loads(licence_json(licence))
        made = licences.add_licence(session, licence, decision=decision_id, application=row, code=code, body=body)
        sign_row(session, made)
        holder = holder_code(licence)
        if holder is not None:
            shares.set_holder(session, licence.number, holder)
        _note_numbered(ctx, session, made)
        return licence.number


def _next(ctx: Context, session: Session, found: Approved, code: str) -> Licence:
    """The licence under the next number that is free: two matters of before may have shared a code."""
    while True:
        serial = running_numbers.next_value(session, series(found.matter, found.readings))
        licence = draft(ctx, found, code, serial=serial)
        if not licences.is_taken(session, licence.number):
            return licence


def _note_numbered(ctx: Context, session: Session, licence: LicenceRow) -> None:
    noted = {"decision": licence.decision, "body": canonical_sha256(licence.body)}
    audit.append(session, ctx.clock(), SYSTEM, NUMBERED, licence.number, **noted)


def _draw_up_again(ctx: Context, session: Session, found: Approved, licence: LicenceRow) -> None:
    """Make an unsealed licence say again what the approval makes: settings may have changed since it was numbered."""
    if licence.sha256 is not None:
        return
    check_numbered(session, licence)
    made = draft(ctx, found, licence.code, number=licence.number)
    given_anew = licence.decision != found.decision.id
    licence.decision = found.decision.id
    body = json.loads(licence_json(made))
    if given_anew or body != licence.body:
        licences.redraw(session, licence, made, body)
        sign_row(session, licence)
        _note_numbered(ctx, session, licence)


def _refuse(ctx: Context, decision_id: str, error: SealError) -> None:
    """Record why an approval makes no licence, for a person to act."""
    with ctx.database.write() as session:
        row = applications.find_application(
            session, applications.find_decision(session, decision_id).application, lock=True
        )
        current = applications.approval_of(session, row.number)
        if row.status != "approved" or (current is not None and current.id != decision_id):
            return
        _note_refused(session, row, error.message_zh, error.code, ctx.clock())
        audit.append(session, ctx.clock(), SYSTEM, "seal.failed", row.number, note=error.message_zh)


def _note_refused(session: Session, row: ApplicationRow, note: str, code: str, at: datetime) -> None:
    """An approval that nobody signed goes back to its official; all else waits for somebody who acts."""
    if code in GIVEN_BACK:
        set_back(session, row, note, at)
    else:
        row.seal_state = "awaiting_release" if code == "not_released" else "failed"
        row.seal_note = note


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
    """Only what officials approved is sealed, and once.

    Raises:
        SealError: it is not what they approved, or it was sealed before.
    """
    with ctx.database.read() as session:
        check_licence(ctx, session, check_approval(session, row.decision), row)
    memory_of(ctx.settings).claim({f"decision:{row.decision}": row.number, f"licence:{row.number}": row.decision})


@step("register")
def register(number: str, sha256: str, proof: str = "") -> None:
    """Make the sealed file the licence: from here on it verifies as issued.

    Raises:
        SealError: no sealer says that it sealed this file as this licence.
    """
    ctx, _ = Tools.get()
    with ctx.database.read() as session:
        if licences.prepared_licence(session, number).sha256 is not None:
            return
    check_proof(ctx, f"licence {number}", sha256, proof)
    keep_originals(ctx, number)
    with ctx.database.write() as session:
        at = ctx.clock()
        licence = licences.prepared_licence(session, number)
        about(application=licence.application, licence=number)
        row = applications.find_application(session, licence.application, lock=True)
        if not licences.register_sealed(session, number, sha256, at):
            return
        sign_row(session, licences.add_status_event(session, number, "valid", SYSTEM, at, "签发"))
        row.status = transition(row.status, "issue")
        row.version += 1
        row.updated_at = at
        row.seal_state, row.seal_note = "sealed", ""
        audit.append(session, at, SYSTEM, "licence.issued", number, application=row.number, sha256=sha256)
        meters.SEALS.labels("sealed").inc()
        announce(ctx, session, row, "licence.issued", licence=number)
    memory_of(ctx.settings).finish(f"decision:{licence.decision}", f"licence:{number}")


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
            _note_refused(session, row, outcome["note"], outcome.get("code", ""), ctx.clock())
            audit.append(session, ctx.clock(), SYSTEM, "seal.failed", row.number, note=outcome["note"])
