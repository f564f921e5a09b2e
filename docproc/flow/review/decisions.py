"""Officials' part: acceptance, decision, release of the seal. Separate duties are kept here.

Who handed an application in does not decide on it; who approved it does not
release the seal where the matter asks for two persons. A decision names the
version and the hash of what was seen: when either changed meanwhile it is refused.
In a joint approval an official's decision is the opinion of the department, and the
decision on the application follows from all of them (:mod:`docproc.flow.applications.joint_approval`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from docproc.domain import Decision, DecisionAction
from docproc.errors import AccessError, ConflictError, InputError
from docproc.flow.applications import corrections, joint_approval, notices, views
from docproc.flow.applications.applications import announce, change_status, visible
from docproc.flow.applications.views import ApplicationView
from docproc.flow.core.access import Caller
from docproc.flow.core.acts import sign_act, under
from docproc.flow.core.context import Context
from docproc.flow.core.idempotency import Once, run_once
from docproc.flow.licences.issuing import queue_issue
from docproc.flow.review.approvable import check_approvable, check_findings, confirmable
from docproc.lifecycle import transition
from docproc.matter.load import find_matter
from docproc.matter.model import Matter
from docproc.matter.opening import check_grants
from docproc.process_keys import SignatureError
from docproc.store.accounts.api_keys import persons_behind
from docproc.store.applications import applications, opinions
from docproc.store.audit import audit
from docproc.store.review import claims
from docproc.store.signatures import check_row
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.review import DecisionRow

SAME_PERSON_ZH = "审批人与签章人不能是同一人"


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


def accept(ctx: Context, caller: Caller, number: str, version: int, once: Once | None = None) -> ApplicationView:
    """受理.

    Raises:
        StaleError: the application changed meanwhile.
        ConflictError: it is not waiting for acceptance.
        MatterClosedError: the matter was closed meanwhile: refuse it or let it be taken back.
    """
    caller.require("accept")

    def work(session: Session) -> ApplicationView:
        at = ctx.clock()
        row = _locked(ctx, session, caller, number, version)
        matter = find_matter(row.matter)
        check_grants(matter, ctx.today())
        if matter.department and caller.org not in (row.org, matter.department[0].org):
            raise AccessError("the lead department accepts", message_zh="由牵头部门受理")
        change_status(session, row, transition(row.status, "accept"), at)
        audit.append(session, at, caller.subject, "application.accepted", number)
        announce(ctx, session, row, "application.accepted")
        return joint_approval.view(session, caller, row)

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
    confirmed: Sequence[str] = (),
    once: Once | None = None,
) -> ApplicationView:
    """Approve, return (补正) or reject; in a joint approval, agree, ask for correction or refuse for one's department.

    Args:
        ctx: the service.
        caller: who decides; not the one who submitted.
        number: application.
        action: the decision.
        seen: what it is based on.
        reason: in Chinese, to the applicant; needed unless everything is approved as it is.
        basis: legal basis.
        set_aside: codes of findings in spite of which it is approved; never those that block, nor a missing paper.
        confirmed: ids of the materials that only a person named, and that the official looked at; each is needed.
        once: answer for a repeated request.

    Raises:
        StaleError: the application changed meanwhile, or somebody decided first.
        ClaimedError: somebody else works on it.
        ConflictError: the state, a finding or an unread field forbids it.
        MatterClosedError: an approval has no law in force to rest on.
        AccessError: role or separate duties forbid it.
        InputError: a reason is missing.
    """
    caller.require(action)
    if not reason.strip() and (action != "approve" or set_aside):
        raise InputError("a reason is needed", message_zh="请填写理由")

    def work(session: Session) -> ApplicationView:
        at = ctx.clock()
        row = _locked(ctx, session, caller, number, seen.version)
        transition(row.status, action)
        matter = find_matter(row.matter)
        if action == "approve":
            check_grants(matter, ctx.today())
        part = joint_approval.scope(caller, row)
        sees = part.sees if part is not None else _sees_all
        named = confirmable(session, row, confirmed, sees) if action == "approve" else ()
        given = Decision(action, caller.subject, at, reason.strip(), basis.strip(), seen.content_sha256, named)
        if matter.department:
            _give_opinion(ctx, session, caller, row, matter, given, sorted(set(set_aside)))
        else:
            if views.application(session, row)["content_sha256"] != seen.content_sha256:
                raise StaleError("the content changed since it was seen")
            _settle(ctx, session, caller, row, given, sorted(set(set_aside)))
        return joint_approval.view(session, caller, row)

    return run_once(ctx, caller, once, work)


def _sees_all(material: str | None) -> bool:
    return True


def _settle(
    ctx: Context,
    session: Session,
    caller: Caller,
    row: ApplicationRow,
    decision: Decision,
    set_aside: Sequence[str],
    given: Sequence[str] = (),
) -> None:
    """Make it the decision on the application; ``given`` are the ids of the opinions that it follows from."""
    said = under(row.matter)
    if decision.action == "approve":
        said["draft"] = check_approvable(session, row, set_aside, decision.confirmed, ctx.today())
    changed = corrections.noted(session, row.number) if decision.action == "approve" else []
    made = applications.add_decision(session, row, decision, set_aside, changed)
    sign_act(session, caller, made, **said, opinions=list(given))
    status = transition(row.status, decision.action)
    change_status(session, row, status, decision.at)
    row.seal_state, row.seal_note = "none", ""
    claims.drop(session, row.number)
    noted = {"decision": made.id, "seen": made.seen_sha256, "set_aside": made.set_aside}
    if made.confirmed:
        noted["confirmed"] = made.confirmed
    if changed:
        noted["changed"] = [f"{item['material']}.{item['field']}" for item in changed]
    audit.append(session, decision.at, decision.by, f"application.{status}", row.number, **noted)
    if decision.action == "approve":
        _after_approval(ctx, session, row, made)
    elif decision.action == "return":
        notices.prepare(ctx, session, caller, row, made)
    announce(ctx, session, row, f"application.{status}", reason=made.reason)


def _give_opinion(
    ctx: Context,
    session: Session,
    caller: Caller,
    row: ApplicationRow,
    matter: Matter,
    given: Decision,
    set_aside: Sequence[str],
) -> None:
    """Keep a department's opinion; the one that completes them decides for all."""
    department = joint_approval.own_department(matter, caller)
    joint_approval.check_may_speak(session, caller, department, joint_approval.standing(session, row))
    if joint_approval.content_of(session, row, department) != given.seen_sha256:
        raise StaleError("the content changed since it was seen")
    if given.action == "approve" and department.sees(None):
        check_approvable(session, row, set_aside, given.confirmed, ctx.today())
    elif given.action == "approve":
        whole = department.org == row.org
        check_findings(
            session, row, set_aside, given.confirmed, lambda name: whole or name is None or department.sees(name)
        )
    if given.action == "reject" and not given.basis:
        raise InputError("a refusal needs its legal basis", message_zh="不同意的，请填写法律依据")
    made = opinions.add_opinion(session, row, department.org, given, set_aside)
    sign_act(session, caller, made, **under(row.matter))
    claims.drop(session, row.number, desk=department.org)
    noted: dict[str, object] = {
        "opinion": made.id,
        "department": department.org,
        "says": made.action,
        "saw": made.seen_sha256,
    }
    if made.confirmed:
        noted["confirmed"] = made.confirmed
    audit.append(session, given.at, given.by, "opinion.given", row.number, **noted, set_aside=made.set_aside)
    now = list(joint_approval.standing(session, row).values())
    found = joint_approval.result(matter, now)
    if found is None:
        return
    action, reason, basis, aside, named = found
    content = views.application(session, row)["content_sha256"]
    rest_on = [item.id for item in now if item is not None]
    made_of = Decision(action, given.by, given.at, reason, basis, content, named)
    _settle(ctx, session, caller, row, made_of, aside, rest_on)


def release(ctx: Context, caller: Caller, number: str, version: int, once: Once | None = None) -> ApplicationView:
    """Release the seal for an approved application, or try again after sealing failed.

    Raises:
        AccessError: not a sealer, or the same person as approved.
        ConflictError: nothing waits for release.
        StaleError: the application changed meanwhile.
    """
    caller.require("release")

    def work(session: Session) -> ApplicationView:
        at = ctx.clock()
        row = visible(session, caller, number, "release", lock=True)
        _check_version(row, version)
        if row.status != "approved" or row.seal_state not in ("awaiting_release", "failed"):
            raise ConflictError(f"seal is {row.seal_state}", message_zh="办件当前不需要签章确认")
        decision = applications.approval_of(session, number)
        if decision is None:
            raise ConflictError("there is no approval", message_zh="办件尚未批准")
        _check_genuine(session, row)
        handed_in = persons_behind(session, row.created_by, row.created_at)
        caller.check_not(handed_in, "releases the seal", "申请提交人与签章人不能是同一人")
        approvals = {(decision.by, decision.at), *((item.by, item.at) for item in opinions.agreed(session, number))}
        for by, when in approvals:
            caller.check_not(persons_behind(session, by, when), "releases the seal", SAME_PERSON_ZH)
        decision.released_by, decision.released_at = caller.subject, at
        sign_act(session, caller, decision, part="release_signed", **under(row.matter))
        row.version += 1
        audit.append(session, at, caller.subject, "seal.released", number, decision=decision.id)
        queue_issue(ctx, session, row, decision)
        return joint_approval.view(session, caller, row)

    return run_once(ctx, caller, once, work)


def _locked(ctx: Context, session: Session, caller: Caller, number: str, version: int) -> ApplicationRow:
    row = visible(session, caller, number, "view", lock=True)
    _check_genuine(session, row)
    caller.check_not(persons_behind(session, row.created_by, row.created_at), "decides", "申请提交人不能审批自己的办件")
    _check_version(row, version)
    claims.check_free(session, number, caller.subject, ctx.clock(), joint_approval.desk(caller, row))
    return row


def _check_genuine(session: Session, row: ApplicationRow) -> None:
    """Refuse an application whose origin somebody changed in the database: who handed it in must not decide."""
    try:
        check_row(session, row)
    except SignatureError as error:
        raise ConflictError(str(error), message_zh="办件的登记信息没有通过完整性检查，请联系管理员") from error


def _check_version(row: ApplicationRow, version: int) -> None:
    if row.version != version:
        raise StaleError(f"application is at version {row.version}, not {version}")


def _after_approval(ctx: Context, session: Session, row: ApplicationRow, decision: DecisionRow) -> None:
    if find_matter(row.matter).separate_sealer:
        row.seal_state, row.seal_note = "awaiting_release", "已批准，等待签章人确认"
    else:
        queue_issue(ctx, session, row, decision)
