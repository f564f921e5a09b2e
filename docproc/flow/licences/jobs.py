"""Jobs after issue that need the seal key: new versions of licences, and the signed status list.

::

    seal_version     ordered version -> render, seal, verify -> blob -> current file of the licence
    publish_status   audit log -> licences that are not in force -> signed list, given out by the web process
"""

from __future__ import annotations

import logging
from datetime import datetime

from docproc.canonical import canonical_json
from docproc.errors import SealError
from docproc.flow.core.access import SYSTEM
from docproc.flow.core.authority import authority_code
from docproc.flow.core.chain_guard import BrokenLogError, check_log
from docproc.flow.core.context import Context
from docproc.flow.core.stages import Tools
from docproc.flow.jobs.engine import Job, step, workflow
from docproc.flow.licences.approval import acted
from docproc.flow.seals.memory import memory_of
from docproc.flow.seals.seal_once import NOT_APPROVED, SealOutcome, check_proof, retry_delay, seal_once
from docproc.flow.seals.usable import usable_seals
from docproc.licence.page.record import parse_licence_json
from docproc.licence.report.report import Standing
from docproc.licence.seal.status_list import LIFE, AuditHead, StatusList
from docproc.matter.load import find_matter
from docproc.store import running_numbers
from docproc.store.audit import audit
from docproc.store.licences import licences
from docproc.store.messages import outbox
from docproc.store.signatures import sign_row
from docproc.store.tables.licences import LicenceVersionRow

log = logging.getLogger(__name__)

JOBS: tuple[Job, ...] = ("seal_version", "publish_status")
SEQUENCE = "status-list"


@workflow("seal_version")
def seal_version(version_id: str, attempt: int) -> None:
    """Seal a corrected or re-issued licence; the former version stays in force until then."""
    outcome = seal_and_keep_version(version_id)
    if outcome["state"] == "sealed":
        register_version(version_id, outcome["sha256"], outcome.get("proof", ""))
    else:
        postpone_version(version_id, attempt, outcome)


@step("seal_and_keep_version")
def seal_and_keep_version(version_id: str) -> SealOutcome:
    """Seal and store the file; it is unknown to everybody until it is registered."""
    ctx, stages = Tools.get()
    with ctx.database.read() as session:
        version = licences.find_version(session, version_id)
    if version.sha256 is not None:
        return {"state": "sealed", "sha256": version.sha256, "note": ""}
    spec = find_matter(version.body["matter"]).licence
    return seal_once(
        version.body,
        f"version {version_id}",
        check_content=lambda: check_ordered(ctx, version),
        seals=lambda licence, at: usable_seals(ctx, spec, licence, at, stages.own_seals),
        keep_days=365 * spec.retention_years,
    )


def check_ordered(ctx: Context, version: LicenceVersionRow) -> None:
    """Only what an official ordered is sealed, and once.

    Raises:
        SealError: nobody ordered it, or it was sealed before.
    """
    with ctx.database.read() as session:
        acted(session, version, "change_licence")
        row = licences.find_licence(session, version.licence)
    named = version.body["number"], version.body["version"], version.body["matter"]
    if named != (version.licence, version.version, row.matter):
        raise SealError(f"version {version.id} is of another licence", message_zh=NOT_APPROVED)
    memory_of(ctx.settings).claim({f"version:{version.licence}:{version.version}": version.id})


@step("register_version")
def register_version(version_id: str, sha256: str, proof: str = "") -> None:
    """Make the new file the licence; from here on the former one verifies as superseded.

    Raises:
        SealError: no sealer says that it sealed this file as this version.
    """
    ctx, _ = Tools.get()
    with ctx.database.read() as session:
        if licences.find_version(session, version_id).state == "sealed":
            return
    check_proof(ctx, f"version {version_id}", sha256, proof)
    with ctx.database.write() as session:
        at = ctx.clock()
        version = licences.find_version(session, version_id)
        row = licences.find_licence(session, version.licence, lock=True)
        if version.state == "sealed":
            return
        if row.status != "valid":  # revoked or suspended meanwhile: no new version of that
            version.state, version.note = "failed", "证照状态已变更，新版本未生效"
            return
        version.state, version.note, version.sha256 = "sealed", "", sha256
        licences.register_version(session, row, version, parse_licence_json(canonical_json(version.body)), at)
        sign_row(session, row)
        said = {"reason": version.reason, "basis": version.basis}
        sign_row(session, licences.add_status_event(session, row.number, "valid", version.by, at, **said))
        audit.append(session, at, SYSTEM, f"licence.{version.action}ed", row.number, version=row.version, sha256=sha256)
        event = outbox.add_event(session, at, f"licence.{version.action}ed", row.number, row.org, **said)
        ctx.jobs.enqueue(session, "deliver_event", f"event:{event.id}", event.id)
        ctx.jobs.enqueue(session, "publish_status", f"status:event:{event.id}")
    memory_of(ctx.settings).finish(f"version:{version.licence}:{version.version}")


@step("postpone_version")
def postpone_version(version_id: str, attempt: int, outcome: SealOutcome) -> None:
    """Record why the new version is not there yet, and queue the next attempt unless a person must act first."""
    ctx, _ = Tools.get()
    with ctx.database.write() as session:
        version = licences.find_version(session, version_id)
        licences.find_licence(session, version.licence, lock=True)
        if version.attempt != attempt or version.state not in ("queued", "waiting"):
            return
        version.note = outcome["note"]
        if outcome["state"] == "wait":
            version.state, version.attempt = "waiting", attempt + 1
            job_id = f"version:{version_id}:{attempt + 1}"
            ctx.jobs.enqueue(session, "seal_version", job_id, version_id, attempt + 1, delay=retry_delay(attempt))
        else:
            version.state = "failed"
            audit.append(session, ctx.clock(), SYSTEM, "seal.failed", version.licence, note=outcome["note"])


@workflow("publish_status")
def publish_status() -> None:
    """Sign a fresh status list."""
    sign_and_publish()


@step("sign_and_publish")
def sign_and_publish() -> None:
    """Sign what is true now; a repetition only makes a fresher list."""
    ctx, stages = Tools.get()
    if stages.sign_status is None:
        return
    with ctx.database.write() as session:
        sequence = running_numbers.next_value(session, SEQUENCE)
    at = ctx.clock()
    try:
        signed = stages.sign_status(gather(ctx, sequence, at))
    except BrokenLogError as error:
        log.error("no status list is signed: %s", error)  # the newest one soon ends, and is tried again every hour
        return
    with ctx.database.write() as session:
        newest = licences.newest_status_list(session)
        if newest is None or newest.sequence < sequence:
            licences.add_status_list(session, sequence, at, signed)


def gather(ctx: Context, sequence: int, at: datetime) -> StatusList:
    """The licences that are not in force at this moment, by the audit log and not by what their rows say.

    Raises:
        BrokenLogError: the audit log does not hold.
        SetupError: the authority's code is not known.
    """
    known = check_log(ctx)
    standings = {
        number: Standing(item.status, item.at, item.reason, item.basis)
        for number, item in known.standings.licences.items()
    }
    superseded = frozenset(known.standings.superseded)
    head = AuditHead(known.head.line, known.head.sha256)
    return StatusList(authority_code(ctx.settings), sequence, at, at + LIFE, standings, superseded, head)
