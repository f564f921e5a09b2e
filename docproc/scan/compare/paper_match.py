"""Hold paper against scans in a throw-away process: no stranger's picture is decoded in ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from docproc.domain import Box, as_box
from docproc.sandbox.parent import Budget, Sandbox
from docproc.scan.compare.page_diff import Kind

Outcome = Literal["same", "differs", "unclear", "other_print", "absent"]
"""``unclear``: blurred, or not the whole page is seen; ``other_print``: another print-out of the form, by its QR code;
``absent``: no sheet shows this page."""

MAX_FILES = 40
MAX_SHEETS = 60
"""Pages of all files of the paper together."""
MAX_ALL_BYTES = 60_000_000
"""Of the paper's files together."""
_PAPERS = Sandbox("docproc.scan.compare.job:papers_job")
_BUDGET = Budget(cpu_s=300, memory_mb=6144, wall_s=400.0, result_bytes=200_000_000)


@dataclass(frozen=True, slots=True)
class PageOf:
    """A page of one of several files."""

    file: int
    """0-based."""
    index: int
    """0-based page of the file."""


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """Where paper and scan differ."""

    kind: Kind
    box: Box
    """Pixels of the scan as handed in."""
    scan: bytes
    """JPEG of the place on the scan, straightened."""
    paper: bytes
    """JPEG of the same place on the paper."""


@dataclass(frozen=True, slots=True, eq=False)
class SheetCheck:
    """One scanned page, and what its paper shows."""

    outcome: Outcome
    paper: int | None = None
    """0-based sheet, counted over all files of the paper."""
    serial: str = ""
    """Of the print-out, by the paper's QR code; empty where it has none."""
    places: int = 0
    """How many places differ."""
    spots: tuple[Spot, ...] = ()
    """The largest of them, in reading order."""


@dataclass(frozen=True, slots=True, eq=False)
class PapersCheck:
    """What holding paper against scans gave."""

    sheets: tuple[SheetCheck, ...]
    """In the order of the pages that were asked for."""
    left: tuple[int, ...]
    """0-based sheets of the paper that belong to no scan."""


def compare_papers(scans: Sequence[bytes], wanted: Sequence[PageOf], papers: Sequence[bytes]) -> PapersCheck:
    """Compare fresh scans of paper with the scans that were handed in before.

    Args:
        scans: files as handed in before.
        wanted: their pages that have paper.
        papers: files of the paper; sheets in any order, turned anyhow.

    Raises:
        UnsupportedFileError: a file is no picture or PDF, or damaged.
        LimitError: over a limit.
    """
    options = {
        "scans": [len(item) for item in scans],
        "wanted": [(page.file, page.index) for page in wanted],
        "papers": [len(item) for item in papers],
    }
    answer, parts = _PAPERS.call(b"".join((*scans, *papers)), options, _BUDGET)
    pictures = iter(bytes(part) for part in parts)
    sheets = tuple(
        SheetCheck(
            item["outcome"],
            item["paper"],
            str(item["serial"]),
            int(item["places"]),
            tuple(Spot(s["kind"], as_box(s["box"]), next(pictures), next(pictures)) for s in item["spots"]),
        )
        for item in answer["sheets"]
    )
    return PapersCheck(sheets, tuple(int(sheet) for sheet in answer["left"]))
