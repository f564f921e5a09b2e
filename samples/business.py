"""Business licences in the layout of 2019, landscape and portrait, marked 样例 and without the state emblem."""

from __future__ import annotations

import random
from datetime import date

import segno

from docproc.form.fill import wrap
from samples.canvas import Canvas, Colour
from samples.papers import Values, emblem, watermark
from samples.people import Firm, chinese_day
from samples.seal import round_seal

GOLD: Colour = (45, 110, 150)
BORDER: Colour = (120, 160, 165)
AUTHORITY = "成都市双流区样例市场监督管理局"


def business_licence(
    firm: Firm, issued: date, rng: random.Random, dpi: float = 150.0, landscape: bool | None = None
) -> tuple[Canvas, Values]:
    """A licence and its values by field name, as printed."""
    wide = rng.random() < 0.5 if landscape is None else landscape
    sheet = Canvas(297.0, 210.0, dpi) if wide else Canvas(210.0, 297.0, dpi)
    border(sheet, 297.0 if wide else 210.0, 210.0 if wide else 297.0)
    watermark(sheet, rng, 0.045, 16.0)
    (_landscape if wide else _portrait)(sheet, firm, issued, rng)
    values = {
        "uscc": firm.uscc,
        "name": firm.name,
        "type": firm.kind,
        "legal_rep": firm.owner.name,
        "established_on": chinese_day(firm.founded),
        "domicile": firm.address,
        "scope": firm.scope,
    }
    if firm.capital:
        values |= {"registered_capital": firm.capital, "term": firm.term}
    return sheet, values


def _coded(firm: Firm) -> str:
    return f"样例 {firm.uscc} {firm.name}"


def border(sheet: Canvas, width: float, height: float) -> None:
    """Draw the frame of lines and lozenges."""
    for inset, thick in ((9.0, 0.8), (11.0, 0.25), (15.0, 0.25), (16.2, 0.6)):
        sheet.frame((inset, inset, width - inset, height - inset), thick, BORDER)
    for x0, y0, x1, y1 in (
        (11, 13, width - 11, 13),
        (11, height - 13, width - 11, height - 13),
        (13, 13, 13, height - 13),
        (width - 13, 13, width - 13, height - 13),
    ):
        steps = int(max(x1 - x0, y1 - y0) / 4)
        for step in range(steps):
            x, y = x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps
            sheet.lines([(x, y - 1.6), (x + 1.6, y), (x, y + 1.6), (x - 1.6, y), (x, y - 1.6)], 0.2, BORDER)


def _names(firm: Firm) -> dict[str, str]:
    if firm.capital:
        return {"rep": "法定代表人", "founded": "成立日期", "place": "住所"}
    return {"rep": "经营者", "founded": "注册日期", "place": "经营场所"}


def _entry(
    sheet: Canvas, x: float, y: float, label: str, value: str, size: float, wide: float, gap: float = 30.0
) -> float:
    """A spaced-out label and its value beside it; returns the height of the next entry."""
    sheet.text(x, y, label, size, spread=size * 5.3, bold=0.01)
    lines = wrap(value, (wide - gap) / (size * 0.95))
    for index, line in enumerate(lines):
        sheet.text(x + gap, y + index * size * 1.45, line, size * 0.95)
    return y + max(1, len(lines)) * size * 1.45 + size * 1.05


def _landscape(sheet: Canvas, firm: Firm, issued: date, rng: random.Random) -> None:
    names = _names(firm)
    emblem(sheet, 148.5, 33.0, 24.0)
    sheet.text(148.5, 61.0, "营业执照", 17.0, font="noto-sans", colour=GOLD, align="centre", bold=0.03, spread=110.0)
    sheet.text(148.5, 75.0, "（副　本）", 6.0, align="centre")
    sheet.text(26.0, 40.0, "统一社会信用代码", 4.4, bold=0.01)
    sheet.text(26.0, 47.5, firm.uscc, 5.0, font="noto-sans")
    sheet.text(206.0, 75.0, "副本编号：1 - 1", 3.2)
    qr_code(sheet, _coded(firm), 236.0, 30.0, 28.0)
    sheet.text(250.0, 62.0, "扫描二维码查看样例信息", 2.6, align="centre")
    y = 92.0
    for label, value in (("名称", firm.name), ("类型", firm.kind), (names["rep"], firm.owner.name)):
        y = _entry(sheet, 26.0, y, label, value, 4.6, 126.0)
    _entry(sheet, 26.0, y, "经营范围", firm.scope, 4.2, 126.0)
    y = 92.0
    right = [(names["founded"], chinese_day(firm.founded))]
    if firm.capital:
        right = [("注册资本", firm.capital), *right, ("营业期限", firm.term)]
    for label, value in [*right, (names["place"], firm.address)]:
        y = _entry(sheet, 160.0, y, label, value, 4.6, 112.0)
    signed(sheet, 205.0, 168.0, issued, rng)
    sheet.text(148.5, 199.0, "样例文件，仅供系统测试，不具有任何效力", 3.0, align="centre")


def _portrait(sheet: Canvas, firm: Firm, issued: date, rng: random.Random) -> None:
    names = _names(firm)
    emblem(sheet, 105.0, 38.0, 26.0)
    sheet.text(105.0, 71.0, "营业执照", 17.0, font="noto-sans", colour=GOLD, align="centre", bold=0.03, spread=110.0)
    sheet.text(105.0, 86.0, "（副　本）", 6.0, align="centre")
    sheet.text(184.0, 97.0, f"统一社会信用代码 {firm.uscc}", 4.0, align="right")
    y = 110.0
    rows = [("名称", firm.name), ("类型", firm.kind), (names["place"], firm.address), (names["rep"], firm.owner.name)]
    if firm.capital:
        rows.append(("注册资本", firm.capital))
    rows.append((names["founded"], chinese_day(firm.founded)))
    if firm.capital:
        rows.append(("营业期限", firm.term))
    for label, value in rows:
        y = _entry(sheet, 32.0, y, label, value, 4.6, 148.0, 33.0)
    _entry(sheet, 32.0, y, "经营范围", firm.scope, 4.2, 148.0, 33.0)
    qr_code(sheet, _coded(firm), 34.0, 226.0, 32.0)
    signed(sheet, 128.0, 240.0, issued, rng)
    sheet.text(105.0, 286.0, "样例文件，仅供系统测试，不具有任何效力", 3.0, align="centre")


def signed(sheet: Canvas, x: float, y: float, issued: date, rng: random.Random) -> None:
    """Print the authority's place and day with its seal over them."""
    sheet.text(x, y, "登记机关", 4.6, spread=34.0)
    sheet.text(x + 8, y + 14.0, f"{issued.year}　年　{issued.month:02d}　月　{issued.day:02d}　日", 4.4)
    round_seal(sheet, x + 34.0, y + 8.0, AUTHORITY, rng, diameter=38.0)


def qr_code(sheet: Canvas, text: str, x: float, y: float, side: float) -> None:
    """Print a QR code with its top-left at ``x``, ``y`` (mm)."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
    module = side / len(rows)
    for j, row in enumerate(rows):
        for i, dark in enumerate(row):
            if dark:
                sheet.fill((x + i * module, y + j * module, x + (i + 1) * module, y + (j + 1) * module), (20, 20, 20))
