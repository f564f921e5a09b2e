"""Queries on the seal registry; nothing is committed here."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import ConflictError
from docproc.store import dual_control
from docproc.store.tables.seals import SealAction, SealBody, SealChangeRow, SealRow


def is_empty(session: Session) -> bool:
    """Whether no seal was ever registered or proposed."""
    found = session.scalar(sa.select(SealRow.name).limit(1)) or session.scalar(sa.select(SealChangeRow.id).limit(1))
    return found is None


def find_seal(session: Session, name: str, *, lock: bool = False) -> SealRow | None:
    """The seal with this name, or ``None``."""
    return session.get(SealRow, name, with_for_update=lock)


def list_seals(session: Session) -> list[SealRow]:
    """All seals by name."""
    return list(session.scalars(sa.select(SealRow).order_by(SealRow.name)))


def put_seal(session: Session, row: SealRow) -> None:
    """Register a seal; it replaces the one of the same name."""
    session.merge(row)
    session.flush()


def propose(
    session: Session, name: str, action: SealAction, body: SealBody, reason: str, by: str, at: datetime
) -> SealChangeRow:
    """Insert a change that another person must confirm.

    Raises:
        ConflictError: a change of this seal is already pending.
    """
    waiting = sa.select(SealChangeRow.id).where(SealChangeRow.seal == name, SealChangeRow.state == "open")
    if session.scalar(waiting) is not None:
        raise ConflictError(f"a change of {name} waits already", message_zh="这枚印章已有待确认的变更")
    row = SealChangeRow(
        id=secrets.token_hex(6),
        seal=name,
        action=action,
        body=body,
        reason=reason,
        proposed_by=by,
        proposed_at=at,
        state="open",
    )
    session.add(row)
    session.flush()
    return row


def find_change(session: Session, change_id: str, *, lock: bool = False) -> SealChangeRow:
    """A change by its id.

    Raises:
        NotFoundError: no such change.
    """
    return dual_control.find_change(
        session, SealChangeRow, change_id, "a seal", message_zh="没有这项印章变更", lock=lock
    )


def open_changes(session: Session) -> list[SealChangeRow]:
    """Changes waiting to be confirmed, oldest first."""
    query = sa.select(SealChangeRow).where(SealChangeRow.state == "open").order_by(SealChangeRow.proposed_at)
    return list(session.scalars(query))
