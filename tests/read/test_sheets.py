"""Sheets of one table through the whole pipeline: printed, scanned in any order, read, and judged."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pymupdf

from docproc.check.check import check
from docproc.check.evidence import gather
from docproc.domain import PageReading
from docproc.form.draw import draw_form
from docproc.form.layout import layout_of
from docproc.matter.load import find_matter
from docproc.read.pipeline import read_file
from tests.cases import TODAY, cid

MATTER = find_matter("social_insurance")
FORM = MATTER.find_form("staff_list")
ROWS = 8
NAMES = [f"样{first}{second}" for first in "田林石江" for second in "文平安"][:10]
VALUES = {
    "name": "双流区样例小吃店",
    "sign_date": "2026-11-20",
    **{f"staff.{row}.name": name for row, name in enumerate(NAMES, 1)},
    **{f"staff.{row}.cid": cid("19910730", f"{row:03d}") for row in range(1, len(NAMES) + 1)},
    **{f"staff.{row}.since": "2026-11-01" for row in range(1, len(NAMES) + 1)},
}


def scans(serial: str, sheets: int = 1) -> list[bytes]:
    """The filled list as it comes from a scanner, one file a sheet."""
    printed = draw_form(MATTER, FORM, layout_of(MATTER, FORM), serial, VALUES, sheets=sheets)
    found = []
    for page in pymupdf.open(stream=printed):
        pixmap = page.get_pixmap(dpi=200, colorspace=pymupdf.csRGB)
        image = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)[:, :, ::-1]
        found.append(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    return found


@cache
def read(serial: str, sheets: int = 1) -> tuple[PageReading, ...]:
    files = enumerate(scans(serial, sheets), 1)
    return tuple(read_file(data, f"{n}.jpg", MATTER, today=TODAY)[0] for n, data in files)


def said(pages: list[PageReading]) -> list[str]:
    return [f.message for f in check(MATTER, pages, TODAY).findings if f.code in ("G-18", "G-19", "G-20")] + [
        f.message for f in check(MATTER, pages, TODAY).findings if f.code == "G-00" and "职工名册" in f.message
    ]


def test_rows_of_two_sheets_go_on_in_the_order_of_the_sheets() -> None:
    first, second = read("TEST000011")
    assert [(p.sheet, p.sheets, p.form_id) for p in (first, second)] == [(1, 2, "TEST000011"), (2, 2, "TEST000011")]
    rows = gather(MATTER, [second, first]).rows("staff_list.staff")
    assert [row["name"].value for row in rows] == NAMES
    assert [row["cid"].value for row in rows] == [VALUES[f"staff.{n}.cid"] for n in range(1, len(NAMES) + 1)]
    names = [name for name in second.fields if name.startswith("staff.") and second.fields[name].value]
    assert min(int(name.split(".")[1]) for name in names) == ROWS + 1
    assert all(item.box is not None and item.name == name for name, item in second.fields.items())
    assert said([second, first]) == []


def test_what_is_wrong_with_the_sheets_is_named() -> None:
    first, second, third = read("TEST000012", 3)
    stray = read("TEST000011")[1]
    assert said([third, first]) == ["缺少材料：《参保职工名册》第1页第2张（共3张）"]
    other = next(name for name, item in second.fields.items() if name.endswith(".name") and item.value)
    copied = replace(
        second, file="copy.jpg", fields={**second.fields, other: replace(second.fields[other], value="样例")}
    )
    assert said([first, second, third, copied]) == [
        "“参保职工名册第1页第2张（共3张）”扫描了不止一次，内容不一致，请撤回不要的一份"
    ]
    (mixed,) = said([first, second, third, stray])
    assert "第1页第2张（共2张）”是另一次打印的表格（编号TEST000011）" in mixed
