"""Queries on licences: the register of what was issued; nothing is committed here."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.canonical import JsonObject
from docproc.domain import Licence
from docproc.errors import NotFoundError
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.licences import (
    LicenceEventRow,
    LicenceFileRow,
    LicenceRow,
    LicenceVersionRow,
    SealedStatus,
    StatusListRow,
)

NEVER_DUE = datetime(9999, 1, 1, tzinfo=UTC)
"""Expiry of a file that needs no renewal: superseded, or without an archive time-stamp."""


def new_code() -> str:
    """A new unguessable code for the URL in a QR code: 128 bits."""
    return secrets.token_urlsafe(16)


def is_taken(session: Session, number: str) -> bool:
    """Whether a licence has this number, sealed or not."""
    return session.get(LicenceRow, number) is not None


def add_licence(
    session: Session, licence: Licence, *, decision: str, application: ApplicationRow, code: str, body: JsonObject
) -> LicenceRow:
    """Insert a licence that is not sealed yet.

    Raises:
        sqlalchemy.exc.IntegrityError: the approval has a licence already, or the number is taken.
    """
    row = LicenceRow(
        number=licence.number,
        decision=decision,
        application=application.number,
        code=code,
        matter=licence.matter,
        kind=licence.kind,
        version=licence.version,
        org=application.org,
        holder=licence.holder,
        title=licence.title,
        authority=licence.authority,
        issued_on=licence.issued_on,
        valid_from=licence.valid_from,
        valid_to=licence.valid_to,
        status="preparing",
        body=body,
    )
    session.add(row)
    session.flush()
    return row


def redraw(session: Session, row: LicenceRow, licence: Licence, body: JsonObject) -> None:
    """Make a licence that is not sealed yet say something else under its number."""
    row.matter, row.kind, row.version, row.holder = licence.matter, licence.kind, licence.version, licence.holder
    row.title, row.authority, row.body = licence.title, licence.authority, body
    row.issued_on, row.valid_from, row.valid_to = licence.issued_on, licence.valid_from, licence.valid_to
    session.flush()


def licence_of_decision(session: Session, decision: str) -> LicenceRow | None:
    """The licence that an approval led to."""
    return session.scalars(sa.select(LicenceRow).where(LicenceRow.decision == decision)).one_or_none()


def licence_of_application(session: Session, number: str) -> LicenceRow | None:
    """The licence of an application."""
    return session.scalars(sa.select(LicenceRow).where(LicenceRow.application == number)).one_or_none()


def prepared_licence(session: Session, number: str) -> LicenceRow:
    """A licence by number, sealed or not.

    Raises:
        NotFoundError: the number was never assigned.
    """
    row = session.get(LicenceRow, number)
    if row is None:
        raise NotFoundError(f"no licence {number!r}")
    return row


def find_licence(session: Session, number: str, *, lock: bool = False) -> LicenceRow:
    """An issued licence by number.

    Raises:
        NotFoundError: no such licence, or it is not sealed yet.
    """
    row = session.get(LicenceRow, number, with_for_update=lock)
    if row is None or row.sha256 is None:
        raise NotFoundError(f"no licence {number!r}", message_zh="没有查到这个证照编号")
    return row


def find_issued(session: Session, number: str) -> LicenceRow | None:
    """An issued licence by number, or ``None``."""
    row = session.get(LicenceRow, number)
    return row if row is not None and row.sha256 is not None else None


def find_by_code(session: Session, code: str) -> LicenceRow:
    """An issued licence by the code in its QR code.

    Raises:
        NotFoundError: no licence has this code.
    """
    row = session.scalars(sa.select(LicenceRow).where(LicenceRow.code == code)).one_or_none()
    if row is None or row.sha256 is None:
        raise NotFoundError("no licence has this code", message_zh="没有查到这个证照")
    return row


def find_by_sha256(session: Session, digest: str) -> LicenceRow | None:
    """The issued licence one of whose sealed files, current or earlier, has this hash."""
    query = sa.select(LicenceRow).join(LicenceFileRow, LicenceFileRow.licence == LicenceRow.number)
    return session.scalars(query.where(LicenceFileRow.sha256 == digest)).one_or_none()


def register_sealed(session: Session, number: str, sha256: str, at: datetime) -> bool:
    """Register a sealed file as the licence; ``False`` if another file was registered before."""
    statement = (
        sa.update(LicenceRow)
        .where(LicenceRow.number == number, LicenceRow.sha256.is_(None))
        .values(sha256=sha256, sealed_at=at, status="valid")
        .returning(LicenceRow.number)
    )
    if session.execute(statement).one_or_none() is None:
        return False
    session.add(LicenceFileRow(sha256=sha256, licence=number, at=at, reason="issued"))
    session.flush()
    return True


def register_renewed(session: Session, licence: LicenceRow, sha256: str, at: datetime) -> None:
    """Make a renewed file the current one; earlier ones are kept as superseded. The licence must be locked."""
    former, licence.sha256 = licence.sha256, sha256
    session.add(LicenceFileRow(sha256=sha256, licence=licence.number, at=at, reason="renewed"))
    session.flush()
    set_good_until(session, {former: NEVER_DUE} if former else {})


def register_version(
    session: Session, licence: LicenceRow, version: LicenceVersionRow, new: Licence, at: datetime
) -> None:
    """Make a corrected or re-issued file the current one; the former is kept as superseded. Lock the licence first."""
    set_good_until(session, {licence.sha256: NEVER_DUE} if licence.sha256 else {})
    licence.body, licence.version, licence.sha256 = version.body, version.version, version.sha256
    licence.holder, licence.issued_on, licence.sealed_at = new.holder, new.issued_on, at
    licence.valid_from, licence.valid_to = new.valid_from, new.valid_to
    session.add(LicenceFileRow(sha256=version.sha256, licence=licence.number, at=at, reason=version.action))
    session.flush()


def set_status(
    session: Session, licence: LicenceRow, status: SealedStatus, by: str, at: datetime, reason: str, basis: str = ""
) -> LicenceEventRow:
    """Change a licence's status and record who did it, when, why and on what legal basis."""
    licence.status = status
    return add_status_event(session, licence.number, status, by, at, reason, basis)


def add_status_event(
    session: Session, number: str, status: SealedStatus, by: str, at: datetime, reason: str, basis: str = ""
) -> LicenceEventRow:
    """Add an entry to a licence's history."""
    row = LicenceEventRow(licence=number, status=status, by=by, at=at, reason=reason, basis=basis)
    session.add(row)
    session.flush()
    return row


def last_event(session: Session, number: str) -> LicenceEventRow | None:
    """The newest entry of a licence's history."""
    query = sa.select(LicenceEventRow).where(LicenceEventRow.licence == number)
    return session.scalars(query.order_by(LicenceEventRow.id.desc()).limit(1)).one_or_none()


def open_version(session: Session, number: str) -> LicenceVersionRow | None:
    """A new version of a licence that was ordered and is not sealed yet."""
    query = sa.select(LicenceVersionRow).where(LicenceVersionRow.licence == number)
    return session.scalars(query.where(LicenceVersionRow.state.in_(("queued", "waiting")))).one_or_none()


def find_version(session: Session, version_id: str) -> LicenceVersionRow:
    """A new version by id.

    Raises:
        NotFoundError: it was never ordered.
    """
    row = session.get(LicenceVersionRow, version_id)
    if row is None:
        raise NotFoundError(f"no licence version {version_id!r}")
    return row


def next_version(session: Session, number: str) -> int:
    """The number after the highest version ever ordered; the number of a failed order is not reused."""
    ordered = session.scalar(
        sa.select(sa.func.max(LicenceVersionRow.version)).where(LicenceVersionRow.licence == number)
    )
    current = session.scalar(sa.select(LicenceRow.version).where(LicenceRow.number == number))
    return max(ordered or 0, current or 0) + 1


def withdrawn(session: Session) -> list[tuple[str, str]]:
    """Number and status of every licence that its row shows as not in force."""
    query = sa.select(LicenceRow.number, LicenceRow.status).where(LicenceRow.sha256.is_not(None))
    return [(number, status) for number, status in session.execute(query.where(LicenceRow.status != "valid"))]


def add_status_list(session: Session, sequence: int, at: datetime, body: str) -> None:
    """Store a signed status list as the newest one; older ones are deleted, relying parties keep their own copies."""
    session.execute(sa.delete(StatusListRow).where(StatusListRow.sequence < sequence))
    session.add(StatusListRow(sequence=sequence, issued_at=at, body=body))
    session.flush()


def newest_status_list(session: Session) -> StatusListRow | None:
    """The status list that is served."""
    query = sa.select(StatusListRow).order_by(StatusListRow.sequence.desc()).limit(1)
    return session.scalars(query).one_or_none()


def unlooked(session: Session, limit: int) -> list[str]:
    """Current files whose expiry the renewal sweep has not determined yet."""
    query = sa.select(LicenceFileRow.sha256).join(LicenceRow, LicenceRow.sha256 == LicenceFileRow.sha256)
    return list(session.scalars(query.where(LicenceFileRow.good_until.is_(None)).limit(limit)))


def set_good_until(session: Session, ends: dict[str, datetime]) -> None:
    """Store when the archive time-stamps of files expire, by SHA-256."""
    for sha256, end in ends.items():
        session.execute(sa.update(LicenceFileRow).where(LicenceFileRow.sha256 == sha256).values(good_until=end))


def due(
    session: Session, before: datetime, made_before: datetime, limit: int, after: tuple[datetime, str] | None = None
) -> list[tuple[datetime, str, str]]:
    """Expiry, file and number of licences whose time-stamp expires before a moment, earliest first.

    ``made_before`` leaves out files that this sweep itself has made; ``after`` is the expiry and the file of the last
    one processed.
    """
    end, sha256 = LicenceFileRow.good_until, LicenceFileRow.sha256
    query = (
        sa.select(end, sha256, LicenceRow.number)
        .join(LicenceRow, LicenceRow.sha256 == sha256)
        .where(end < before, LicenceFileRow.at < made_before)
        .order_by(end, sha256)
        .limit(limit)
    )
    if after is not None:
        query = query.where(end >= after[0], sa.or_(end > after[0], sha256 > after[1]))
    return [(until, file, number) for until, file, number in session.execute(query) if until is not None]


def ends(session: Session, never: datetime) -> dict[int, int]:
    """Number of current files that expire in each year before ``never``."""
    end = LicenceFileRow.good_until
    current = sa.select(end).join(LicenceRow, LicenceRow.sha256 == LicenceFileRow.sha256)
    found: dict[int, int] = {}
    start = datetime(1970, 1, 1, tzinfo=never.tzinfo)
    first_after = current.where(end >= sa.bindparam("start"), end < never).order_by(end).limit(1)
    while (first := session.scalar(first_after, {"start": start})) is not None:
        next_year = datetime(first.year + 1, 1, 1, tzinfo=never.tzinfo)
        of_year = current.where(end >= first, end < next_year).subquery()
        found[first.year] = session.scalar(sa.select(sa.func.count()).select_from(of_year)) or 0
        start = next_year
    return found


def files_of(session: Session, number: str) -> list[LicenceFileRow]:
    """Every sealed file of a licence, oldest first."""
    query = sa.select(LicenceFileRow).where(LicenceFileRow.licence == number)
    return list(session.scalars(query.order_by(LicenceFileRow.at, LicenceFileRow.sha256)))


def history(session: Session, number: str) -> list[LicenceEventRow]:
    """Status history of a licence, oldest first."""
    query = sa.select(LicenceEventRow).where(LicenceEventRow.licence == number).order_by(LicenceEventRow.id)
    return list(session.scalars(query))
