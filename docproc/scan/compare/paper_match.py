"""Match paper originals with scans in a sandboxed child process: no uploaded file is decoded in this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from docproc.canonical import JsonObject
from docproc.domain import Box, DiffKind, as_box
from docproc.sandbox.decided import DECIDED
from docproc.sandbox.parent import Budget, Sandbox, understanding
from docproc.sandbox.policy import Policy

Outcome = Literal["same", "differs", "unclear", "other_print", "absent"]
"""``unclear``: blurred, or a part is not visible; ``other_print``: another print-out of the form, by its QR code;
``absent``: no sheet matches this page."""

MAX_FILES = 40
MAX_SHEETS = 60
"""Pages of all paper files together."""
MAX_ALL_BYTES = 60_000_000
"""Size of all paper files together."""
_MATCH = Sandbox(
    "docproc.scan.compare.job:paper_match_job", Policy(threads=True, warm_up="docproc.scan.files.split:load")
)
_SHEET_S, _ALL_S = 10.0, 300.0
"""CPU time for opening and straightening a sheet, and for all that is done with all of them."""
_MEMORY_MB = 6144
_RESULT_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class PageRef:
    """Reference to a page of one of several files."""

    file: int
    """0-based."""
    index: int
    """0-based page of the file."""


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A region in which paper and scan differ, for display."""

    kind: DiffKind
    box: Box
    """Pixels of the original scan."""
    scan: bytes
    """JPEG of the region on the scan, rectified."""
    paper: bytes
    """JPEG of the same region on the paper."""


@dataclass(frozen=True, slots=True, eq=False)
class SheetMatch:
    """One scanned page and the sheet that matches it."""

    outcome: Outcome
    paper: int | None = None
    """0-based sheet, counted over all paper files."""
    serial: str = ""
    """Serial of the print-out, from the paper's QR code; empty where it has none."""
    places: int = 0
    """Number of differing regions."""
    spots: tuple[Spot, ...] = ()
    """The largest regions, in reading order."""


@dataclass(frozen=True, slots=True, eq=False)
class PaperMatch:
    """Result of matching paper with scans."""

    sheets: tuple[SheetMatch, ...]
    """In the order of the requested pages."""
    left: tuple[int, ...]
    """0-based sheets that match no scan."""


def match_papers(scans: Sequence[bytes], wanted: Sequence[PageRef], papers: Sequence[bytes]) -> PaperMatch:
    """Match new scans of the paper originals with the scans submitted before, and compare each pair.

    Args:
        scans: files submitted before.
        wanted: their pages that have a paper original.
        papers: scans of the paper; sheets in any order and orientation.

    Raises:
        UnsupportedFileError: a file is not an image or PDF, or damaged.
        LimitError: over a limit.
    """
    options = {
        "scans": [len(item) for item in scans],
        "wanted": [(page.file, page.index) for page in wanted],
        "papers": [len(item) for item in papers],
    }
    data = b"".join((*scans, *papers))
    budget = Budget(_ALL_S, _MEMORY_MB, 1.4 * _ALL_S, _RESULT_BYTES)
    asked = ("papers", sha256(data).hexdigest(), str(options["wanted"]), str(budget))
    answer, parts = DECIDED.once(asked, lambda: _MATCH.call(data, {**options, "sheet_s": _SHEET_S}, budget))
    with understanding():
        return _match(answer, parts)


def _match(answer: JsonObject, parts: Sequence[bytearray]) -> PaperMatch:
    pictures = iter(bytes(part) for part in parts)
    sheets = tuple(
        SheetMatch(
            item["outcome"],
            item["paper"],
            str(item["serial"]),
            int(item["places"]),
            tuple(Spot(s["kind"], as_box(s["box"]), next(pictures), next(pictures)) for s in item["spots"]),
        )
        for item in answer["sheets"]
    )
    return PaperMatch(sheets, tuple(int(sheet) for sheet in answer["left"]))
