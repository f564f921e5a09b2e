"""Gathering what belongs into a licence's archive package: licence, originals, decisions, reports, metadata."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from docproc.errors import ConflictError, UnavailableError
from docproc.flow.applications import views as application_views
from docproc.flow.core import views
from docproc.flow.core.context import Context
from docproc.flow.licences.verification import verified
from docproc.flow.seals.trust_list import trust_list
from docproc.licence.report.report import VerificationReport
from docproc.licence.report.report_pdf import report_pdf
from docproc.licence.report.report_xml import report_xml
from docproc.licence.verify.package import LICENCE, METADATA
from docproc.matter.load import find_matter
from docproc.matter.model import Matter
from docproc.store.applications import applications, pages
from docproc.store.audit import audit
from docproc.store.licences import licences

MOST_AUDIT_LINES = 10_000
OPENS_CASE = "follow_code"
"""Left out: it opens the case and the licence's pick-up to whoever reads the archive."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What the database holds about a licence."""

    licence: views.LicenceView
    application: application_views.ApplicationView
    matter: Matter
    sealed: str
    """Hash of the licence's file."""
    former: tuple[str, ...]
    """Hashes of its earlier files."""
    originals: tuple[tuple[int, str, str], ...]
    """Position, hash and file name of each uploaded file."""
    trail: tuple[views.AuditLine, ...]
    """Lines of the audit log about the application, then those about the licence."""


def archive_files(ctx: Context, number: str) -> dict[str, bytes]:
    """Every file of the package of a licence, by name.

    Raises:
        NotFoundError: no such licence, or it is not sealed yet.
        ConflictError: the licence's own file does not verify: find out why before it is archived.
        UnavailableError: checking it took more than the settings allow.
    """
    at = ctx.clock()
    recorded = _recorded(ctx, number)
    data = ctx.blobs.get(recorded.sealed)
    report = _verified(ctx, number, data, at)
    files = {
        LICENCE: data,
        "verification.xml": report_xml(report),
        "verification.pdf": report_pdf(report),
        "application.json": _json({key: value for key, value in recorded.application.items() if key != OPENS_CASE}),
        "decisions.json": _json(recorded.application["decisions"]),
        "licence.json": _json(recorded.licence),
        "audit.json": _json(recorded.trail),
        METADATA: _json(_metadata(number, recorded, at)),
    }
    files |= {f"former/{digest}.pdf": ctx.blobs.get(digest) for digest in recorded.former}
    files |= {_original_name(*original): ctx.blobs.get(original[1]) for original in recorded.originals}
    return files


def _recorded(ctx: Context, number: str) -> _Recorded:
    with ctx.database.read() as session:
        row = licences.find_licence(session, number)
        application = applications.find_application(session, row.application)
        files = pages.live_pages(session, application.number)
        return _Recorded(
            licence=views.licence(session, row, ctx.today()),
            application=application_views.application(session, application),
            matter=find_matter(row.matter),
            sealed=row.sha256 or "",
            former=tuple(item.sha256 for item in licences.files_of(session, number) if item.sha256 != row.sha256),
            originals=tuple((page.position, page.sha256, page.filename) for page in files),
            trail=tuple(
                views.audit_line(line)
                for subject in (application.number, number)
                for line in audit.lines(session, subject=subject, limit=MOST_AUDIT_LINES)
            ),
        )


def _verified(ctx: Context, number: str, data: bytes, at: datetime) -> VerificationReport:
    report = verified(ctx, data, trust_list(ctx), at)
    if report.reason == "limit":
        raise UnavailableError(f"licence {number} could not be checked in time: {'; '.join(report.reasons)}")
    if report.indication != "TOTAL-PASSED" or report.issued != "as-issued":
        raise ConflictError(f"licence {number} does not verify: {report.indication} {report.issued}")
    return report


def _metadata(number: str, recorded: _Recorded, at: datetime) -> dict[str, Any]:
    licence, matter = recorded.licence, recorded.matter
    return {
        "number": number,
        "title": licence["title"],
        "holder": licence["holder"],
        "authority": licence["authority"],
        "matter": matter.id,
        "matter_name": matter.name,
        "application": recorded.application["number"],
        "version": licence["version"],
        "status": licence["status"],
        "issued_on": licence["issued_on"],
        "retention_years": matter.licence.retention_years,
        "archived_at": at.isoformat(),
        "originals": len(recorded.originals),
    }


def _original_name(position: int, digest: str, filename: str) -> str:
    """Name in the package of an uploaded file; its ending is kept only where it is short and plain."""
    suffix = PurePath(filename).suffix.lower()
    kept = suffix if suffix.isascii() and len(suffix) <= 6 else ""
    return f"originals/{position:03d}-{digest[:12]}{kept}"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str).encode()
