"""Applications and licences as JSON values, the shapes that the HTTP interface gives out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from docproc.canonical import canonical_sha256
from docproc.check.reconcile import join
from docproc.domain import Finding, PageReading
from docproc.lifecycle import STATUS_ZH
from docproc.matter.load import find_matter
from docproc.store.applications import applications, notices, pages, previews
from docproc.store.counter import custody
from docproc.store.licences import licences
from docproc.store.tables.accounts import ApiKeyRow
from docproc.store.tables.applications import ApplicationRow, NoticeRow, PageRow
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.counter import CustodyRow
from docproc.store.tables.licences import LicenceRow
from docproc.store.tables.messages import OutboxRow
from docproc.store.tables.review import DecisionRow
from docproc.store.wallet import shares

LICENCE_ZH = {
    "valid": "有效",
    "expired": "已过有效期",
    "suspended": "已暂停",
    "revoked": "已作废",
    "superseded": "已换发新证",
}


def summary(row: ApplicationRow) -> dict[str, Any]:
    """An application in a list."""
    return {
        "number": row.number,
        "matter": row.matter,
        "status": row.status,
        "status_zh": STATUS_ZH[row.status],  # type: ignore[index]
        "version": row.version,
        "verdict": row.verdict if row.checked_revision == row.revision else None,
        "checked": row.checked_revision == row.revision,
        "channel": row.channel,
        "created_at": _time(row.created_at),
        "updated_at": _time(row.updated_at),
        "submitted_at": _time(row.submitted_at),
        "seal": {"state": row.seal_state, "note": row.seal_note},
    }


def application(
    session: Session, row: ApplicationRow, sees: Callable[[str | None], bool] | None = None
) -> dict[str, Any]:
    """An application with its files, readings, findings, decisions and licence; ``sees`` tells which papers."""
    readings = _joined(row.matter, pages.readings_of(session, row.number))
    findings = pages.findings_of(session, row.number)
    live = pages.live_pages(session, row.number)
    if sees is not None:
        readings = [item for item in readings if sees(item[1].material)]
        readable = {page.id for page, _ in readings}
        live = [page for page in live if page.id in readable or (sees(None) and page.state != "read")]
        findings = [item for item in findings if item[1].material is None or sees(item[1].material)]
    by_page: dict[str, list[dict[str, Any]]] = {}
    for page, reading in readings:
        by_page.setdefault(page.id, []).append(_reading(reading))
    licence = licences.licence_of_application(session, row.number)
    drawn: dict[str, list[dict[str, Any]]] = {}
    for item in previews.previews_of(session, row.number):
        drawn.setdefault(item.page_id, []).append({"index": item.index, "width": item.width, "height": item.height})
    return {
        **summary(row),
        "follow_code": shares.follow_code(session, row.number),
        "content_sha256": content_sha256(live, readings, findings),
        "pages": [_page(page, by_page.get(page.id, []), drawn.get(page.id, [])) for page in live],
        "findings": [{**asdict(item), "page_id": page_id} for page_id, item in findings],
        "opinions": [],
        "decisions": [_decision(item) for item in applications.decisions_of(session, row.number)],
        "papers": papers(custody.steps(session, row.number)),
        "notice": notice(notices.newest(session, row.number)),
        "licence": licence.number if licence is not None and licence.sha256 is not None else None,
    }


def content_sha256(
    live: list[PageRow], readings: list[tuple[PageRow, PageReading]], findings: list[tuple[str | None, Finding]]
) -> str:
    """Hash of everything that an official sees and decides on: files, values and findings."""
    body = [
        [[page.id, page.sha256, page.state] for page in live],
        [[page.id, r.index, r.material, {k: [f.value, f.source] for k, f in r.fields.items()}] for page, r in readings],
        [[page_id, item.code, item.severity, item.field] for page_id, item in findings],
    ]
    return canonical_sha256(body)


def notice(row: NoticeRow | None) -> dict[str, Any] | None:
    """How far the sealing of a notice is."""
    if row is None:
        return None
    return {"number": row.number, "state": row.state, "note": row.note, "sealed_at": _time(row.sealed_at)}


def papers(steps: Sequence[CustodyRow]) -> str | None:
    """What the last comparison of paper with the scans found: ``match``, ``mismatch`` or ``absent``."""
    return next((str(step.detail["result"]) for step in reversed(steps) if step.kind == "compared"), None)


def page(row: PageRow) -> dict[str, Any]:
    """An uploaded file without what it says."""
    return _page(row, [], [])


def licence_status(row: LicenceRow, today: date) -> str:
    """``valid``, ``expired``, ``suspended``, ``revoked`` or ``superseded``."""
    if row.status == "valid" and row.valid_to is not None and row.valid_to < today:
        return "expired"
    return row.status


def public_licence(row: LicenceRow, today: date) -> dict[str, Any]:
    """What anyone may know of a licence: no field beyond holder and term."""
    status = licence_status(row, today)
    return {
        "number": row.number,
        "title": row.title,
        "holder": row.holder,
        "authority": row.authority,
        "issued_on": row.issued_on.isoformat(),
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat() if row.valid_to is not None else None,
        "status": status,
        "status_zh": LICENCE_ZH[status],
        "version": row.version,
    }


def licence(session: Session, row: LicenceRow, today: date) -> dict[str, Any]:
    """A licence with its fields and history, for officials."""
    events = licences.history(session, row.number)
    return {
        **public_licence(row, today),
        "application": row.application,
        "code": row.code,
        "sha256": row.sha256,
        "sealed_at": _time(row.sealed_at),
        "fields": [{"name": n, "label": label, "value": v} for n, label, v in row.body["fields"]],
        "history": [
            {"status": e.status, "by": e.by, "at": _time(e.at), "reason": e.reason, "basis": e.basis} for e in events
        ],
    }


def api_key(row: ApiKeyRow) -> dict[str, Any]:
    """A key without its secret."""
    return {
        "id": row.id,
        "subject": row.subject,
        "org": row.org,
        "roles": row.roles,
        "created_at": _time(row.created_at),
        "created_by": row.created_by,
        "revoked_at": _time(row.revoked_at),
        "seen_at": _time(row.seen_at),
    }


def audit_line(row: AuditRow) -> dict[str, Any]:
    """One line of the audit log."""
    return {
        "seq": row.seq,
        "at": _time(row.at),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "detail": row.detail,
        "previous": row.previous,
        "sha256": row.sha256,
    }


def event(row: OutboxRow) -> dict[str, Any]:
    """One event for others."""
    return {
        "id": row.id,
        "topic": row.topic,
        "subject": row.subject,
        "at": _time(row.created_at),
        "body": row.body,
    }


def _page(row: PageRow, readings: list[dict[str, Any]], drawn: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "position": row.position,
        "filename": row.filename,
        "media_type": row.media_type,
        "size": row.size,
        "sha256": row.sha256,
        "material_hint": row.material_hint or None,
        "state": row.state,
        "error_code": row.error_code or None,
        "uploaded_at": _time(row.uploaded_at),
        "readings": readings,
        "previews": drawn,
    }


def _joined(matter: str, readings: Sequence[tuple[PageRow, PageReading]]) -> list[tuple[PageRow, PageReading]]:
    """The pages as the check sees them."""
    joined = join(find_matter(matter), [reading for _, reading in readings])
    return list(zip([page for page, _ in readings], joined, strict=True))


def _reading(reading: PageReading) -> dict[str, Any]:
    body = asdict(reading)
    body.pop("file")
    for item in body["fields"].values():
        item.pop("rivals")
    return {**body, "fields": list(body["fields"].values())}


def _decision(row: DecisionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "action": row.action,
        "by": row.by,
        "at": _time(row.at),
        "on_version": row.on_version,
        "reason": row.reason,
        "basis": row.basis,
        "set_aside": row.set_aside,
        "released_by": row.released_by,
        "released_at": _time(row.released_at),
    }


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def rounded(box: Sequence[float]) -> list[float]:
    """A box in pixels as it is told."""
    return [round(value, 1) for value in box]


def base64_of(jpeg: bytes) -> str:
    """A small picture inside JSON."""
    return base64.b64encode(jpeg).decode("ascii")
