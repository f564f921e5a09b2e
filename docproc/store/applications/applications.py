"""Queries on applications and decisions; nothing is committed here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from docproc.canonical import JsonObject
from docproc.domain import Decision
from docproc.errors import NotFoundError
from docproc.store.running_numbers import next_value
from docproc.store.signatures import is_signed
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.review import DecisionRow


def next_number(session: Session, region: str, matter_code: str, day: date) -> str:
    """A new 办件编号: division, matter, day, running number of the day (``510116-FL-20261123-000123``)."""
    stem = f"{region or '000000'}-{matter_code}-{day:%Y%m%d}"
    return f"{stem}-{next_value(session, 'application:' + stem):06d}"


def add_application(
    session: Session, number: str, *, matter: str, org: str, channel: str, by: str, at: datetime
) -> ApplicationRow:
    """Insert a draft."""
    row = ApplicationRow(
        number=number,
        matter=matter,
        org=org,
        channel=channel,
        created_by=by,
        created_at=at,
        updated_at=at,
        status="draft",
        version=1,
        revision=1,
        checked_revision=0,
        seal_state="none",
        seal_note="",
        seal_attempt=0,
    )
    session.add(row)
    session.flush()
    return row


def find_application(session: Session, number: str, *, lock: bool = False) -> ApplicationRow:
    """The application with this number; ``lock`` blocks other writers until the transaction ends.

    Raises:
        NotFoundError: no such application.
    """
    row = session.get(ApplicationRow, number, with_for_update=lock)
    if row is None:
        raise NotFoundError(f"no application {number!r}", message_zh="没有这个办件")
    return row


def list_applications(
    session: Session,
    *,
    org: str | None = None,
    created_by: str | None = None,
    open_at: datetime | None = None,
    among: Collection[str] | None = None,
    status: str | None = None,
    after: str = "",
    limit: int = 50,
    matters: Sequence[str] = (),
) -> list[ApplicationRow]:
    """Applications by number after ``after``; with ``matters``, also those submitted for them at other offices.

    With ``open_at``, only those open to the key of the kiosk at that moment; or ``among`` these numbers.
    """
    query = sa.select(ApplicationRow).where(ApplicationRow.number > after).order_by(ApplicationRow.number).limit(limit)
    if org is not None:
        query = query.where(_of(org, matters))
    if among is not None:
        query = query.where(ApplicationRow.number.in_(among))
    elif open_at is not None:
        query = query.where(ApplicationRow.kiosk_until > open_at)
    for column, value in (
        (ApplicationRow.created_by, created_by),
        (ApplicationRow.status, status),
    ):
        if value is not None:
            query = query.where(column == value)
    return list(session.scalars(query))


def close_to_kiosk(session: Session, subject: str, at: datetime) -> None:
    """Close to a kiosk's key what is open to it."""
    mine = ApplicationRow.created_by == subject, ApplicationRow.kiosk_until > at
    session.execute(sa.update(ApplicationRow).where(*mine).values(kiosk_until=at))


def waiting(
    session: Session, statuses: Sequence[str], *, org: str | None = None, limit: int = 500, matters: Sequence[str] = ()
) -> list[ApplicationRow]:
    """Applications in the given statuses, earliest submitted first; ``matters`` as in :func:`list_applications`."""
    query = sa.select(ApplicationRow).where(
        ApplicationRow.status.in_(statuses), ApplicationRow.submitted_at.is_not(None)
    )
    if org is not None:
        query = query.where(_of(org, matters))
    return list(session.scalars(query.order_by(ApplicationRow.submitted_at).limit(limit)))


def _of(org: str, matters: Sequence[str]) -> sa.ColumnElement[bool]:
    mine = ApplicationRow.org == org
    if not matters:
        return mine
    return mine | (ApplicationRow.matter.in_(matters) & ApplicationRow.submitted_at.is_not(None))


def add_decision(
    session: Session,
    application: ApplicationRow,
    decision: Decision,
    set_aside: Sequence[str] = (),
    changed: Sequence[JsonObject] = (),
) -> DecisionRow:
    """Insert a decision on the application's current version.

    Raises:
        sqlalchemy.exc.IntegrityError: this version was decided already.
    """
    row = DecisionRow(
        id=uuid4().hex,
        application=application.number,
        on_version=application.version,
        action=decision.action,
        by=decision.by,
        at=decision.at,
        reason=decision.reason,
        basis=decision.basis,
        seen_sha256=decision.seen_sha256,
        set_aside=list(set_aside),
        confirmed=list(decision.confirmed),
        changed=list(changed),
    )
    session.add(row)
    session.flush()
    return row


def find_decision(session: Session, decision_id: str) -> DecisionRow:
    """The decision with this id.

    Raises:
        NotFoundError: no such decision.
    """
    row = session.get(DecisionRow, decision_id)
    if row is None:
        raise NotFoundError(f"no decision {decision_id!r}")
    return row


def decisions_of(session: Session, number: str) -> list[DecisionRow]:
    """Decisions on an application, oldest first."""
    query = sa.select(DecisionRow).where(DecisionRow.application == number).order_by(DecisionRow.on_version)
    return list(session.scalars(query))


def approval_of(session: Session, number: str) -> DecisionRow | None:
    """The approval of an application that an official signed, the newest where it was given anew."""
    query = sa.select(DecisionRow).where(DecisionRow.application == number, DecisionRow.action == "approve")
    found = session.scalars(query.order_by(DecisionRow.on_version.desc()))
    return next((row for row in found if is_signed(session, row)), None)


def approved(
    session: Session, states: Sequence[str], org: str | None, matter: str | None, after: str, limit: int
) -> list[tuple[str, int, str]]:
    """Approved applications whose seal is in one of these states, after a number: number, version, state."""
    query = sa.select(ApplicationRow.number, ApplicationRow.version, ApplicationRow.seal_state).where(
        ApplicationRow.status == "approved", ApplicationRow.seal_state.in_(states), ApplicationRow.number > after
    )
    if org is not None:
        query = query.where(ApplicationRow.org == org)
    if matter is not None:
        query = query.where(ApplicationRow.matter == matter)
    found = session.execute(query.order_by(ApplicationRow.number).limit(limit))
    return [(number, version, state) for number, version, state in found]


def seal_states(session: Session, numbers: Sequence[str]) -> list[tuple[str, str, str]]:
    """Number, state of the seal and its note."""
    query = sa.select(ApplicationRow.number, ApplicationRow.seal_state, ApplicationRow.seal_note)
    found = session.execute(query.where(ApplicationRow.number.in_(numbers)))
    return [(number, state, note) for number, state, note in found]


def sealing(session: Session, limit: int = 50) -> list[tuple[str, str, int]]:
    """Applications whose licence is being issued: number, approval's id, attempt."""
    later = aliased(DecisionRow)
    given_anew = (
        sa.select(later.id)
        .where(
            later.application == DecisionRow.application,
            later.action == "approve",
            later.on_version > DecisionRow.on_version,
        )
        .exists()
    )
    query = (
        sa.select(ApplicationRow.number, DecisionRow.id, ApplicationRow.seal_attempt)
        .join(DecisionRow, DecisionRow.application == ApplicationRow.number)
        .where(ApplicationRow.seal_state.in_(("queued", "waiting")), DecisionRow.action == "approve", ~given_anew)
        .order_by(ApplicationRow.updated_at)
        .limit(limit)
    )
    return [(number, decision, attempt) for number, decision, attempt in session.execute(query)]
