"""收件凭证, the receipt for originals left at the counter, with its number as a barcode (Code 128, ISO/IEC 15417)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import segno
import zxingcpp

from docproc.domain import Box
from docproc.form.draw import default_faces
from docproc.form.fill import wrap
from docproc.form.pen import Faces, PdfCanvas
from docproc.form.symbols import matrix_boxes

PAGE_MM = (210.0, 297.0)
_TITLE = "收件凭证"
_LEFT, _RIGHT, _SIZE, _ROW = 25.0, 185.0, 4.4, 10.0
_BAR_MM, _BAR_HEIGHT = 0.33, 16.0
"""Module width, as hand scanners need it, and height."""
_KEEP = "请妥善保管本凭证，凭本凭证退还原件。扫描条形码可调出本件，扫描二维码可查询进度。"
_MOST_ROWS = 14


@dataclass(frozen=True, slots=True)
class CounterReceipt:
    """Content of the receipt."""

    number: str
    application: str
    matter: str
    authority: str
    received_at: str
    """As printed."""
    clerk: str
    items: tuple[tuple[str, int], ...]
    """Name of each document and its number of copies."""
    note: str
    address: str
    """URL at which the applicant follows the application."""


def draw_receipt(receipt: CounterReceipt, *, faces: Faces | None = None) -> bytes:
    """Draw the receipt as PDF, A4, on as many pages as needed.

    Raises:
        SetupError: the fonts have not been fetched.
    """
    facts = [
        f"办件编号：{receipt.application}",
        f"事　　项：{receipt.matter}",
        f"收件单位：{receipt.authority}",
        f"收件时间：{receipt.received_at}　经办：{receipt.clerk}",
    ]
    notes = wrap(f"备注：{receipt.note}", (_RIGHT - _LEFT) / _SIZE) if receipt.note else []
    rows = [(f"{place}", name, f"{copies} 份") for place, (name, copies) in enumerate(receipt.items, 1)]
    texts = _TITLE + receipt.number + "".join([*facts, *notes, _KEEP, *(part for row in rows for part in row)])
    canvas = PdfCanvas(faces or default_faces(), texts + "序号原件名称份数第页，共提交人签字：收件人0123456789　")
    parts = [rows[at : at + _MOST_ROWS] for at in range(0, len(rows), _MOST_ROWS)]
    for place, part in enumerate(parts, 1):
        y = _head(canvas, receipt, f"第 {place} 页，共 {len(parts)} 页")
        for line in facts:
            canvas.text(_LEFT, y, line, _SIZE)
            y += 7.5
        y = _table(canvas, y + 4, part)
        if place == len(parts):
            for line in [*notes, *wrap(_KEEP, (_RIGHT - _LEFT) / 3.8)]:
                canvas.text(_LEFT, y, line, 3.8)
                y += 6.5
            canvas.text(_LEFT, y + 10, "提交人签字：", _SIZE)
            canvas.text(110, y + 10, "收件人签字：", _SIZE)
    return canvas.to_bytes(_TITLE, receipt.number)


def bar_boxes(text: str, x: float, y: float, module: float, height: float) -> list[Box]:
    """Return the bars of a Code 128 barcode with its top-left corner at (x, y); the caller leaves the quiet zone."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    pixels = np.asarray(code.to_image(scale=1, add_quiet_zones=False))
    row = "".join("1" if shade == 0 else "0" for shade in pixels[0])
    return [(x0, y, x1, y + height) for x0, _, x1, _ in matrix_boxes([row], x, y, module)]


def _head(canvas: PdfCanvas, receipt: CounterReceipt, place: str) -> float:
    canvas.new_page(PAGE_MM)
    canvas.text(PAGE_MM[0] / 2, 24, _TITLE, 8.0, face="sans", align="centre")
    canvas.text(_RIGHT, 14, place, 3.2, align="right", grey=0.35)
    bars = bar_boxes(receipt.number, _LEFT, 34, _BAR_MM, _BAR_HEIGHT)
    canvas.blocks(bars)
    canvas.text((_LEFT + bars[-1][2]) / 2, 34 + _BAR_HEIGHT + 4, receipt.number, 3.8, align="centre")
    canvas.blocks(qr_boxes_at(receipt.address, _RIGHT - 24, 32, 24))
    return 66.0


def _table(canvas: PdfCanvas, y: float, rows: list[tuple[str, str, str]]) -> float:
    columns = (_LEFT, _LEFT + 18, _RIGHT - 28, _RIGHT)
    for row in [("序号", "原件名称", "份数"), *rows]:
        for x0, x1, text in zip(columns, columns[1:], row, strict=False):
            canvas.frame((x0, y, x1, y + _ROW), 0.2)
            canvas.text(x0 + 2, y + _ROW / 2, text, min(_SIZE, (x1 - x0 - 4) / max(1, len(text))))
        y += _ROW
    return y + 8


def qr_boxes_at(text: str, x: float, y: float, side: float) -> list[Box]:
    """Return the dark modules of a QR code with its top-left corner at (x, y)."""
    rows = ["".join("1" if dark else "0" for dark in row) for row in segno.make(text, error="m", micro=False).matrix]
    return matrix_boxes(rows, x, y, side / len(rows))
