"""The machine-readable parts of a form page, corner marks and QR code, as black boxes in millimetres."""

from __future__ import annotations

import segno

from docproc.domain import Box
from docproc.marks import mark_corners, qr_box

# Payload rows of markers 0..3 of the ArUco dictionary 4x4_50, 1 for white; a black border of one module surrounds it.
MARK_BITS: dict[int, tuple[str, ...]] = {
    0: ("1011", "0101", "0011", "0010"),
    1: ("0000", "1111", "1001", "1010"),
    2: ("0011", "0011", "0010", "1101"),
    3: ("1001", "1001", "0100", "0110"),
}


def mark_boxes(page_mm: tuple[float, float]) -> list[Box]:
    """Return the black modules of the four corner marks."""
    found: list[Box] = []
    for key, corners in mark_corners(page_mm).items():
        (x0, y0), (x1, _) = corners[0], corners[1]
        bits = ["000000", *(f"0{row}0" for row in MARK_BITS[key]), "000000"]
        found += matrix_boxes(bits, x0, y0, (x1 - x0) / 6, black="0")
    return found


def qr_boxes(page_mm: tuple[float, float], text: str) -> list[Box]:
    """Return the dark modules of the QR code, error correction M; the page around it is its quiet zone."""
    x0, y0, x1, _ = qr_box(page_mm)
    code = segno.make(text, error="m", boost_error=False, micro=False)
    rows = ["".join("1" if dark else "0" for dark in row) for row in code.matrix]
    return matrix_boxes(rows, x0, y0, (x1 - x0) / len(rows))


def matrix_boxes(rows: list[str], x0: float, y0: float, module: float, black: str = "1") -> list[Box]:
    """Return one box for each horizontal run of black modules."""
    found: list[Box] = []
    for index, row in enumerate(rows):
        start: int | None = None
        for column, bit in enumerate([*row, ""]):
            if bit == black and start is None:
                start = column
            elif bit != black and start is not None:
                top = y0 + index * module
                found.append((x0 + start * module, top, x0 + column * module, top + module))
                start = None
    return found
