"""Inventory for audits: the blobs that the database refers to, and its rows compared with the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.applications import ApplicationRow, NoticeRow, PageRow, PreviewRow
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.licences import LicenceFileRow, LicenceRow
from docproc.store.tables.review import DecisionRow, OpinionRow

CHUNK = 1000


def originals(session: Session) -> Iterator[tuple[str, str]]:
    """Hash and id of every uploaded file, including removed ones but not those erased under retention rules."""
    yield from _pairs(session, sa.select(PageRow.sha256, PageRow.id).where(PageRow.erased_at.is_(None)))


def sealed_files(session: Session) -> Iterator[tuple[str, str]]:
    """Hash and licence number of every sealed file."""
    yield from _pairs(session, sa.select(LicenceFileRow.sha256, LicenceFileRow.licence))


def sealed_notices(session: Session) -> Iterator[tuple[str, str]]:
    """Hash and number of every sealed notice that was not erased under retention rules."""
    query = sa.select(NoticeRow.sha256, NoticeRow.number).where(NoticeRow.state == "sealed")
    yield from _pairs(session, query)


def kept_by_matter(session: Session) -> Iterator[tuple[str, str]]:
    """Hash and matter of every file under retention: uploaded ones, sealed licences and notices."""
    uploaded = sa.select(PageRow.sha256, ApplicationRow.matter).join(
        ApplicationRow, ApplicationRow.number == PageRow.application
    )
    uploaded = uploaded.where(PageRow.erased_at.is_(None))
    yield from _pairs(session, uploaded)
    sealed = sa.select(LicenceFileRow.sha256, LicenceRow.matter).join(
        LicenceRow, LicenceRow.number == LicenceFileRow.licence
    )
    yield from _pairs(session, sealed)
    notices = sa.select(NoticeRow.sha256, ApplicationRow.matter).join(
        ApplicationRow, ApplicationRow.number == NoticeRow.application
    )
    yield from _pairs(session, notices.where(NoticeRow.state == "sealed"))


def pictures(session: Session) -> Iterator[tuple[str, str]]:
    """Hash and page of every picture made for the screen."""
    yield from _pairs(session, sa.select(PreviewRow.view_sha256, PreviewRow.page_id))
    yield from _pairs(session, sa.select(PreviewRow.thumb_sha256, PreviewRow.page_id))


def approvals(session: Session) -> Iterator[DecisionRow]:
    """Every approval."""
    query = sa.select(DecisionRow).where(DecisionRow.action == "approve").execution_options(yield_per=CHUNK)
    yield from session.scalars(query)


def contradictions(session: Session) -> Iterator[str]:
    """Rows that differ from their entry in the audit log, and rows that have no entry.

    The log's own chain is checked separately (:func:`docproc.store.audit.audit.first_broken`).
    """
    keys = ("page", "sha256", "notice", "decision", "seen", "opinion", "saw")
    detail = {key: AuditRow.detail[key].as_string() for key in keys}
    sealed = AuditRow.action.in_(("licence.issued", "licence.renewed"))
    compared = {
        "uploaded file": (
            sa.select(detail["page"], detail["sha256"]).where(AuditRow.action == "page.added"),
            sa.select(PageRow.id, PageRow.sha256),
        ),
        "issued licence": (
            sa.select(AuditRow.subject, detail["sha256"]).where(sealed),
            sa.select(LicenceFileRow.licence, LicenceFileRow.sha256),
        ),
        "notice": (
            sa.select(detail["notice"], detail["sha256"]).where(AuditRow.action == "notice.sealed"),
            sa.select(NoticeRow.number, sa.func.coalesce(NoticeRow.sha256, "")).where(NoticeRow.sha256.is_not(None)),
        ),
        "decision": (
            sa.select(detail["decision"], detail["seen"]).where(detail["seen"].is_not(None)),
            sa.select(DecisionRow.id, DecisionRow.seen_sha256),
        ),
        "opinion": (
            sa.select(detail["opinion"], detail["saw"]).where(AuditRow.action == "opinion.given"),
            sa.select(OpinionRow.id, OpinionRow.seen_sha256),
        ),
    }
    for what, (logged, stored) in compared.items():
        yield from _differences(session, what, logged, stored)


def _differences(session: Session, what: str, logged: sa.Select[str, str], kept: sa.Select[str, str]) -> Iterator[str]:
    for name, digest in session.execute(logged.except_(kept)):
        yield f"{what} {name}: logged with {digest}, which is not what is kept"
    for name, digest in session.execute(kept.except_(logged)):
        yield f"{what} {name}: kept with {digest}, which the log does not know"


def _pairs(session: Session, query: sa.Select[Any, str]) -> Iterator[tuple[str, str]]:
    for row in session.execute(query.execution_options(yield_per=CHUNK)):
        yield row[0], row[1]
