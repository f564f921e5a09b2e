"""Paper that arrives later, compared with the scans by machine; a person records the result afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypedDict

from docproc.domain import DiffKind, PageReading, base64_of, rounded
from docproc.errors import ConflictError, InputError, LimitError
from docproc.flow.applications.applications import visible
from docproc.flow.core import reads
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.review import workbench
from docproc.scan.compare.paper_match import (
    MAX_ALL_BYTES,
    MAX_FILES,
    Outcome,
    PageRef,
    SheetMatch,
    Spot,
    match_papers,
)
from docproc.store.applications import pages
from docproc.store.audit import audit
from docproc.store.counter import custody


class PaperSpot(TypedDict):
    """A place where paper and scan differ; the pictures are JPEG in Base64."""

    kind: DiffKind
    box: list[float]
    scan: str
    paper: str


class KeptCheck(TypedDict):
    """A scanned page and what its paper shows, as the chain of custody keeps it."""

    page_id: str
    index: int
    material: str | None
    outcome: Outcome
    serial: str
    places: int


class CheckedPage(KeptCheck):
    """The same with what is shown once and not kept."""

    sheet: int | None
    """Sheet of the paper, counted from 1 over all files."""
    spots: list[PaperSpot]


class PapersCheck(TypedDict):
    """What comparing paper with the scans gave."""

    sheets: list[CheckedPage]
    left: list[int]
    """Sheets of the paper, from 1, that belong to no scan."""


def check_papers(ctx: Context, caller: Caller, number: str, files: Sequence[bytes]) -> PapersCheck:
    """Find every scanned page among fresh scans of the paper, and show where the two differ.

    The scans of the paper are not kept, their hashes are. That the pages were shown is logged.

    Args:
        ctx: the service.
        caller: a clerk.
        number: of an application that was submitted.
        files: scans of the paper, sheets in any order and turned anyhow.

    Raises:
        ConflictError: not submitted yet.
        InputError: no file.
        LimitError: more or larger files than an application has.
        UnsupportedFileError: a file is no picture or PDF, or damaged.
    """
    caller.require("counter")
    if not files:
        raise InputError("no file was sent", message_zh="没有收到文件，请重新选择")
    if len(files) > MAX_FILES or sum(map(len, files)) > MAX_ALL_BYTES:
        raise LimitError(
            f"{len(files)} files of {sum(map(len, files))} bytes",
            message_zh=f"文件过多或过大（最多 {MAX_FILES} 个，共 {MAX_ALL_BYTES // 1_000_000} MB），请分次核对",
        )
    with ctx.database.read() as session:
        if visible(session, caller, number, "view").submitted_at is None:
            raise ConflictError(f"application {number} was not handed in", message_zh="办件还没有提交")
        found = pages.readings_of(session, number, corrected=False)
    files_of = {page.id: page.sha256 for page, _ in found}  # the same bytes may have been submitted as two materials
    places = list(files_of)
    workbench.show_all(ctx, caller, number)
    wanted = [PageRef(places.index(page.id), reading.index) for page, reading in found]
    result = match_papers([ctx.blobs.get(sha256) for sha256 in files_of.values()], wanted, files)
    reads.note(caller, "paper_check", number)
    told = [_kept(page.id, reading, sheet) for (page, reading), sheet in zip(found, result.sheets, strict=True)]
    with ctx.database.write() as session:
        visible(session, caller, number, "view", lock=True)
        at = ctx.clock()
        kept = [hashlib.sha256(data).hexdigest() for data in files]
        step = custody.add(session, number, "checked", caller.subject, at, pages=told, papers=kept)
        differing = [item["page_id"] for item in told if item["outcome"] != "same"]
        audit.append(session, at, caller.subject, "papers.checked", number, step=step.id, differing=differing)
    sheets = [_shown(item, sheet) for item, sheet in zip(told, result.sheets, strict=True)]
    return {"sheets": sheets, "left": [sheet + 1 for sheet in result.left]}


def checked_so_far(checks: Iterable[Iterable[KeptCheck]]) -> dict[tuple[str, int], KeptCheck]:
    """What checks found for each page, by the file's id and the page in it: of the last one that had its sheet.

    Args:
        checks: the pages of each check, the oldest first; paper may come in parts.
    """
    found: dict[tuple[str, int], KeptCheck] = {}
    for pages_of_one in checks:
        for item in pages_of_one:
            if item["outcome"] != "absent" or (item["page_id"], item["index"]) not in found:
                found[item["page_id"], item["index"]] = item
    return found


def _kept(page_id: str, reading: PageReading, sheet: SheetMatch) -> KeptCheck:
    return {
        "page_id": page_id,
        "index": reading.index,
        "material": reading.material,
        "outcome": sheet.outcome,
        "serial": sheet.serial,
        "places": sheet.places,
    }


def _shown(kept: KeptCheck, sheet: SheetMatch) -> CheckedPage:
    number = sheet.paper + 1 if sheet.paper is not None else None
    return {**kept, "sheet": number, "spots": [_spot(spot) for spot in sheet.spots]}


def _spot(spot: Spot) -> PaperSpot:
    return {
        "kind": spot.kind,
        "box": rounded(spot.box),
        "scan": base64_of(spot.scan),
        "paper": base64_of(spot.paper),
    }
