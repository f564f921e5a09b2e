"""The name on a seal of a scanned form is read where a rule of the matter asks for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from docproc.domain import PageReading
from docproc.matter.load import find_matter
from docproc.matter.rule_kinds import SealName
from docproc.read.pipeline import page_engine, read_file, reading_json
from docproc.read.seal.read_seal import PER_MM, read_in, wants_seal
from samples.canvas import BLUE, Canvas, Style
from samples.forms import sign
from samples.seals import Cut, Press, press_seal

SCAN = Path("samples/scans/05-food-other-firm/01-application-1.jpg")
NAME = "双流区样例竹味面馆"
CUT = Cut(NAME, 40.0, 40.0, "noto-serif", 0.28, 0.8, 250.0, 1.1)
TODAY = date(2026, 11, 23)


def form(*, with_rule: bool = True) -> PageReading:
    matter = find_matter("food_licence")
    if not with_rule:
        matter = matter.model_copy(update={"rule": tuple(r for r in matter.rule if not isinstance(r, SealName))})
    (page,) = read_file(SCAN.read_bytes(), SCAN.name, matter, today=TODAY, recogniser=page_engine(threads=1))
    return page


def pressed(cut: Cut, press: Press, draw: Callable[[Canvas], None] = lambda canvas: None) -> list[str]:
    """What is read of the seals on a sheet of 100 mm."""
    canvas = Canvas(100.0, 100.0, PER_MM * 25.4)
    press_seal(canvas, 50.0, 50.0, cut, press, random.Random(1))
    draw(canvas)
    picture = np.minimum(canvas.image, 245)
    return [seal.text for seal in read_in(np.asarray(picture, np.uint8), PER_MM, page_engine(threads=1))]


def test_a_scanned_form_says_what_its_seal_says_and_where_it_is() -> None:
    page = form()
    stamp = page.fields["stamp"]
    assert stamp.value == "present" and stamp.seals is not None and stamp.box is not None
    (seal,) = stamp.seals
    assert seal.text == stamp.raw == page.fields["name"].value
    assert seal.shape == "round" and seal.confidence > 0.8
    middle = (seal.box[0] + seal.box[2]) / 2, (seal.box[1] + seal.box[3]) / 2
    assert stamp.box[0] < middle[0] < stamp.box[2] and stamp.box[1] < middle[1] < stamp.box[3]
    shown = reading_json(page)["fields"]
    assert isinstance(shown, dict) and shown["stamp"]["seals"][0]["text"] == seal.text
    assert "seals" not in shown["sign"]


def test_nobody_looks_where_no_rule_asks() -> None:
    assert form(with_rule=False).fields["stamp"].seals is None
    food, trader = find_matter("food_licence"), find_matter("sole_trader")
    assert wants_seal(food, "application", "stamp") and not wants_seal(food, "application", "sign")
    assert not wants_seal(trader, "application", "stamp")


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(CUT, id="round"),
        pytest.param(
            Cut(NAME, 45.0, 30.0, "noto-sans", 0.3, 0.8, 250.0, 1.0, star=False, purpose="发票专用章"), id="oval"
        ),
        pytest.param(
            Cut(NAME, 42.0, 42.0, "noto-sans", 0.28, 0.8, 235.0, 1.2, purpose="合同专用章", number="5101160012345"),
            id="purpose and number",
        ),
        pytest.param(Cut(NAME, 42.0, 42.0, "noto-serif", 0.28, 0.8, 250.0, 1.2, inner_ring=True), id="two rings"),
    ],
)
@pytest.mark.parametrize("turn", [0.0, 35.0, 150.0])
def test_seals_of_every_kind_are_read_however_they_are_turned(cut: Cut, turn: float) -> None:
    assert pressed(cut, Press(turn)) == [NAME]


def test_what_is_written_across_a_seal_hides_the_characters_under_it() -> None:
    canvas = Canvas(100.0, 100.0, PER_MM * 25.4)
    press_seal(canvas, 50.0, 50.0, CUT, Press(), random.Random(1))
    sign(canvas, (30.0, 30.0, 75.0, 48.0), "样例签名", Style("noto-serif", BLUE), random.Random(2))
    (seal,) = read_in(np.asarray(np.minimum(canvas.image, 245), np.uint8), PER_MM, page_engine(threads=1))
    assert any(place.hidden for place in seal.places)


def test_a_seal_copied_in_grey_has_no_rim_to_be_read() -> None:
    assert pressed(CUT, Press(colour=(60, 60, 60))) == []
