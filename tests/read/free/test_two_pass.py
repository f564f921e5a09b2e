"""What the large network is asked after the small one has read a page."""

from __future__ import annotations

import random
from datetime import date

from docproc.matter.load import find_matter
from docproc.read.engine.recogniser import Image, TextLine
from docproc.read.free.two_pass import first_pass, second_pass, uncertain_lines, value_lines
from docproc.read.pipeline import page_engine
from samples.canvas import Style
from samples.papers import lease
from samples.people import make_address, make_person

TODAY = date(2026, 11, 23)
SPECS = find_matter("sole_trader").fields_of("lease")


def paper() -> tuple[Image, dict[str, str]]:
    chance = random.Random(5)
    owner, landlord = (make_person(chance, TODAY) for _ in range(2))
    style, ends = Style("noto-serif"), (date(2026, 1, 1), date(2028, 12, 31))
    canvas, values = lease(owner, landlord, make_address(chance, short=True), *ends, style, chance, 150.0)
    return canvas.image, values


def without_watermark(lines: list[TextLine]) -> list[str]:
    """The texts without 样例, so faint that a look may leave out a part of it."""
    return [line.text for line in lines if not (len(line.text) <= 2 and "例" in line.text)]


def texts(lines: list[TextLine], which: set[int]) -> str:
    return "".join(lines[i].text for i in sorted(which))


def test_only_lines_with_values_are_looked_at_again() -> None:
    page, values = paper()
    lines = first_pass(page_engine(), page, 0.0)
    found = texts(lines, value_lines(lines, SPECS, page))
    assert values["address"] in found and "自愿" not in found and "租赁合同" not in found


def test_every_line_may_carry_a_value_whose_label_is_not_found() -> None:
    page, _ = paper()
    lines = first_pass(page_engine(), page, 0.0)
    without = [line for line in lines if "坐落" not in line.text]
    found = texts(without, value_lines(without, SPECS, page))
    assert "自愿" in found and "租赁合同" in found


def test_a_second_look_at_all_lines_reads_the_page_as_one_look_with_the_large_network_does() -> None:
    page, _ = paper()
    engine = page_engine()
    lines = first_pass(engine, page, 0.0)
    again = second_pass(engine, page, lines, range(len(lines)))
    read = without_watermark(engine.read_lines(page))
    assert without_watermark(again) == read
    assert second_pass(engine, page, lines, ()) == lines


def test_unclear_lines_are_those_with_an_unsure_character() -> None:
    page, _ = paper()
    noisy = page.copy()
    noisy[:, ::3] = 128
    engine = page_engine()
    few, many = (first_pass(engine, image, 0.0) for image in (page, noisy))
    assert len(uncertain_lines(few)) / len(few) < len(uncertain_lines(many)) / max(len(many), 1)
