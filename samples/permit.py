"""Food licences (食品经营许可证) in the layout that provinces printed from 2015 on, in two columns, marked 样例."""

from __future__ import annotations

import random
from datetime import date

from docproc.form.fill import wrap
from samples.canvas import Canvas, Colour
from samples.papers import Values, emblem, watermark
from samples.people import Firm, chinese_day
from samples.seal import round_seal

GREEN: Colour = (95, 130, 60)
AUTHORITY = "成都市双流区样例市场监督管理局"
HOTLINE = "12315"


def food_permit(
    firm: Firm, number: str, until: date, items: str, rng: random.Random, dpi: float = 150.0
) -> tuple[Canvas, Values]:
    """A licence and its values by field name, as printed; it was issued five years before it ends."""
    sheet = Canvas(297.0, 210.0, dpi)
    watermark(sheet, rng, 0.045, 16.0)
    for inset, thick in ((9.0, 0.9), (11.5, 0.3)):
        sheet.frame((inset, inset, 297.0 - inset, 210.0 - inset), thick, GREEN)
    emblem(sheet, 148.5, 28.0, 18.0)
    sheet.text(
        148.5, 50.0, "食品经营许可证", 13.0, font="noto-sans", colour=GREEN, align="centre", bold=0.03, spread=120.0
    )
    kind = "餐饮服务经营者" if "制售" in items else "食品销售经营者"
    left = (
        ("经营者名称", firm.name),
        ("社会信用代码", firm.uscc),
        ("法定代表人（负责人）", firm.owner.name),
        ("住所", firm.address),
        ("经营场所", firm.address),
        ("主体业态", kind),
        ("经营项目", items),
    )
    right = (
        ("许可证编号", number),
        ("日常监督管理机构", "双流区样例监管所"),
        ("日常监督管理人员", "样例甲、样例乙"),
        ("投诉举报电话", HOTLINE),
        ("发证机关", AUTHORITY),
        ("签发人", "样例丙"),
    )
    y = 70.0
    for label, value in left:
        y = _entry(sheet, 22.0, y, label, value, 42.0, 92.0)
    y = 70.0
    for label, value in right:
        y = _entry(sheet, 166.0, y, label, value, 41.0, 72.0)
    begin = until.replace(year=until.year - 5, day=min(until.day, 28))
    sheet.text(207.0, y + 4.0, f"{begin.year} 年 {begin.month} 月 {begin.day} 日", 4.2)
    sheet.text(166.0, 188.0, f"有效期至　{chinese_day(until)}", 4.4)
    round_seal(sheet, 222.0, rng.choice((y, 181.0)), AUTHORITY, rng, diameter=38.0)  # the day of its end, now and then
    sheet.text(148.5, 203.5, "样例文件，仅供系统测试，不具有任何效力", 3.0, align="centre")
    values = {
        "licence_no": number,
        "name": firm.name,
        "uscc": firm.uscc,
        "legal_rep": firm.owner.name,
        "domicile": firm.address,
        "place": firm.address,
        "format": kind,
        "items": items,
        "valid_to": chinese_day(until),
    }
    return sheet, values


def _entry(sheet: Canvas, x: float, y: float, label: str, value: str, gap: float, wide: float) -> float:
    """A label and its value beside it; returns the height of the next entry."""
    size = 4.2
    sheet.text(x, y, label, size, spread=min(gap - 4.0, size * max(6.5, len(label))), bold=0.01)
    lines = wrap(value, wide / size)
    for index, line in enumerate(lines):
        sheet.text(x + gap, y + index * size * 1.4, line, size)
    return y + len(lines) * size * 1.4 + size * 1.1
