"""Licences and the audit log as JSON values, in the shapes that the HTTP interface gives out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, TypedDict

from sqlalchemy.orm import Session

from docproc.canonical import JsonObject
from docproc.errors import NotFoundError
from docproc.store.licences import licences
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.licences import LicenceRow, SealedStatus

KnownStatus = SealedStatus | Literal["expired"]
LICENCE_ZH: dict[KnownStatus, str] = {
    "valid": "有效",
    "expired": "已过有效期",
    "suspended": "已暂停",
    "revoked": "已作废",
    "superseded": "已换发新证",
}


class PublicLicence(TypedDict):
    """What anyone may know of a licence."""

    number: str
    title: str
    holder: str
    authority: str
    issued_on: str
    valid_from: str
    valid_to: str | None
    status: KnownStatus
    status_zh: str
    version: int


class LicenceField(TypedDict):
    """One line of a licence."""

    name: str
    label: str
    value: str


class LicenceEvent(TypedDict):
    """One change of status."""

    status: str
    by: str
    at: str
    reason: str
    basis: str


class LicenceView(PublicLicence):
    """A licence with its fields and history, for officials."""

    application: str
    code: str
    sha256: str
    sealed_at: str
    fields: list[LicenceField]
    history: list[LicenceEvent]


class AuditLine(TypedDict):
    """One line of the audit log."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    detail: JsonObject
    previous: str
    sha256: str


def licence_status(row: LicenceRow, today: date) -> KnownStatus:
    """The status on a day: a licence expires by itself.

    Raises:
        NotFoundError: its file is not sealed yet.
    """
    if row.status == "preparing":
        raise not_sealed(row.number)
    if row.status == "valid" and row.valid_to is not None and row.valid_to < today:
        return "expired"
    return row.status


def standing_of_application(session: Session, number: str, today: date) -> KnownStatus | None:
    """The status of the licence that an application led to; ``None`` before it is sealed."""
    row = licences.licence_of_application(session, number)
    return licence_status(row, today) if row is not None and row.sha256 is not None else None


def not_sealed(number: str) -> NotFoundError:
    """The refusal to show a licence whose file is not there yet."""
    return NotFoundError(f"licence {number} is not sealed yet", message_zh="证照正在制作")


def public_licence(row: LicenceRow, today: date) -> PublicLicence:
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


def licence_fields(row: LicenceRow) -> list[LicenceField]:
    """The lines that are printed on a licence, in their order."""
    return [{"name": name, "label": label, "value": value} for name, label, value in row.body["fields"]]


def licence(session: Session, row: LicenceRow, today: date) -> LicenceView:
    """A licence with its fields and history, for officials."""
    if row.sha256 is None or row.sealed_at is None:
        raise not_sealed(row.number)
    return {
        **public_licence(row, today),
        "application": row.application,
        "code": row.code,
        "sha256": row.sha256,
        "sealed_at": iso(row.sealed_at),
        "fields": licence_fields(row),
        "history": [
            {"status": event.status, "by": event.by, "at": iso(event.at), "reason": event.reason, "basis": event.basis}
            for event in licences.history(session, row.number)
        ],
    }


def audit_line(row: AuditRow) -> AuditLine:
    """One line of the audit log."""
    return {
        "seq": row.seq,
        "at": iso(row.at),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "detail": row.detail,
        "previous": row.previous,
        "sha256": row.sha256,
    }


def iso(value: datetime) -> str:
    """A moment by ISO 8601, with its zone."""
    return value.isoformat()


def iso_or_none(value: datetime | None) -> str | None:
    """The same for a moment that may be missing."""
    return value.isoformat() if value is not None else None
