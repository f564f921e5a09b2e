"""What counts is changed by two persons: one proposes, another confirms or refuses, and each change is closed once.

A noun says in a :class:`Changes` who may do so, how its changes are found and shown, and what a confirmed one does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypedDict, TypeVar

from sqlalchemy.orm import Session

from docproc.canonical import JsonObject
from docproc.errors import ConflictError, InputError
from docproc.flow.core.access import Act, Caller
from docproc.flow.core.acts import person, read_act, sign_act
from docproc.flow.core.context import Context
from docproc.flow.core.views import iso, iso_or_none
from docproc.process_keys import SignatureError
from docproc.store.accounts.api_keys import persons_behind
from docproc.store.audit import audit
from docproc.store.tables.base import ChangeState, ProposedChange

MOST_CHARACTERS = 2000
"""Of a reason."""
NOT_PROPOSED = "这项变更没有提出人的有效签名，不能确认，请拒绝后重新提出"


class ChangeView(TypedDict):
    """A change that one person proposes and another confirms or refuses."""

    id: str
    reason: str
    state: ChangeState
    proposed_by: str
    proposed_at: str
    closed_by: str | None
    closed_at: str | None


Row = TypeVar("Row", bound=ProposedChange)
View = TypeVar("View", bound=ChangeView)
Persons = tuple[JsonObject, JsonObject]
"""Who proposed a change and who confirmed it (:func:`docproc.flow.core.acts.person`)."""
Noted = Mapping[str, object]
"""What the audit log keeps of a change beside who, when and which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes(Generic[Row, View]):
    """The changes of one noun."""

    topic: str
    """First part of the actions in the audit log: ``seal`` for ``seal.proposed``."""
    may_propose: Act
    may_close: Act
    closing: str
    """What closing does, for the log: ``confirms the change of a seal``."""
    same_person_zh: str
    closed_zh: str
    no_reason_zh: str = "请填写理由"
    find: Callable[[Session, str], Row]
    """A change by its id, locked."""
    newest: Callable[[Session], list[Row]]
    """Those that are listed."""
    view: Callable[[Row], View]
    subject: Callable[[Row], str]
    """What the change is about, for the audit log."""
    noted_on_proposal: Callable[[Row], Noted]
    noted_on_closing: Callable[[Row], Noted]
    effect: Callable[[Context, Session, Row, Persons], None]
    """Makes a confirmed change true, in the transaction that closes it; raises where that is not possible any more."""


def change_view(row: ProposedChange) -> ChangeView:
    """What all changes have in common."""
    return {
        "id": row.id,
        "reason": row.reason,
        "state": row.state,
        "proposed_by": row.proposed_by,
        "proposed_at": iso(row.proposed_at),
        "closed_by": row.closed_by,
        "closed_at": iso_or_none(row.closed_at),
    }


def listed(session: Session, changes: Changes[Row, View]) -> list[View]:
    """The changes that are to be shown."""
    return [changes.view(row) for row in changes.newest(session)]


def propose(
    ctx: Context,
    caller: Caller,
    changes: Changes[Row, View],
    reason: str,
    add: Callable[[Session, str, datetime], Row],
) -> View:
    """Keep a change until another person closes it; ``add`` inserts its row with the reason and the time.

    Raises:
        AccessError: no role of the caller proposes such changes.
        InputError: no reason is given.
    """
    caller.require(changes.may_propose)
    if not reason.strip():
        raise InputError("a reason is needed", message_zh=changes.no_reason_zh)
    with ctx.database.write() as session:
        at = ctx.clock()
        row = add(session, reason.strip()[:MOST_CHARACTERS], at)
        sign_act(session, caller, row)
        noted = changes.noted_on_proposal(row)
        audit.append(session, at, caller.subject, f"{changes.topic}.proposed", changes.subject(row), **noted)
        return changes.view(row)


def close(ctx: Context, caller: Caller, changes: Changes[Row, View], change_id: str, *, refuse: bool) -> View:
    """Confirm a change, which makes it true, or refuse it.

    Raises:
        AccessError: no role of the caller closes such changes, or it is the person who proposed it.
        ConflictError: it is closed already.
    """
    caller.require(changes.may_close)
    with ctx.database.write() as session:
        at = ctx.clock()
        row = changes.find(session, change_id)
        proposers = persons_behind(session, row.proposed_by, row.proposed_at)
        caller.check_not(proposers, changes.closing, changes.same_person_zh)
        if row.state != "open":
            raise ConflictError(f"change {row.id} is {row.state}", message_zh=changes.closed_zh)
        if not refuse:
            changes.effect(ctx, session, row, (_proposer(session, changes, row), person(caller)))
        row.state, row.closed_by, row.closed_at = "refused" if refuse else "confirmed", caller.subject, at
        sign_act(session, caller, row, part="closing_signed")
        noted = changes.noted_on_closing(row)
        audit.append(session, at, caller.subject, f"{changes.topic}.{row.state}", changes.subject(row), **noted)
        return changes.view(row)


def _proposer(session: Session, changes: Changes[Row, View], row: Row) -> JsonObject:
    """Who proposed a change, if they did: a proposal that was only written into the database is confirmed by nobody."""
    try:
        found: JsonObject = read_act(session, row, changes.may_propose).said["person"]
    except SignatureError as error:
        raise ConflictError(str(error), message_zh=NOT_PROPOSED, code="not_signed") from error
    return found
