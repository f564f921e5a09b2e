"""Gathering what belongs into a licence's archive package: licence, originals, decisions, reports, metadata."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from docproc.errors import ConflictError
from docproc.flow.applications import views as application_views
from docproc.flow.core import views
from docproc.flow.core.context import Context
from docproc.flow.licences.verification import StoredRegister
from docproc.flow.seals.trust_list import trust_list
from docproc.licence.report.report_pdf import report_pdf
from docproc.licence.report.report_xml import report_xml
from docproc.licence.verify.package import LICENCE, METADATA
from docproc.licence.verify.verify_limited import verify_limited
from docproc.matter.load import find_matter
from docproc.store.applications import applications, pages
from docproc.store.audit import audit
from docproc.store.licences import licences

MOST_AUDIT_LINES = 10_000
OPENS_CASE = "follow_code"
"""Left out: it opens the case and the licence's pick-up to whoever reads the archive."""


def archive_files(ctx: Context, number: str) -> dict[str, bytes]:
    """Every file of the package of a licence, by name.

    Raises:
        NotFoundError: no such licence, or it is not sealed yet.
        ConflictError: the licence's own file does not verify: find out why before it is archived.
    """
    at = ctx.clock()
    with ctx.database.read() as session:
        row = licences.find_licence(session, number)
        application = applications.find_application(session, row.application)
        viewed = application_views.application(session, application)
        licence = views.licence(session, row, ctx.today())
        originals = [
            (page.position, page.sha256, page.filename) for page in pages.live_pages(session, application.number)
        ]
        former = [item.sha256 for item in licences.files_of(session, number) if item.sha256 != row.sha256]
        trail = [
            views.audit_line(line)
            for subject in (application.number, number)
            for line in audit.lines(session, subject=subject, limit=MOST_AUDIT_LINES)
        ]
        spec = find_matter(row.matter)
        sealed = row.sha256 or ""
    data = ctx.blobs.get(sealed)
    report = verify_limited(data, trust_list(ctx), at, StoredRegister(ctx))
    if report.indication != "TOTAL-PASSED" or report.issued != "as-issued":
        raise ConflictError(f"licence {number} does not verify: {report.indication} {report.issued}")
    files = {
        LICENCE: data,
        "verification.xml": report_xml(report),
        "verification.pdf": report_pdf(report),
        "application.json": _json({key: value for key, value in viewed.items() if key != OPENS_CASE}),
        "decisions.json": _json(viewed["decisions"]),
        "licence.json": _json(licence),
        "audit.json": _json(trail),
        METADATA: _json(
            {
                "number": number,
                "title": licence["title"],
                "holder": licence["holder"],
                "authority": licence["authority"],
                "matter": row.matter,
                "matter_name": spec.name,
                "application": application.number,
                "version": licence["version"],
                "status": licence["status"],
                "issued_on": licence["issued_on"],
                "retention_years": spec.licence.retention_years,
                "archived_at": at.isoformat(),
                "originals": len(originals),
            }
        ),
    }
    files |= {f"former/{digest}.pdf": ctx.blobs.get(digest) for digest in former}
    for position, digest, filename in originals:
        suffix = PurePath(filename).suffix.lower()
        kept = suffix if suffix.isascii() and len(suffix) <= 6 else ""
        files[f"originals/{position:03d}-{digest[:12]}{kept}"] = ctx.blobs.get(digest)
    return files


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str).encode()
