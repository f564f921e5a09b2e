"""Applications and their files as JSON values, in the shapes that the HTTP interface gives out.

Times are ISO 8601 with their zone, boxes are pixels of the page as submitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from sqlalchemy.orm import Session

from docproc.canonical import canonical_sha256
from docproc.check.reconcile import join
from docproc.domain import (
    Box,
    DecisionAction,
    Field,
    Finding,
    How,
    PageReading,
    QualityVerdict,
    Seal,
    Severity,
    Source,
    Turn,
    Verdict,
)
from docproc.flow.applications import corrections
from docproc.flow.applications.corrections import ChangeView
from docproc.flow.core.views import iso, iso_or_none
from docproc.lifecycle import STATUS_ZH, Status
from docproc.matter.load import find_matter
from docproc.matter.model import Matter
from docproc.store.applications import applications, assignments, notices, pages, previews, remarks
from docproc.store.counter import custody
from docproc.store.licences import licences
from docproc.store.tables.applications import (
    ApplicationRow,
    AssignmentRow,
    FirstWordBody,
    NoticeRow,
    NoticeState,
    PageRow,
    PageState,
    RemarkRow,
    SealState,
)
from docproc.store.tables.counter import CustodyRow
from docproc.store.tables.licences import SealedStatus
from docproc.store.tables.review import DecisionRow
from docproc.store.wallet import shares

PaperResult = Literal["match", "mismatch", "absent"]
"""What comparing paper with the scans found."""
Sees = Callable[[str | None], bool]
"""Whether somebody sees a material; ``None`` stands for papers that were not recognised."""


class SealView(TypedDict):
    """Where the licence is between approval and seal."""

    state: SealState
    note: str


class ApplicationSummary(TypedDict):
    """An application in a list."""

    number: str
    matter: str
    status: Status
    status_zh: str
    version: int
    verdict: Verdict | None
    checked: bool
    channel: str
    created_at: str
    updated_at: str
    submitted_at: str | None
    seal: SealView


class PaperSealView(TypedDict):
    """A seal found on paper whose name was looked for."""

    text: str
    """The name along its rim, as read; empty where it could not be."""
    confidence: float
    box: Box
    shape: Literal["round", "oval"]


class FieldView(TypedDict):
    """One value read from one place."""

    name: str
    value: str | None
    raw: str
    confidence: float
    box: Box | None
    page: int
    source: Source
    alternatives: Sequence[str]
    seals: list[PaperSealView]
    """Of the field of a seal whose name a rule asks for."""


class FindingView(TypedDict):
    """One thing that is missing, wrong or worth a look."""

    code: str
    severity: Severity
    message: str
    material: str | None
    field: str | None
    basis: str
    look: bool
    page_id: NotRequired[str | None]
    """Only among the findings of an application, not of a page's quality."""


class QualityView(TypedDict):
    """Whether a page is good enough to be read."""

    verdict: QualityVerdict
    findings: list[FindingView]


class SaidView(TypedDict):
    """What a person said last that a page is."""

    material: str | None
    page: int
    by: str
    at: str


class RemarkView(TypedDict):
    """What a citizen said of a value: it was read wrongly."""

    page_id: str
    index: int
    material: str | None
    field: str
    label: str
    """Paper and field in Chinese words."""
    said: str
    """What should stand there in the citizen's words; empty where they did not say."""
    by: str
    at: str
    settled: bool
    """An official corrected or confirmed the value since."""


class ReadingView(TypedDict):
    """What one page of a file says."""

    index: int
    material: str | None
    claimed: bool
    said: SaidView | None
    how: How
    quality: QualityView
    fields: list[FieldView]
    page: int
    edition: str | None
    form_id: str | None
    sheet: int
    sheets: int
    cpu_seconds: float
    turn: Turn | None
    """Degrees clockwise by which the page is turned to stand upright; ``None``: an older reading, which did not say."""


class PreviewView(TypedDict):
    """A picture of one page for the screen."""

    index: int
    width: int
    height: int
    first_word: FirstWordBody | None


class PageView(TypedDict):
    """An uploaded file."""

    id: str
    position: int
    filename: str
    media_type: str
    size: int
    sha256: str
    material_hint: str | None
    state: PageState
    error_code: str | None
    uploaded_at: str
    readings: list[ReadingView]
    previews: list[PreviewView]


class DecisionView(TypedDict):
    """What an official decided."""

    id: str
    action: DecisionAction
    by: str
    at: str
    on_version: int
    reason: str
    basis: str
    set_aside: list[str]
    confirmed: list[str]
    changed: list[ChangeView]
    released_by: str | None
    released_at: str | None


class OpinionView(TypedDict):
    """What a department of a joint approval says."""

    org: str
    name: str
    duty: str
    action: DecisionAction | None
    outdated: bool
    at: str | None
    by: str | None
    reason: str
    basis: str
    confirmed: list[str]


class NoticeView(TypedDict):
    """How far the sealing of a notice is."""

    number: str
    state: NoticeState
    note: str
    sealed_at: str | None


class ApplicationView(ApplicationSummary):
    """An application with everything about it."""

    follow_code: str
    content_sha256: str
    pages: list[PageView]
    findings: list[FindingView]
    changes: list[ChangeView]
    remarks: list[RemarkView]
    opinions: list[OpinionView]
    decisions: list[DecisionView]
    papers: PaperResult | None
    notice: NoticeView | None
    licence: str | None
    licence_status: SealedStatus | None
    """By orders on it; that its term is over is not said here."""


def summary(row: ApplicationRow) -> ApplicationSummary:
    """An application in a list."""
    checked = row.checked_revision == row.revision
    return {
        "number": row.number,
        "matter": row.matter,
        "status": row.status,
        "status_zh": STATUS_ZH[row.status],
        "version": row.version,
        "verdict": row.verdict if checked else None,
        "checked": checked,
        "channel": row.channel,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
        "submitted_at": iso_or_none(row.submitted_at),
        "seal": {"state": row.seal_state, "note": row.seal_note},
    }


def application(session: Session, row: ApplicationRow, sees: Sees | None = None) -> ApplicationView:
    """An application with its files, readings, findings, decisions and licence.

    Args:
        session: a transaction.
        row: the application.
        sees: which papers are shown; all of them by default.
    """
    stored = pages.readings_of(session, row.number, corrected=False)
    edits, said_wrong = pages.corrections_of(session, row.number), remarks.remarks_of(session, row.number)
    unsettled = remarks.unsettled(said_wrong, edits)
    readings = _joined(row.matter, pages.as_corrected(stored, edits, unsettled))
    findings = pages.findings_of(session, row.number)
    live = pages.live_pages(session, row.number)
    if sees is not None:
        readings = [item for item in readings if sees(item[1].material)]
        readable = {page.id for page, _ in readings}
        live = [page for page in live if page.id in readable or (sees(None) and page.state != "read")]
        findings = [item for item in findings if item[1].material is None or sees(item[1].material)]
    matter = find_matter(row.matter)
    changed = [item for item in corrections.changes(matter, stored, edits) if sees is None or sees(item["material"])]
    remarked = [
        item for item in _remarks(matter, stored, said_wrong, unsettled) if sees is None or sees(item["material"])
    ]
    by_page: dict[str, list[ReadingView]] = {}
    said = assignments.newest_of(session, row.number)
    for page, reading in readings:
        by_page.setdefault(page.id, []).append(_reading(reading, said.get((page.id, reading.index))))
    licence = licences.licence_of_application(session, row.number)
    drawn: dict[str, list[PreviewView]] = {}
    for item in previews.previews_of(session, row.number):
        picture: PreviewView = {
            "index": item.index,
            "width": item.width,
            "height": item.height,
            "first_word": item.first_word,
        }
        drawn.setdefault(item.page_id, []).append(picture)
    return {
        **summary(row),
        "follow_code": shares.follow_code(session, row.number),
        "content_sha256": content_sha256(live, readings, findings, changed, remarked),
        "pages": [page_view(page, by_page.get(page.id, []), drawn.get(page.id, [])) for page in live],
        "findings": [{**_finding(item), "page_id": page_id} for page_id, item in findings],
        "changes": changed,
        "remarks": remarked,
        "opinions": [],
        "decisions": [
            _decision(
                item, [c for c in corrections.decided(session, matter, item) if sees is None or sees(c["material"])]
            )
            for item in applications.decisions_of(session, row.number)
        ],
        "papers": papers(custody.steps(session, row.number)),
        "notice": newest_notice(session, row.number),
        "licence": licence.number if licence is not None and licence.sha256 is not None else None,
        "licence_status": licence.status if licence is not None and licence.status != "preparing" else None,
    }


def content_sha256(
    live: list[PageRow],
    readings: list[tuple[PageRow, PageReading]],
    findings: list[tuple[str | None, Finding]],
    changed: Sequence[ChangeView] = (),
    remarked: Sequence[RemarkView] = (),
) -> str:
    """Hash of everything that an official sees and decides on: files, values, findings, changes by hand."""
    body: list[Any] = [
        [[page.id, page.sha256, page.state] for page in live],
        [_seen_reading(page, reading) for page, reading in readings],
        [[page_id, item.code, item.severity, item.field] for page_id, item in findings],
    ]
    if changed:  # the hash of everything else is as it was before changes were told apart
        body.append([[c["page_id"], c["index"], c["field"], c["written"], c["value"], c["by"]] for c in changed])
    if remarked:
        body.append([[r["page_id"], r["index"], r["field"], r["said"]] for r in remarked])
    return canonical_sha256(body)


def _seen_reading(page: PageRow, reading: PageReading) -> list[object]:
    """A page as an official saw it; what no person named is written as it was before persons could name pages."""
    values = {name: [item.value, item.source] for name, item in reading.fields.items()}
    named = [reading.page, "claimed"] if reading.claimed else []
    return [page.id, reading.index, reading.material, values, *named]


def _remarks(
    matter: Matter,
    readings: Sequence[tuple[PageRow, PageReading]],
    said: Sequence[RemarkRow],
    unsettled: Sequence[RemarkRow],
) -> list[RemarkView]:
    """What the citizen said of values, and whether an official has looked at each since."""
    open_ = {row.id for row in unsettled}
    read = {(page.id, item.index): item for page, item in readings}
    return [
        {
            "page_id": row.page_id,
            "index": row.index,
            "material": material,
            "field": row.field,
            "label": corrections.label(matter, material, row.field),
            "said": row.said,
            "by": row.by,
            "at": iso(row.at),
            "settled": row.id not in open_,
        }
        for row in said
        for material in [read[row.page_id, row.index].material]
    ]


def newest_notice(session: Session, application: str) -> NoticeView | None:
    """How far the sealing of an application's newest notice is; ``None`` where it has none."""
    row = notices.newest(session, application)
    return notice(row) if row is not None else None


def notice(row: NoticeRow) -> NoticeView:
    """How far the sealing of a notice is."""
    return {"number": row.number, "state": row.state, "note": row.note, "sealed_at": iso_or_none(row.sealed_at)}


def papers(steps: Sequence[CustodyRow]) -> PaperResult | None:
    """What the last comparison of paper with the scans found."""
    return next((step.detail["result"] for step in reversed(steps) if step.kind == "compared"), None)


def page_view(row: PageRow, readings: Sequence[ReadingView] = (), drawn: Sequence[PreviewView] = ()) -> PageView:
    """An uploaded file; by default readings and pictures are left out."""
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
        "uploaded_at": iso(row.uploaded_at),
        "readings": list(readings),
        "previews": list(drawn),
    }


def _joined(matter: str, readings: Sequence[tuple[PageRow, PageReading]]) -> list[tuple[PageRow, PageReading]]:
    """The pages as the check sees them."""
    joined = join(find_matter(matter), [reading for _, reading in readings])
    return list(zip([page for page, _ in readings], joined, strict=True))


def _said(row: AssignmentRow) -> SaidView:
    return {"material": row.material, "page": row.side, "by": row.by, "at": iso(row.at)}


def _reading(reading: PageReading, said: AssignmentRow | None) -> ReadingView:
    quality = reading.quality
    return {
        "index": reading.index,
        "material": reading.material,
        "claimed": reading.claimed,
        "said": _said(said) if said is not None else None,
        "how": reading.how,
        "quality": {"verdict": quality.verdict, "findings": [_finding(item) for item in quality.findings]},
        "fields": [_field(item) for item in reading.fields.values()],
        "page": reading.page,
        "edition": reading.edition,
        "form_id": reading.form_id,
        "sheet": reading.sheet,
        "sheets": reading.sheets,
        "cpu_seconds": reading.cpu_seconds,
        "turn": reading.turn,
    }


def _field(item: Field) -> FieldView:
    return {
        "name": item.name,
        "value": item.value,
        "raw": item.raw,
        "confidence": item.confidence,
        "box": item.box,
        "page": item.page,
        "source": item.source,
        "alternatives": item.alternatives,
        "seals": [_paper_seal(seal) for seal in item.seals or ()],
    }


def _paper_seal(item: Seal) -> PaperSealView:
    return {"text": item.text, "confidence": item.confidence, "box": item.box, "shape": item.shape}


def _finding(item: Finding) -> FindingView:
    return {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "material": item.material,
        "field": item.field,
        "basis": item.basis,
        "look": item.look,
    }


def _decision(row: DecisionRow, changed: list[ChangeView]) -> DecisionView:
    return {
        "id": row.id,
        "action": row.action,
        "by": row.by,
        "at": iso(row.at),
        "on_version": row.on_version,
        "reason": row.reason,
        "basis": row.basis,
        "set_aside": row.set_aside,
        "confirmed": row.confirmed,
        "changed": changed,
        "released_by": row.released_by,
        "released_at": iso_or_none(row.released_at),
    }
