"""Business licences of older layouts: of 2015, with a credit code, and earlier ones, with a registration number."""

from __future__ import annotations

import random
from datetime import date

from docproc.fields.check_digits import mod11_10
from docproc.form.fill import wrap
from samples.business import GOLD, border, qr_code, signed
from samples.canvas import Canvas
from samples.papers import Values, emblem, watermark
from samples.people import Firm, chinese_day

EDITIONS = ("2015-portrait", "2015-landscape", "2011-portrait", "2011-landscape")
"""Year of the layout, and how the sheet lies."""
_LABEL_EMS = 7.2
"""Width in which a label is set apart, in its characters."""


def make_regno(rng: random.Random) -> str:
    """A registration number of 15 digits with its check digit (GS 15-2006)."""
    body = f"5101{rng.choice(('16', '22', '07'))}{rng.choice('06')}{rng.randint(0, 9_999_999):07d}"
    return body + mod11_10(body)


def older_licence(
    firm: Firm, issued: date, rng: random.Random, edition: str, dpi: float = 150.0
) -> tuple[Canvas, Values]:
    """A licence of one of :data:`EDITIONS` and its values by field name, as printed."""
    wide = edition.endswith("landscape")
    width, height = (297.0, 210.0) if wide else (210.0, 297.0)
    sheet = Canvas(width, height, dpi)
    border(sheet, width, height)
    watermark(sheet, rng, 0.045, 16.0)
    early = edition.startswith("2011")
    number = make_regno(rng) if early else firm.uscc
    rows = (_early_rows if early else _rows)(firm)
    middle = width / 2
    emblem(sheet, middle, 30.0, 22.0)
    title = "个体工商户营业执照" if early and not firm.capital else "企业法人营业执照" if early else "营业执照"
    sheet.text(middle, 56.0, title, 13.0, font="noto-sans", colour=GOLD, align="centre", bold=0.03)
    sheet.text(middle, 68.0, "（副　本）", 5.4, align="centre")
    told = f"注册号：{number}" if early else f"统一社会信用代码　{number}"
    sheet.text(middle if early else width - 30.0, 78.0, told, 4.4, align="centre" if early else "right")
    end = _column(sheet, rows, 88.0, width)
    low = min(end + 6.0, height - 52.0)
    if not early:
        told = f"统一社会信用代码：{number}\n名称：{firm.name}\n{_day_label(firm)}：{firm.founded}"
        qr_code(sheet, told, 32.0, low, 26.0)
    signed(sheet, width - 90.0, low + 8.0, issued, rng)
    sheet.text(middle, height - 10.0, "样例文件，仅供系统测试，不具有任何效力", 3.0, align="centre")
    return sheet, _values(firm, number)


def _day_label(firm: Firm) -> str:
    return "成立日期" if firm.capital else "注册日期"


def _rows(firm: Firm) -> list[tuple[str, str]]:
    if not firm.capital:
        return [
            ("名称", firm.name),
            ("类型", firm.kind),
            ("经营场所", firm.address),
            ("经营者", firm.owner.name),
            ("组成形式", "个人经营"),
            ("注册日期", chinese_day(firm.founded)),
            ("经营范围", firm.scope),
        ]
    return [
        ("名称", firm.name),
        ("类型", firm.kind),
        ("住所", firm.address),
        ("法定代表人", firm.owner.name),
        ("注册资本", firm.capital),
        ("成立日期", chinese_day(firm.founded)),
        ("营业期限", firm.term),
        ("经营范围", firm.scope),
    ]


def _early_rows(firm: Firm) -> list[tuple[str, str]]:
    if not firm.capital:
        return [
            ("字号名称", firm.name),
            ("经营者姓名", firm.owner.name),
            ("组成形式", "个人经营"),
            ("经营场所", firm.address),
            ("经营范围", firm.scope),
            ("注册日期", chinese_day(firm.founded)),
        ]
    return [
        ("名称", firm.name),
        ("住所", firm.address),
        ("法定代表人姓名", firm.owner.name),
        ("注册资本", firm.capital),
        ("实收资本", firm.capital),
        ("公司类型", firm.kind),
        ("经营范围", firm.scope),
        ("成立日期", chinese_day(firm.founded)),
        ("营业期限", firm.term),
    ]


def _column(sheet: Canvas, rows: list[tuple[str, str]], top: float, width: float) -> float:
    """Spaced-out labels and their values in one column; returns the height below the last."""
    size, left = 4.3, 30.0
    start = left + size * (_LABEL_EMS + 0.8)
    y = top
    for label, value in rows:
        sheet.text(left, y, label, size, spread=size * _LABEL_EMS, bold=0.01)
        lines = wrap(value, (width - 30.0 - start) / (size * 0.95))
        for index, line in enumerate(lines):
            sheet.text(start, y + index * size * 1.4, line, size * 0.95)
        y += len(lines) * size * 1.4 + size * 0.75
    return y


def _values(firm: Firm, number: str) -> Values:
    values = {
        "uscc": number,
        "name": firm.name,
        "legal_rep": firm.owner.name,
        "established_on": chinese_day(firm.founded),
        "domicile": firm.address,
        "scope": firm.scope,
    }
    if firm.capital:
        return values | {"type": firm.kind, "registered_capital": firm.capital, "term": firm.term}
    return values if len(number) == 15 else values | {"type": f"{firm.kind}个人经营"}
