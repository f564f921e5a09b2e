"""Verifying an uploaded licence against the register; the file is parsed in a limited child process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from docproc.errors import LimitError
from docproc.flow.core import views
from docproc.flow.core.authority import own_code
from docproc.flow.core.context import Context
from docproc.flow.seals.trust_list import trust_list
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.headline import headline
from docproc.licence.report.report import Issued, IssuedRecord, Verdict, VerificationReport
from docproc.licence.report.report_pdf import report_pdf
from docproc.licence.report.report_xml import report_xml
from docproc.licence.verify.verify_limited import verify_limited
from docproc.store.applications import notices
from docproc.store.licences import licences
from docproc.store.tables.licences import LicenceEventRow, LicenceRow

ReportKind = Literal["pdf", "xml"]
WRITERS: dict[ReportKind, Callable[[VerificationReport], bytes]] = {"pdf": report_pdf, "xml": report_xml}


@dataclass(frozen=True, slots=True)
class StoredRegister:
    """The register of issued licences and sealed notices, for :func:`docproc.licence.verify.verify.verify`."""

    ctx: Context

    def by_sha256(self, digest: str) -> IssuedRecord | None:
        """The licence one of whose files has this hash."""
        with self.ctx.database.read() as session:
            notice = notices.by_sha256(session, digest)
            if notice is not None:
                return IssuedRecord(notice.number, digest, "valid")
            row = licences.find_by_sha256(session, digest)
            return self._record(row, digest, licences.last_event(session, row.number)) if row is not None else None

    def by_number(self, number: str) -> IssuedRecord | None:
        """The licence of this number, if it was issued."""
        with self.ctx.database.read() as session:
            notice = notices.by_number(session, number)
            if notice is not None:
                return IssuedRecord(notice.number, notice.sha256 or "", "valid")
            row = licences.find_issued(session, number)
            return (
                self._record(row, row.sha256 or "", licences.last_event(session, row.number))
                if row is not None
                else None
            )

    def _record(self, row: LicenceRow, digest: str, event: LicenceEventRow | None) -> IssuedRecord:
        status = views.licence_status(row, self.ctx.today())
        issued: Issued = "as-issued" if digest == row.sha256 else "superseded"
        known = IssuedRecord(row.number, row.sha256 or "", status, issued)
        if status != row.status or event is None:  # it expired by itself
            return known
        return replace(known, since=event.at, reason=event.reason, basis=event.basis)


class Verification(Verdict):
    """The verdict on a file, what it proves, and one Chinese sentence."""

    ours: bool
    """It is proven that we, or a recognised authority, issued the file, whatever became of the licence."""
    claimed: bool
    """Others sealed it, and it says that it is a licence of ours: a forgery."""

    headline: str


def verify_file(ctx: Context, data: bytes) -> Verification:
    """Verdict on an uploaded file, and one Chinese sentence; any bytes get one.

    Raises:
        LimitError: larger than an upload may be.
        SetupError: the trust folder is missing.
    """
    report = _verified(ctx, data)
    return {
        **report.to_json(),
        "ours": report.is_ours(),
        "claimed": report.claimed,
        "headline": headline(report),
    }


def verified(ctx: Context, data: bytes, trust: TrustList, at: datetime) -> VerificationReport:
    """The verdict on a file by the register, within the limits of the settings."""
    own, seconds = own_code(ctx.settings), ctx.settings.verify_cpu_seconds
    return verify_limited(data, trust, at, StoredRegister(ctx), own=own, seconds=seconds)


def verify_report(ctx: Context, data: bytes, kind: ReportKind) -> bytes:
    """The verdict as a one-page PDF in Chinese or an ETSI TS 119 102-2 report; raises as :func:`verify_file`."""
    return WRITERS[kind](_verified(ctx, data))


def _verified(ctx: Context, data: bytes) -> VerificationReport:
    if len(data) > ctx.settings.max_upload_bytes:
        raise LimitError(f"file of {len(data)} bytes is over {ctx.settings.max_upload_bytes}")
    return verified(ctx, data, trust_list(ctx), ctx.clock())
