"""Rows that do not bear the signature that a process of ours put on them, and rows that should bear one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.process_keys import SignatureError
from docproc.store.audit.chain import KEYED
from docproc.store.signatures import SEALER, WEB, check_row
from docproc.store.tables.accounts import ApiKeyRow, PageSessionRow, UserRow, UserSessionRow
from docproc.store.tables.applications import ApplicationRow, NoticeRow
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.base import Signed
from docproc.store.tables.licences import LicenceEventRow, LicenceRow, LicenceVersionRow
from docproc.store.tables.matters import CatalogueChangeRow
from docproc.store.tables.review import DecisionRow, OpinionRow
from docproc.store.tables.seals import SealChangeRow, SealRow, TrustChangeRow

TABLES: tuple[tuple[type[Signed], str, str, str], ...] = (
    (UserRow, "signed", "created_at", "user"),
    (ApiKeyRow, "signed", "created_at", "API key"),
    (UserSessionRow, "signed", "created_at", "session of an official"),
    (PageSessionRow, "signed", "created_at", "session of a kiosk or an enterprise"),
    (ApplicationRow, "signed", "created_at", "application"),
    (NoticeRow, "signed", "created_at", "notice"),
    (DecisionRow, "signed", "at", "decision"),
    (DecisionRow, "release_signed", "released_at", "release of decision"),
    (OpinionRow, "signed", "at", "opinion"),
    (LicenceRow, "signed", "sealed_at", "licence"),
    (LicenceEventRow, "signed", "at", "change of licence"),
    (LicenceVersionRow, "signed", "at", "version of licence"),
    (SealRow, "signed", "registered_at", "seal"),
    (SealChangeRow, "signed", "proposed_at", "proposal about seal"),
    (SealChangeRow, "closing_signed", "closed_at", "confirmation about seal"),
    (TrustChangeRow, "signed", "proposed_at", "proposal about trust"),
    (TrustChangeRow, "closing_signed", "closed_at", "confirmation about trust"),
    (CatalogueChangeRow, "signed", "proposed_at", "proposal about catalogue"),
    (CatalogueChangeRow, "closing_signed", "closed_at", "confirmation about catalogue"),
)
"""Table, signature, when it was made, and what a row is called."""
BY_SEALERS = (LicenceRow, LicenceEventRow, NoticeRow, SealRow)
"""What a sealer signs too."""


def misfits(session: Session) -> Iterator[str]:
    """Every row whose signature does not fit what it says, and every unsigned one since the log is signed."""
    begun = session.scalar(sa.select(AuditRow.at).where(AuditRow.action == KEYED).order_by(AuditRow.seq).limit(1))
    signs = session.scalar(sa.select(AuditRow.seq).where(AuditRow.signature != "").limit(1)) is not None
    for table, part, made, what in TABLES:
        roles = (*WEB, *SEALER) if table in BY_SEALERS else WEB
        query = sa.select(table).where(getattr(table, made).is_not(None)).execution_options(yield_per=500)
        if table is NoticeRow:
            query = query.where(NoticeRow.state != "erased")  # what it said is gone by rule
        for row in session.scalars(query):
            name = f"{what} {_name(row)}"
            if getattr(row, part) is None:
                if signs and _is_new(getattr(row, made), begun):
                    yield f"{name}: bears no signature of ours"
                continue
            try:
                check_row(session, row, part=part, roles=roles)
            except SignatureError as error:
                yield f"{name}: is not what was signed ({error})"


def _is_new(made: datetime, begun: datetime | None) -> bool:
    return begun is None or made > begun


def _name(row: Signed) -> str:
    """The key of a row; of sessions a part of their hash."""
    identity = sa.inspect(row).identity or ()
    return "/".join(str(part)[:32] for part in identity)
