"""The job that seals notices.

::

    seal_notice   notice of a decision -> render, seal, verify -> blob -> registered, from then on given out
"""

from __future__ import annotations

from docproc.errors import SealError
from docproc.flow.applications.applications import announce
from docproc.flow.applications.notices import queue
from docproc.flow.core.access import SYSTEM
from docproc.flow.core.acts import read_act
from docproc.flow.core.context import Context
from docproc.flow.core.stages import Tools
from docproc.flow.jobs import meters
from docproc.flow.jobs.engine import Job, step, workflow
from docproc.flow.seals.memory import memory_of
from docproc.flow.seals.seal_once import NOT_APPROVED, SealOutcome, check_proof, retry_delay, seal_once
from docproc.flow.seals.usable import usable_seal
from docproc.matter.load import find_matter
from docproc.process_keys import SignatureError
from docproc.store.applications import applications, notices
from docproc.store.audit import audit
from docproc.store.tables.applications import NoticeRow

NOT_DECIDED = "退回补正的决定没有有效的签名，告知书不能签章，请联系管理员"

JOBS: tuple[Job, ...] = ("seal_notice",)


@workflow("seal_notice")
def seal_notice(decision_id: str, attempt: int) -> None:
    """Seal a notice, or record why not and try again."""
    outcome = seal_and_keep_notice(decision_id)
    if outcome["state"] == "sealed":
        register_notice(decision_id, outcome["sha256"], outcome.get("proof", ""))
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
    spec = find_matter(row.body["matter"])
    return seal_once(
        row.body,
        f"notice {row.number}",
        check_content=lambda: _check_decided(ctx, row),
        seals=lambda record, at: [usable_seal(ctx, spec.licence.seal, record, at, stages.own_seals)],
        keep_days=spec.retention.refused_days,
    )


def _check_decided(ctx: Context, row: NoticeRow) -> None:
    """Only what an official decided is sealed, and once.

    Raises:
        SealError: the notice does not say what the decision says, or nobody signed that.
    """
    with ctx.database.read() as session:
        decision = applications.find_decision(session, row.decision)
        try:
            read_act(session, decision, "return")
            read_act(session, row, "return")
        except SignatureError as error:
            raise SealError(str(error), message_zh=NOT_DECIDED, code="not_signed") from error
    told = {name: value for name, _, value in row.body["fields"]}
    same = (told.get("reason"), told.get("basis")) == (decision.reason, decision.basis)
    of_it = decision.application == row.application == row.body["application"] and row.number == row.body["number"]
    if not same or decision.action != "return" or not of_it:
        raise SealError(f"notice {row.number} is not what was decided", message_zh=NOT_APPROVED)
    memory_of(ctx.settings).claim({f"decision:{decision.id}": row.number, f"notice:{row.number}": decision.id})


@step("register_notice")
def register_notice(decision_id: str, sha256: str, proof: str = "") -> None:
    """Give the sealed file out from here on; it verifies as issued.

    Raises:
        SealError: no sealer says that it sealed this file as this notice.
    """
    ctx, _ = Tools.get()
    with ctx.database.write() as session:
        at = ctx.clock()
        row = notices.find(session, decision_id, lock=True)
        if row.state not in notices.OPEN:
            return  # registered already, or erased by rule meanwhile
        check_proof(ctx, f"notice {row.number}", sha256, proof)
        row.state, row.note, row.sha256, row.sealed_at = "sealed", "", sha256, at
        meters.SEALS.labels("sealed").inc()
        audit.append(session, at, SYSTEM, "notice.sealed", row.application, notice=row.number, sha256=sha256)
        announce(
            ctx, session, applications.find_application(session, row.application), "notice.sealed", notice=row.number
        )
    memory_of(ctx.settings).finish(f"decision:{decision_id}", f"notice:{row.number}")


@step("postpone_notice")
def postpone_notice(decision_id: str, attempt: int, outcome: SealOutcome) -> None:
    """Record why it is not sealed yet, and queue the next attempt unless a person must act first."""
    ctx, _ = Tools.get()
    with ctx.database.write() as session:
        row = notices.find(session, decision_id, lock=True)
        if row.attempt != attempt or row.state not in notices.OPEN:
            return
        row.note = outcome["note"]
        if outcome["state"] == "wait":
            row.state, row.attempt = "waiting", attempt + 1
            queue(ctx, session, row, delay=retry_delay(attempt))
        else:
            row.state = "failed"
            audit.append(session, ctx.clock(), SYSTEM, "seal.failed", row.application, note=outcome["note"])
