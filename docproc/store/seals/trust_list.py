"""Queries on other departments' roots; nothing is committed here."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import ConflictError
from docproc.store import dual_control
from docproc.store.tables.seals import RootBody, TrustAction, TrustChangeRow


def propose(
    session: Session, root_sha256: str, action: TrustAction, body: RootBody, reason: str, by: str, at: datetime
) -> TrustChangeRow:
    """Insert a change that another person must confirm.

    Raises:
        ConflictError: a change of this root is already pending.
    """
    waiting = sa.select(TrustChangeRow.id).where(
        TrustChangeRow.root_sha256 == root_sha256, TrustChangeRow.state == "open"
    )
    if session.scalar(waiting) is not None:
        raise ConflictError("a change of this root waits already", message_zh="这个根证书已有待确认的变更")
    row = TrustChangeRow(
        id=secrets.token_hex(6),
        root_sha256=root_sha256,
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


def find_change(session: Session, change_id: str, *, lock: bool = False) -> TrustChangeRow:
    """A change by its id.

    Raises:
        NotFoundError: no such change.
    """
    return dual_control.find_change(
        session, TrustChangeRow, change_id, "the trust list", message_zh="没有这项变更", lock=lock
    )


def newest_changes(session: Session, limit: int = 30) -> list[TrustChangeRow]:
    """Pending changes first, then the others, newest first."""
    return dual_control.newest_changes(session, TrustChangeRow, limit)


def recognised(session: Session) -> dict[str, RootBody]:
    """Roots that are trusted now: body by hash of the root."""
    query = sa.select(TrustChangeRow).where(TrustChangeRow.state == "confirmed")
    found: dict[str, RootBody] = {}
    for row in session.scalars(query.order_by(TrustChangeRow.closed_at, TrustChangeRow.id)):
        if not dual_control.is_made_by_two(session, row):
            continue
        if row.action == "add":
            found[row.root_sha256] = row.body
        else:
            found.pop(row.root_sha256, None)
    return found
