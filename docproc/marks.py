"""What a printed form says about itself: corner marks and the QR code's text.

All lengths are millimetres from the page's top-left corner. The corner marks are
ArUco markers (Garrido-Jurado et al. 2014, dictionary 4x4_50): each tells which
corner it is, so the page's orientation is known from any one of them and the
homography from any three, or with less precision from one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from docproc.errors import InputError

A4_MM = (210.0, 297.0)
MARK_MM = 9.0
"""Side of a corner mark's black square."""
MARGIN_MM = 8.0
"""From the page's edge to the mark; home printers leave 5 mm blank."""
QR_MM = 20.0
"""Side of the QR code, without its quiet zone."""
MARK_IDS = {"top_left": 0, "top_right": 1, "bottom_right": 2, "bottom_left": 3}

MOST_SHEETS = 40
"""Sheets on which one page of a form can be printed."""

_CODE = re.compile(
    r"DP1:([a-z0-9_]{1,40}):([0-9A-Za-z.-]{1,20}):([a-z0-9_]{1,40}):(\d{1,3}):([0-9A-Z]{1,24})(?::(\d{1,2})/(\d{1,2}))?"
)


@dataclass(frozen=True, slots=True)
class FormCode:
    """The content of a form page's QR code."""

    matter: str
    edition: str
    material: str
    page: int
    """1-based."""
    form_id: str
    """Serial of this print-out: capitals and digits."""
    sheet: int = 1
    """1-based place among the sheets that the page was printed on."""
    sheets: int = 1
    """How many they are; a code from before sheets were counted says nothing of them: one of one."""

    def text(self) -> str:
        """The text that goes into the QR code."""
        place = f":{self.sheet}/{self.sheets}" if self.sheets > 1 else ""
        return f"DP1:{self.matter}:{self.edition}:{self.material}:{self.page}:{self.form_id}{place}"


def parse_code(text: str) -> FormCode:
    """Read the text of a form page's QR code.

    Raises:
        InputError: it is not one of ours.
    """
    match = _CODE.fullmatch(text.strip())
    if match is None:
        raise InputError(f"not a form code: {text[:40]!r}")
    matter, edition, material, page, form_id, sheet, sheets = match.groups()
    found = FormCode(matter, edition, material, int(page), form_id, int(sheet or 1), int(sheets or 1))
    if not 1 <= found.sheet <= found.sheets <= MOST_SHEETS:
        raise InputError(f"not a form code: {text[:40]!r}")
    return found


def mark_corners(page_mm: tuple[float, float]) -> dict[int, tuple[tuple[float, float], ...]]:
    """Corners of every mark by marker id: top-left, top-right, bottom-right, bottom-left, in mm."""
    width, height = page_mm
    near, far_x, far_y = MARGIN_MM, width - MARGIN_MM - MARK_MM, height - MARGIN_MM - MARK_MM
    origins = {
        MARK_IDS["top_left"]: (near, near),
        MARK_IDS["top_right"]: (far_x, near),
        MARK_IDS["bottom_right"]: (far_x, far_y),
        MARK_IDS["bottom_left"]: (near, far_y),
    }
    side = MARK_MM
    return {key: ((x, y), (x + side, y), (x + side, y + side), (x, y + side)) for key, (x, y) in origins.items()}


def qr_box(page_mm: tuple[float, float]) -> tuple[float, float, float, float]:
    """Place of the QR code: left of the top-right mark."""
    x1 = page_mm[0] - MARGIN_MM - MARK_MM - 4.0
    return (x1 - QR_MM, MARGIN_MM, x1, MARGIN_MM + QR_MM)
