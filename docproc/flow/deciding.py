"""Officials' part: acceptance, decision, release of the seal. Separate duties are kept here.

Who handed an application in does not decide on it; who approved it does not
release the seal where the matter asks for two persons. A decision names the
version and the hash of what was seen: when either changed meanwhile it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from docproc.decide import transition
from docproc.domain import Decision, DecisionAction, PageReading
from docproc.draft import draft_licence
from docproc.errors import ConflictError, InputError
from docproc.flow import views
from docproc.flow.access import Caller
from docproc.flow.context import Context
from docproc.flow.intake import announce, change_status, visible
from docproc.flow.once import Once, run_once
from docproc.matter import Matter, find_matter
from docproc.store import applications, audit, claims, pages
from docproc.store.tables import ApplicationRow, DecisionRow


@dataclass(frozen=True, slots=True)
class Seen:
    """What an official had before the eyes."""

    version: int
    """``version`` of the application's view."""
    content_sha256: str
    """``content_sha256`` of the application's view."""


class StaleError(ConflictError):
    """The application changed since it was looked at: read it again and decide on what it is now."""

    code = "version_conflict"
    message_zh = "办件内容已变化，请刷新后重新审核"


def accept(ctx: Context, caller: Caller, number: str, version: int, once: Once | None = None) -> dict[str, Any]:
    """受理.

    Raises:
        StaleError: the application changed meanwhile.
        ConflictError: it is not waiting for acceptance.
    """
    caller.require("accept")

    def work(session: Session) -> dict[str, Any]:
        at = ctx.clock()
        row = _locked(ctx, session, caller, number, version)
        change_status(session, row, transition(row.status, "accept"), at)  # type: ignore[arg-type]
        audit.append(session, at, caller.subject, "application.accepted", number)
        announce(ctx, session, row, "application.accepted")
        return views.application(session, row)

    return run_once(ctx, caller, once, work)


def decide(
    ctx: Context,
    caller: Caller,
    number: str,
    action: DecisionAction,
    seen: Seen,
    *,
    reason: str = "",
    basis: str = "",
    set_aside: Sequence[str] = (),
    once: Once | None = None,
) -> dict[str, Any]:
    """Approve, return (补正) or reject.

    Args:
        ctx: the service.
        caller: who decides; not the one who handed in.
        number: application.
        action: the decision.
        seen: what it is based on.
        reason: in Chinese, to the applicant; needed unless everything is approved as it is.
        basis: legal basis.
        set_aside: codes of findings in spite of which it is approved; never those that block.
        once: answer for a repeated request.

    Raises:
        StaleError: the application changed meanwhile, or somebody decided first.
        ClaimedError: somebody else works on it.
        ConflictError: the state, a finding or an unread field forbids it.
        AccessError: role or separate duties forbid it.
        InputError: a reason is missing.
    """
    caller.require(action)
    if not reason.strip() and (action != "approve" or set_aside):
        raise InputError("a reason is needed", message_zh="请填写理由")

    def work(session: Session) -> dict[str, Any]:
        at = ctx.clock()
        row = _locked(ctx, session, caller, number, seen.version)
        status = transition(row.status, action)  # type: ignore[arg-type]
        if views.application(session, row)["content_sha256"] != seen.content_sha256:
            raise StaleError("the content changed since it was seen")
        if action == "approve":
            _check_approvable(ctx, session, row, set_aside)
        decision = Decision(action, caller.subject, at, reason.strip(), basis.strip(), seen.content_sha256)
        made = applications.add_decision(session, row, decision, sorted(set(set_aside)))
        change_status(session, row, status, at)
        claims.drop(session, number)
        audit.append(
            session, at, caller.subject, f"application.{status}", number, decision=made.id,
            seen=seen.content_sha256, set_aside=made.set_aside,
        )  # fmt: skip
        if action == "approve":
            _after_approval(ctx, session, row, made)
        announce(ctx, session, row, f"application.{status}", reason=made.reason)
        return views.application(session, row)

    return run_once(ctx, caller, once, work)


def release(ctx: Context, caller: Caller, number: str, version: int, once: Once | None = None) -> dict[str, Any]:
    """Release the seal for an approved application, or try again after sealing failed.

    Raises:
        AccessError: not a sealer, or the same person as approved.
        ConflictError: nothing waits for release.
        StaleError: the application changed meanwhile.
    """
    caller.require("release")

    def work(session: Session) -> dict[str, Any]:
        at = ctx.clock()
        row = visible(session, caller, number, "release", lock=True)
        _check_version(row, version)
        if row.status != "approved" or row.seal_state not in ("awaiting_release", "failed"):
            raise ConflictError(f"seal is {row.seal_state}", message_zh="办件当前不需要签章确认")
        decision = applications.approval_of(session, number)
        if decision is None:
            raise ConflictError("there is no approval", message_zh="办件尚未批准")
        caller.check_not(decision.by, "releases the seal", "审批人与签章人不能是同一人")
        if decision.released_at is None:
            decision.released_by, decision.released_at = caller.subject, at
        row.version += 1
        audit.append(session, at, caller.subject, "seal.released", number, decision=decision.id)
        queue_issue(ctx, session, row, decision)
        return views.application(session, row)

    return run_once(ctx, caller, once, work)


def queue_issue(ctx: Context, session: Session, row: ApplicationRow, decision: DecisionRow, delay: float = 0) -> None:
    """Queue the next attempt to issue the licence; the application must be locked."""
    row.seal_attempt += 1
    row.seal_state = "waiting" if delay else "queued"
    if not delay:
        row.seal_note = "正在制证签章"
    session.flush()
    job_id = f"issue:{decision.id}:{row.seal_attempt}"
    ctx.jobs.enqueue(session, "issue_licence", job_id, decision.id, row.seal_attempt, delay=delay)


def _locked(ctx: Context, session: Session, caller: Caller, number: str, version: int) -> ApplicationRow:
    row = visible(session, caller, number, "view", lock=True)
    caller.check_not(row.created_by, "decides", "申请提交人不能审批自己的办件")
    _check_version(row, version)
    claims.check_free(session, number, caller.subject, ctx.clock())
    return row


def _check_version(row: ApplicationRow, version: int) -> None:
    if row.version != version:
        raise StaleError(f"application is at version {row.version}, not {version}")


def _check_approvable(ctx: Context, session: Session, row: ApplicationRow, set_aside: Sequence[str]) -> None:
    """Nothing is approved unchecked, unread, or against a finding that nobody took a stand on."""
    if row.checked_revision != row.revision:
        raise ConflictError("the check is not finished", message_zh="材料正在核验，请稍候", code="not_checked")
    found = [item for _, item in pages.findings_of(session, row.number)]
    if any(item.severity == "block" for item in found):
        raise ConflictError("a finding blocks approval", message_zh="存在不予通过的问题，不能批准", code="blocked")
    open_codes = sorted({item.code for item in found if item.severity == "fix"} - set(set_aside))
    if open_codes or (row.verdict != "pass" and not set_aside):
        message = f"open findings ({', '.join(open_codes)}): correct fields, return, or set them aside with a reason"
        raise ConflictError(message, message_zh="还有问题没有处理，不能批准", code="open_findings")
    readings = [reading for _, reading in pages.readings_of(session, row.number)]
    _try_draft(ctx, find_matter(row.matter), row.number, readings)


def _try_draft(ctx: Context, matter: Matter, number: str, readings: Sequence[PageReading]) -> None:
    """Find out now, not after the approval, that a licence cannot be made of what was read."""
    draft_licence(
        matter,
        readings,
        serial=1,
        application=number,
        authority="",
        authority_code="",
        today=ctx.today(),
        verify_url="",
    )


def _after_approval(ctx: Context, session: Session, row: ApplicationRow, decision: DecisionRow) -> None:
    if find_matter(row.matter).separate_sealer:
        row.seal_state, row.seal_note = "awaiting_release", "已批准，等待签章人确认"
    else:
        queue_issue(ctx, session, row, decision)
