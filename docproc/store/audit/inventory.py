"""Everything that must be there: which blobs the database names, and what the audit log says of them."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.applications import ApplicationRow, NoticeRow, PageRow, PreviewRow
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.licences import LicenceFileRow, LicenceRow
from docproc.store.tables.review import DecisionRow, OpinionRow

CHUNK = 1000


def originals(session: Session) -> Iterator[tuple[str, str]]:
    """Hash and id of every uploaded file, also of those taken back, but not of those erased by rule."""
    yield from _pairs(session, sa.select(PageRow.sha256, PageRow.id).where(PageRow.erased_at.is_(None)))


def sealed_files(session: Session) -> Iterator[tuple[str, str]]:
    """Hash and licence number of every sealed file."""
    yield from _pairs(session, sa.select(LicenceFileRow.sha256, LicenceFileRow.licence))


def sealed_notices(session: Session) -> Iterator[tuple[str, str]]:
    """Hash and number of every sealed notice that was not erased by rule."""
    query = sa.select(NoticeRow.sha256, NoticeRow.number).where(NoticeRow.state == "sealed")
    yield from _pairs(session, query)  # type: ignore[arg-type]  # what is sealed has a hash


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
    told = sa.select(NoticeRow.sha256, ApplicationRow.matter).join(
        ApplicationRow, ApplicationRow.number == NoticeRow.application
    )
    yield from _pairs(session, told.where(NoticeRow.state == "sealed"))  # type: ignore[arg-type]


def pictures(session: Session) -> Iterator[tuple[str, str]]:
    """Hash and page of every picture made for the screen."""
    yield from _pairs(session, sa.select(PreviewRow.view_sha256, PreviewRow.page_id))
    yield from _pairs(session, sa.select(PreviewRow.thumb_sha256, PreviewRow.page_id))


def approvals(session: Session) -> Iterator[DecisionRow]:
    """Every approval."""
    query = sa.select(DecisionRow).where(DecisionRow.action == "approve").execution_options(yield_per=CHUNK)
    yield from session.scalars(query)


def contradictions(session: Session) -> Iterator[str]:
    """Rows that do not say what the audit log says of them, and those that the log does not know.

    The log's own chain must be checked apart (:func:`docproc.store.audit.audit.first_broken`).
    """
    page = AuditRow.detail["page"].as_string()
    digest = AuditRow.detail["sha256"].as_string()
    seen = AuditRow.detail["decision"].as_string(), AuditRow.detail["seen"].as_string()
    yield from _differences(
        session, "uploaded file",
        sa.select(page, digest).where(AuditRow.action == "page.added"),
        sa.select(PageRow.id, PageRow.sha256),
    )  # fmt: skip
    yield from _differences(
        session, "issued licence",
        sa.select(AuditRow.subject, digest).where(AuditRow.action.in_(("licence.issued", "licence.renewed"))),
        sa.select(LicenceFileRow.licence, LicenceFileRow.sha256),
    )  # fmt: skip
    yield from _differences(
        session, "notice",
        sa.select(AuditRow.detail["notice"].as_string(), digest).where(AuditRow.action == "notice.sealed"),
        sa.select(NoticeRow.number, sa.func.coalesce(NoticeRow.sha256, "")).where(NoticeRow.sha256.is_not(None)),
    )  # fmt: skip
    yield from _differences(
        session, "decision",
        sa.select(*seen).where(AuditRow.detail["seen"].as_string().is_not(None)),
        sa.select(DecisionRow.id, DecisionRow.seen_sha256),
    )  # fmt: skip
    yield from _differences(
        session, "opinion",
        sa.select(AuditRow.detail["opinion"].as_string(), AuditRow.detail["saw"].as_string()).where(
            AuditRow.action == "opinion.given"
        ),
        sa.select(OpinionRow.id, OpinionRow.seen_sha256),
    )  # fmt: skip


def _differences(session: Session, what: str, logged: sa.Select[str, str], kept: sa.Select[str, str]) -> Iterator[str]:
    for name, digest in session.execute(logged.except_(kept)):
        yield f"{what} {name}: logged with {digest}, which is not what is kept"
    for name, digest in session.execute(kept.except_(logged)):
        yield f"{what} {name}: kept with {digest}, which the log does not know"


def _pairs(session: Session, query: sa.Select[str, str]) -> Iterator[tuple[str, str]]:
    for row in session.execute(query.execution_options(yield_per=CHUNK)):
        yield row[0], row[1]
