"""Inventory for audits: the blobs that the database refers to, and its rows compared with the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.audit.accounts import differing_accounts
from docproc.store.tables.applications import ApplicationRow, NoticeRow, PageRow, PreviewRow
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.base import ProposedChange
from docproc.store.tables.licences import LicenceEventRow, LicenceFileRow, LicenceRow, LicenceVersionRow
from docproc.store.tables.matters import CatalogueChangeRow
from docproc.store.tables.review import DecisionRow, OpinionRow
from docproc.store.tables.seals import SealChangeRow, SealRow, TrustChangeRow

CHUNK = 1000
Pair: TypeAlias = tuple["sa.Select[*tuple[Any, ...]]", "sa.Select[*tuple[Any, ...]]"]
"""What the log says of rows of a kind, and what is kept: a name, and then what must be equal."""


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
    """Rows that differ from their entry in the audit log, rows without an entry, and entries whose row is gone.

    The log's own chain is checked separately (:func:`docproc.store.audit.chain.walk`).
    """
    for what, (logged, stored) in {**_papers(), **_acts(), **_changes()}.items():
        yield from _differences(session, what, logged, stored)
    yield from differing_accounts(session)


def _papers() -> dict[str, Pair]:
    """Applications, their files, notices and licences."""
    sealed = AuditRow.action.in_(("licence.issued", "licence.renewed", "licence.corrected", "licence.reissueed"))
    return {
        "application": (
            sa.select(AuditRow.subject, _detail("matter")).where(AuditRow.action == "application.created"),
            sa.select(ApplicationRow.number, ApplicationRow.matter),
        ),
        "uploaded file": (
            sa.select(_detail("page"), _detail("sha256")).where(AuditRow.action == "page.added"),
            sa.select(PageRow.id, PageRow.sha256),
        ),
        "issued licence": (
            sa.select(AuditRow.subject, _detail("sha256")).where(sealed),
            sa.select(LicenceFileRow.licence, LicenceFileRow.sha256),
        ),
        "notice": (
            sa.select(_detail("notice"), _detail("sha256")).where(AuditRow.action == "notice.sealed"),
            sa.select(NoticeRow.number, sa.func.coalesce(NoticeRow.sha256, "")).where(NoticeRow.sha256.is_not(None)),
        ),
        "numbered licence": (
            sa.select(AuditRow.subject, _detail("decision")).where(AuditRow.action == "licence.numbered"),
            sa.select(LicenceRow.number, LicenceRow.decision),
        ),
    }


def _acts() -> dict[str, Pair]:
    """What officials decided and ordered, with who did it."""
    withdrawn = ("suspended", "revoked")
    status = sa.func.replace(AuditRow.action, "licence.", "")
    ordered = AuditRow.action.in_(("licence.correct", "licence.reissue"))
    version, event = LicenceVersionRow, LicenceEventRow
    return {
        "decision": (
            sa.select(_detail("decision"), AuditRow.actor, _detail("seen")).where(_detail("seen").is_not(None)),
            sa.select(DecisionRow.id, DecisionRow.by, DecisionRow.seen_sha256),
        ),
        "release of decision": (
            sa.select(_detail("decision")).where(AuditRow.action == "seal.released"),
            sa.select(DecisionRow.id).where(DecisionRow.released_by.is_not(None)),
        ),
        "opinion": (
            sa.select(_detail("opinion"), AuditRow.actor, _detail("saw")).where(AuditRow.action == "opinion.given"),
            sa.select(OpinionRow.id, OpinionRow.by, OpinionRow.seen_sha256),
        ),
        "withdrawal of licence": (
            sa.select(AuditRow.subject, status, AuditRow.actor, AuditRow.at).where(status.in_(withdrawn)),
            sa.select(event.licence, event.status, event.by, event.at).where(event.status.in_(withdrawn)),
        ),
        "version of licence": (
            sa.select(AuditRow.subject, AuditRow.detail["version"].as_integer(), AuditRow.actor).where(ordered),
            sa.select(version.licence, version.version, version.by),
        ),
    }


def _changes() -> dict[str, Pair]:
    """What two persons changed: seals, recognised roots, matter files."""
    registered = sa.or_(
        AuditRow.action == "seal.registered",
        sa.and_(AuditRow.action == "seal.confirmed", _detail("change_action") == "add"),
    )
    found: dict[str, Pair] = {
        "seal": (sa.select(AuditRow.subject).where(registered), sa.select(SealRow.name)),
    }
    noted: tuple[tuple[str, type[ProposedChange], sa.SQLColumnExpression[str]], ...] = (
        ("seal", SealChangeRow, _detail("change")),
        ("trust", TrustChangeRow, _detail("change")),
        ("catalogue", CatalogueChangeRow, AuditRow.subject),
    )
    for topic, table, change in noted:
        found[f"proposal about {topic}"] = (
            sa.select(change, AuditRow.actor).where(AuditRow.action == f"{topic}.proposed"),
            sa.select(table.id, table.proposed_by),
        )
        found[f"confirmation about {topic}"] = (
            sa.select(change, AuditRow.actor).where(AuditRow.action == f"{topic}.confirmed"),
            sa.select(table.id, table.closed_by).where(table.state == "confirmed"),
        )
    return found


def _detail(key: str) -> sa.ColumnElement[str]:
    found: sa.ColumnElement[str] = AuditRow.detail[key].as_string()
    return found


def _differences(
    session: Session, what: str, logged: sa.Select[*tuple[Any, ...]], kept: sa.Select[*tuple[Any, ...]]
) -> Iterator[str]:
    for name, *rest in session.execute(logged.except_(kept)):
        said = f" with {', '.join(map(str, rest))}" if rest else ""
        yield f"{what} {name}: logged{said}, which is not what is kept"
    for name, *rest in session.execute(kept.except_(logged)):
        said = f" with {', '.join(map(str, rest))}" if rest else ""
        yield f"{what} {name}: kept{said}, which the log does not know"


def _pairs(session: Session, query: sa.Select[Any, str]) -> Iterator[tuple[str, str]]:
    for row in session.execute(query.execution_options(yield_per=CHUNK)):
        yield row[0], row[1]
