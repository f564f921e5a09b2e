"""Continuation sheets: a table of any length is printed on as many sheets as it needs, each told by its code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pymupdf
import pytest
import zxingcpp

from docproc.domain import Field
from docproc.errors import InputError
from docproc.form.draw import draw_form
from docproc.form.layout import FormLayout, layout_of
from docproc.form.sheets import Sheet, capacities, continued, plan, values_on
from docproc.marks import MOST_SHEETS, FormCode, parse_code
from docproc.matter.load import find_matter
from docproc.matter.model import Form, Matter

SERIAL = "TEST000005"
OLD = "DP1:social_insurance:2026-05:roster:1:TEST000005"
"""As the version before printed it."""


def roster() -> tuple[Matter, Form, FormLayout]:
    matter = find_matter("social_insurance")
    form = next(form for form in matter.form if any(f.type == "table" for f in form.field))
    return matter, form, layout_of(matter, form)


def codes(data: bytes) -> list[FormCode]:
    found = []
    for page in pymupdf.open(stream=data):
        pixmap = page.get_pixmap(dpi=150, colorspace=pymupdf.csGRAY)
        image = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)
        found += [parse_code(code.text) for code in zxingcpp.read_barcodes(image)]
    return found


def test_a_code_tells_its_sheet_and_one_of_before_is_one_of_one() -> None:
    old = parse_code(OLD)
    assert (old.sheet, old.sheets) == (1, 1) and old.text() == OLD
    new = FormCode("social_insurance", "2026-05", "roster", 1, SERIAL, 2, 3)
    assert new.text() == f"{OLD}:2/3" and parse_code(new.text()) == new
    for wrong in ("0/3", "4/3", "1/0", f"1/{MOST_SHEETS + 1}", "1/", "a/b"):
        with pytest.raises(InputError):
            parse_code(f"{OLD}:{wrong}")


def test_every_page_with_a_table_is_printed_on_the_sheets_that_are_asked_for() -> None:
    matter, form, layout = roster()
    page = next(p.page for p in layout.fields if "." in p.name)
    once = draw_form(matter, form, layout, SERIAL)
    assert [(c.sheet, c.sheets) for c in codes(once)] == [(1, 1)] * layout.pages
    printed = codes(draw_form(matter, form, layout, SERIAL, sheets=3))
    assert [(c.sheet, c.sheets) for c in printed if c.page == page] == [(1, 3), (2, 3), (3, 3)]
    assert len(printed) == layout.pages + 2 and {c.form_id for c in printed} == {SERIAL}
    text = "".join(page.get_text() for page in pymupdf.open(stream=draw_form(matter, form, layout, SERIAL, sheets=3)))
    assert "本页第 2 张，共 3 张" in text


def test_more_rows_than_a_page_has_go_on_on_the_next_sheet() -> None:
    matter, form, layout = roster()
    ((table, rows),) = capacities(layout).items()
    values = {f"{table}.{row}.name": f"样例{'甲乙丙丁戊己庚辛壬癸'[row % 10]}" for row in range(1, 2 * rows + 2)}
    assert len(codes(draw_form(matter, form, layout, SERIAL, values))) == layout.pages + 2
    page = next(p.page for p in layout.fields if p.name.startswith(table))
    second = values_on(layout, Sheet(page, 2, 3), values | {"name": "样例商行"})
    assert second[f"{table}.1.name"] == values[f"{table}.{rows + 1}.name"] and "name" not in second
    read = {name: Field(name, value, value, 1.0, None, page) for name, value in second.items()}
    again = continued(layout, page, 2, read)
    assert {name: item.value for name, item in again.items()} == {
        name: value for name, value in values.items() if rows < int(name.split(".")[1]) <= 2 * rows
    }
    assert all(item.name == name for name, item in again.items())


def test_what_cannot_be_printed_on_sheets_is_refused() -> None:
    matter, form, layout = roster()
    for sheets in (0, MOST_SHEETS + 1):
        with pytest.raises(InputError, match="sheets"):
            plan(layout, sheets)
    with pytest.raises(InputError, match="at most"):
        plan(layout, 1, ["staff.9999.name"])
    with pytest.raises(InputError, match="no field"):
        draw_form(matter, form, layout, SERIAL, {"staff.9.nothing": "x"})
    promise = find_matter("sole_trader").find_form("place_promise")
    plain = layout_of(find_matter("sole_trader"), promise)
    with pytest.raises(InputError, match="no table"):
        draw_form(find_matter("sole_trader"), promise, plain, SERIAL, sheets=2)


def test_the_command_prints_sheets_and_keeps_the_layout_as_it_was(tmp_path: Path) -> None:
    _, form, layout = roster()
    command = [sys.executable, "-m", "docproc.cli", "form", "social_insurance", form.material]
    made = tmp_path / "form.pdf"
    run = subprocess.run([*command, "--sheets", "2", "--out", made, "--json"], capture_output=True, check=True)
    told = json.loads(run.stdout)
    assert (told["pages"], told["sheets"]) == (layout.pages, layout.pages + 1) and len(codes(made.read_bytes())) == 2
    shown = subprocess.run([*command, "--layout"], capture_output=True, check=True)
    assert json.loads(shown.stdout) == json.loads(json.dumps(layout.to_json()))
