"""Queries on the custody of paper documents at the counter; nothing is committed here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.counter import CustodyRow, StepKind


def add(
    session: Session, application: str, kind: StepKind, actor: str, at: datetime, *, receipt: str = "", **detail: Any
) -> CustodyRow:
    """Record a custody step."""
    row = CustodyRow(application=application, kind=kind, receipt=receipt, actor=actor, at=at, detail=detail)
    session.add(row)
    session.flush()
    return row


def steps(session: Session, application: str) -> Sequence[CustodyRow]:
    """All steps of an application, oldest first."""
    query = sa.select(CustodyRow).where(CustodyRow.application == application).order_by(CustodyRow.id)
    return session.scalars(query).all()


def count(session: Session, application: str, kind: StepKind, since: datetime | None = None) -> int:
    """Number of steps of a kind."""
    query = sa.select(sa.func.count()).where(CustodyRow.application == application, CustodyRow.kind == kind)
    if since is not None:
        query = query.where(CustodyRow.at > since)
    return session.scalar(query) or 0


def forget_names(session: Session, application: str) -> None:
    """Erase the names of people who received documents; the steps stay."""
    for row in steps(session, application):
        if row.detail.get("to"):
            row.detail = {**row.detail, "to": ""}
    session.flush()
