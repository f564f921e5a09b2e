"""What the sealer makes sure of for itself before an approval becomes a licence; it does not believe the database.

Everything rests on what officials signed (:mod:`docproc.flow.core.acts`): the approval, over the content that was seen
and the licence that it makes; the release; in a joint approval the opinion of each department. The rest is made again
from what is there now, and compared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from docproc.canonical import JsonObject, canonical_json
from docproc.check.licence_draft import draft_licence, drafted_sha256, numbered
from docproc.domain import CHINA, Licence, PageReading
from docproc.errors import SealError
from docproc.flow.applications import joint_approval, views
from docproc.flow.core.access import Act
from docproc.flow.core.acts import Acted, read_act
from docproc.flow.core.authority import authority_code
from docproc.flow.core.context import Context
from docproc.flow.seals.seal_once import NOT_APPROVED
from docproc.licence.page.record import parse_licence_json
from docproc.matter.load import digest_of, find_matter
from docproc.matter.model import Matter
from docproc.process_keys import SignatureError
from docproc.store.applications import applications, pages
from docproc.store.signatures import SEALER, WEB, check_row
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.base import Signed
from docproc.store.tables.licences import LicenceRow
from docproc.store.tables.review import DecisionRow

UNSIGNED = "需重新确认：批准或放行没有有效的签名，请审批人再批准一次"
UNRELEASED = "已批准，等待签章人确认"
RULES_CHANGED = "需重新确认：批准之后事项规则有变动，请审批人再批准一次"
SAME_PERSON = "提交、审批与签章放行须由不同的人办理，不能签章"


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval that holds."""

    decision: DecisionRow
    application: ApplicationRow
    matter: Matter
    readings: tuple[PageReading, ...]
    said: JsonObject
    """What was signed with it."""


def check_approval(session: Session, decision_id: str) -> Approved:
    """The approval, if officials gave it over what the application says now, and it was released.

    Raises:
        SealError: one of that is not so.
    """
    decision = applications.find_decision(session, decision_id)
    row = applications.find_application(session, decision.application)
    approved = acted(session, decision, "approve")
    opened = _said_with(session, row)
    current = applications.approval_of(session, row.number)
    if current is None or current.id != decision_id:
        raise SealError(f"decision {decision_id} is no approval, or was given anew", message_zh=NOT_APPROVED)
    matter = find_matter(row.matter)
    if decision.action != "approve" or approved.said.get("matter") != row.matter:
        raise SealError(f"decision {decision_id} approves no {row.matter}", message_zh=NOT_APPROVED)
    if views.application(session, row)["content_sha256"] != decision.seen_sha256:
        raise SealError(f"application {row.number} is not what was approved", message_zh=NOT_APPROVED)
    approvers = [approved, *_opinions(session, row, matter, approved)]
    last = approved
    if matter.separate_sealer or decision.released_at is not None:
        last = acted(session, decision, "release", part="release_signed", code="not_released", message_zh=UNRELEASED)
        _check_apart([last], [opened, *(item.persons for item in approvers)])
    _check_apart(approvers, [opened])
    if last.said.get("matter_sha256") != digest_of(row.matter):
        problem = f"the rules of {row.matter} changed since {row.number}"
        raise SealError(problem, message_zh=RULES_CHANGED, code="rules_changed")
    readings = tuple(reading for _, reading in pages.readings_of(session, row.number))
    return Approved(decision, row, matter, readings, approved.said)


def check_licence(ctx: Context, session: Session, found: Approved, licence: LicenceRow) -> None:
    """Make sure that a licence bears the number that a sealer gave, and says what the approval makes.

    Raises:
        SealError: it is another one.
    """
    check_numbered(session, licence)
    told = parse_licence_json(canonical_json(licence.body))
    made = draft(ctx, found, licence.code, number=licence.number, dated=told.issued_on)
    of_it = (licence.decision, licence.application) == (found.decision.id, found.application.number)
    if not of_it or (licence.matter, licence.kind) != (found.matter.id, made.kind) or made != told:
        raise _not_approved(licence, "it is not what the approved application makes")
    if not found.decision.at.astimezone(CHINA).date() <= told.issued_on <= ctx.today():
        raise _not_approved(licence, f"it is dated {told.issued_on}")


def check_numbered(session: Session, licence: LicenceRow) -> None:
    """Make sure that a sealer gave a licence its number.

    Raises:
        SealError: none did, or it says something else by now.
    """
    try:
        check_row(session, licence, roles=(*SEALER, *WEB))
    except SignatureError as error:
        raise _not_approved(licence, str(error)) from error


def draft(
    ctx: Context, found: Approved, code: str, *, serial: int = 1, number: str = "", dated: date | None = None
) -> Licence:
    """The licence that an approval makes, with the running number or the number given, dated today or otherwise.

    Raises:
        SealError: it would not say what was approved.
    """
    made = draft_licence(
        found.matter,
        found.readings,
        serial=serial,
        application=found.application.number,
        authority=ctx.settings.authority_name,
        authority_code=authority_code(ctx.settings),
        today=dated or ctx.today(),
        verify_url=f"{ctx.settings.public_url.rstrip('/')}/v/{code}",
    )
    if found.said.get("draft") != drafted_sha256(made):
        raise SealError(f"decision {found.decision.id} approves another licence", message_zh=NOT_APPROVED)
    return numbered(found.matter, made, number) if number else made


def acted(
    session: Session,
    row: Signed,
    act: Act,
    *,
    part: str = "signed",
    code: str = "not_signed",
    message_zh: str = UNSIGNED,
) -> Acted:
    """Who did something, as a sealer asks.

    Raises:
        SealError: nobody who may do that signed it.
    """
    try:
        return read_act(session, row, act, part=part)
    except SignatureError as error:
        raise SealError(str(error), message_zh=message_zh, code=code) from error


def _said_with(session: Session, row: ApplicationRow) -> frozenset[str]:
    """Who opened an application."""
    try:
        said = check_row(session, row)
    except SignatureError as error:
        raise SealError(str(error), message_zh=NOT_APPROVED) from error
    who = said.get("person") or {}
    return frozenset(who.get("persons", [row.created_by]))


def _opinions(session: Session, row: ApplicationRow, matter: Matter, approved: Acted) -> list[Acted]:
    """The opinions on which a joint approval rests: one of each department, over what it saw, by another person."""
    if not matter.department:
        return []
    standing = joint_approval.standing(session, row)
    found: list[Acted] = []
    for department in matter.department:
        item = standing.get(department.org)
        if item is None or item.action != "approve" or item.id not in approved.said.get("opinions", []):
            raise SealError(f"{department.org} did not agree to {row.number}", message_zh=NOT_APPROVED)
        opinion = acted(session, item, "approve")
        if not opinion.adopted and opinion.org != department.org:
            raise SealError(f"{opinion.subject} speaks for {department.org}", message_zh=NOT_APPROVED)
        _check_apart([opinion], [other.persons for other in found])
        found.append(opinion)
    return found


def _check_apart(who: Iterable[Acted], others: Collection[frozenset[str]]) -> None:
    for item in who:
        if any(item.persons & persons for persons in others):
            raise SealError(f"{item.subject} did what others must do", message_zh=SAME_PERSON, code="same_person")


def _not_approved(licence: LicenceRow, why: str) -> SealError:
    return SealError(f"licence {licence.number}: {why}", message_zh=NOT_APPROVED)
