"""The job that seals notices.

::

    seal_notice   notice of a decision -> render, seal, verify -> blob -> registered, from then on given out
"""

from __future__ import annotations

import json
import logging

from docproc.errors import DocprocError, SealError, SealUnavailableError, SetupError, UnavailableError
from docproc.flow.applications.applications import announce
from docproc.flow.applications.jobs import FIRST_DELAY, LONGEST_DELAY, NOT_APPROVED, SealOutcome, Tools
from docproc.flow.applications.notices import queue
from docproc.flow.core.api_keys import SYSTEM
from docproc.flow.core.context import Context
from docproc.flow.jobs.engine import Job, step, workflow
from docproc.flow.seals.registry import usable_seal
from docproc.licence.page.record import parse_licence_json
from docproc.matter.load import find_matter
from docproc.store.applications import applications, notices
from docproc.store.audit import audit
from docproc.store.tables.applications import NoticeRow

log = logging.getLogger(__name__)

JOBS: tuple[Job, ...] = ("seal_notice",)


@workflow("seal_notice")
def seal_notice(decision_id: str, attempt: int) -> None:
    """Seal a notice, or say why not and try again."""
    outcome = seal_and_keep_notice(decision_id)
    if outcome["state"] == "sealed":
        register_notice(decision_id, outcome["sha256"])
    else:
        postpone_notice(decision_id, attempt, outcome)


@step("seal_and_keep_notice")
def seal_and_keep_notice(decision_id: str) -> SealOutcome:
    """Seal and store the file; it is unknown to everybody until it is registered."""
    ctx, stages = Tools.get()
    with ctx.database.read() as session:
        row = notices.find(session, decision_id)
    if row.sha256 is not None or not row.body:
        return {"state": "sealed", "sha256": row.sha256 or "", "note": ""}  # before, or erased by rule meanwhile
    canonical = json.dumps(row.body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    record, at = parse_licence_json(canonical), ctx.clock()
    spec = find_matter(record.matter)
    try:
        _check_decided(ctx, row)
        sealed = stages.seal_licence(record, [usable_seal(ctx, spec.licence.seal, record, at, stages.own_seals)], at)
    except SealUnavailableError as error:
        log.warning("notice %s: %s", row.number, error)
        return {"state": "wait", "sha256": "", "note": error.message_zh}
    except (SetupError, UnavailableError):
        raise  # this machine's or a store's trouble: tried again, then given up for a person to see
    except DocprocError as error:
        log.error("notice %s: %s", row.number, error)
        return {"state": "failed", "sha256": "", "note": error.message_zh}
    return {"state": "sealed", "sha256": ctx.blobs.put(sealed, keep_days=spec.retention.refused_days), "note": ""}


def _check_decided(ctx: Context, row: NoticeRow) -> None:
    """Only what was decided is sealed.

    Raises:
        SealError: the notice does not say what the decision says.
    """
    with ctx.database.read() as session:
        decision = applications.find_decision(session, row.decision)
    told = {name: value for name, _, value in row.body["fields"]}
    same = (told.get("reason"), told.get("basis")) == (decision.reason, decision.basis)
    if not same or decision.action != "return" or decision.application != row.body["application"]:
        raise SealError(f"notice {row.number} is not what was decided", message_zh=NOT_APPROVED)


@step("register_notice")
def register_notice(decision_id: str, sha256: str) -> None:
    """Give the sealed file out from here on; it verifies as issued."""
    ctx, _ = Tools.get()
    with ctx.database.write() as session:
        at = ctx.clock()
        row = notices.find(session, decision_id, lock=True)
        if row.state not in notices.OPEN:
            return  # registered already, or erased by rule meanwhile
        row.state, row.note, row.sha256, row.sealed_at = "sealed", "", sha256, at
        audit.append(session, at, SYSTEM, "notice.sealed", row.application, notice=row.number, sha256=sha256)
        announce(
            ctx, session, applications.find_application(session, row.application), "notice.sealed", notice=row.number
        )


@step("postpone_notice")
def postpone_notice(decision_id: str, attempt: int, outcome: SealOutcome) -> None:
    """Say why it is not sealed yet, and queue the next attempt unless a person must act first."""
    ctx, _ = Tools.get()
    with ctx.database.write() as session:
        row = notices.find(session, decision_id, lock=True)
        if row.attempt != attempt or row.state not in notices.OPEN:
            return
        row.note = outcome["note"]
        if outcome["state"] == "wait":
            row.state, row.attempt = "waiting", attempt + 1
            queue(ctx, session, row, delay=min(FIRST_DELAY * 2 ** min(attempt - 1, 8), LONGEST_DELAY))
        else:
            row.state = "failed"
            audit.append(session, ctx.clock(), SYSTEM, "seal.failed", row.application, note=outcome["note"])
