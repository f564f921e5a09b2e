from __future__ import annotations

import hashlib
import re
import zlib
from typing import Any

import numpy as np
import pytest

from docproc.assets.paths import SANS, SERIF, font
from docproc.errors import InputError, SealError
from docproc.licence.page.art import DIAMETERS, EDGE, RED, draw, spread
from tests.licence.drawing import raster

NAME = "示例市市场监督管理局（样例）"


@pytest.mark.parametrize("what", ["code", "purpose", "emblem", "plain"])
def test_the_same_seal_is_the_same_bytes_and_has_not_changed(what: str) -> None:
    given: dict[str, dict[str, Any]] = {
        "code": {"name": NAME, "code": "9900990012345"},
        "purpose": {"name": NAME, "purpose": "行政审批专用章", "diameter": DIAMETERS["department"]},
        "emblem": {"name": "示例市人民政府", "emblem": True, "diameter": DIAMETERS["city"]},
        "plain": {"name": "示例镇人民政府", "diameter": DIAMETERS["township"]},
    }
    first = draw(font=font(SERIF), **given[what])
    assert first == draw(font=font(SERIF), **given[what])
    assert zlib.decompress(first.compressed()) == first.operators
    assert hashlib.sha256(first.operators).hexdigest() == SNAPSHOTS[what]


SNAPSHOTS = {
    "code": "bc24b2bbe4e4424cfc40a3651f68ab6ac621ff72cf1e415689fb3c855a8832de",
    "purpose": "f9af0e8b7f71c57558e098c6022103796828f89459d8b24dc8b9a6da447fba2c",
    "emblem": "990b9adfcc4a1d5ad3e4c28b9f094a114ce8b26298f7df72e35e14e062b54103",
    "plain": "d3258db610a7c23df0ed93b124b7347696ed68e5e96820c2b0004efd9fc87183",
}
"""Of the operators; a change of the drawing is a change of these numbers, on purpose and after looking at the seal."""


@pytest.mark.parametrize("diameter", [40.0, 42.0, 45.0])
def test_the_ring_is_exact_in_millimetres(diameter: float) -> None:
    ink = raster(draw(NAME, font(), diameter=diameter))
    columns = np.flatnonzero(ink.any(axis=0))
    rows = np.flatnonzero(ink.any(axis=1))
    millimetre = 600 / 25.4
    assert (columns[-1] - columns[0] + 1) / millimetre == pytest.approx(diameter, abs=0.1)
    assert (rows[-1] - rows[0] + 1) / millimetre == pytest.approx(diameter, abs=0.1)
    middle = ink[ink.shape[0] // 2]
    edge = int(np.argmin(middle[columns[0] :]))
    assert edge / millimetre == pytest.approx(EDGE, abs=0.1)


def test_the_star_is_in_the_middle_and_points_up() -> None:
    ink = raster(draw("示例镇人民政府", font(), diameter=42.0))
    height, width = ink.shape
    assert ink[height // 2, width // 2]
    inside = ink[height * 3 // 10 : height * 7 // 10, width * 3 // 10 : width * 7 // 10]
    per_row = inside.sum(axis=1)
    rows = np.flatnonzero(per_row)
    assert per_row[rows[0]] < per_row[rows[len(rows) // 3]], "one point, not two, at the top"
    assert np.abs(inside.astype(int) - inside[:, ::-1].astype(int)).mean() < 0.02, "symmetrical"


@pytest.mark.parametrize("rank", ["city", "province"])
def test_a_government_has_a_place_for_the_emblem_instead_of_the_star(rank: str) -> None:
    diameter = DIAMETERS[rank]
    art = draw("示例省人民政府", font(), diameter=diameter, emblem=True)
    assert art == draw("示例省人民政府", font(), diameter=diameter, emblem=True)
    ink = raster(art)
    size = ink.shape[0]
    y, x = np.mgrid[0:size, 0:size]
    distance = np.hypot(x - size / 2, y - size / 2) / (size / diameter)
    ring = abs(distance - diameter / 2 * 0.36) < 0.1
    assert ink[ring].mean() > 0.98, "the ring stands where the emblem goes"
    inside = distance < diameter / 2 * 0.3
    assert 0.05 < ink[inside].mean() < 0.5, "with words in it, not a star"


def test_outlines_only_no_font_is_needed() -> None:
    operators = draw(NAME, font(), purpose="行政审批专用章").operators
    assert not re.search(rb"\b(BT|Tf|Tj|TJ|Do)\b", operators)
    assert " ".join(f"{part:g}" for part in RED).encode() in operators


def test_compressed_art_is_small() -> None:
    assert len(draw(NAME, font()).compressed()) < 10_000


def test_spread_is_symmetrical_and_short_names_stay_together() -> None:
    for name in ("示例", "示例镇人民政府", NAME, "示" * 24):
        angles = spread(name)
        assert angles == sorted(angles)
        assert angles[0] == pytest.approx(-angles[-1])
        assert angles[-1] - angles[0] <= 262.0 + 1e-9
    assert spread("示例镇人民政府")[1] - spread("示例镇人民政府")[0] == pytest.approx(28)


def test_brackets_take_less_room_than_characters() -> None:
    angles = spread("示例局（样例）")
    assert angles[3] - angles[2] < angles[1] - angles[0]


def test_text_does_not_touch_the_ring() -> None:
    diameter = 42.0
    ink = raster(draw("示" * 20, font(), diameter=diameter, purpose="行政审批专用章", code="9900990012345"))
    size = ink.shape[0]
    y, x = np.mgrid[:size, :size]
    distance = np.hypot(x - size / 2, y - size / 2) / (size / diameter)
    gap = (distance > diameter / 2 - EDGE - 0.45) & (distance < diameter / 2 - EDGE - 0.15)
    assert not ink[gap].any()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"name": "局"}, "name"),
        ({"name": "示" * 25}, "name"),
        ({"name": NAME, "purpose": "一二三四五六七八九十一"}, "purpose"),
        ({"name": NAME, "diameter": 37.9}, "diameter"),
        ({"name": NAME, "diameter": 50.0}, "diameter"),
        ({"name": NAME, "diameter": 42.0, "emblem": True}, "emblem"),
        ({"name": NAME, "diameter": 47.0, "emblem": True}, "emblem"),
    ],
)
def test_what_breaks_the_rule_is_refused(arguments: dict[str, object], word: str) -> None:
    with pytest.raises(SealError, match=word):
        draw(font=font(), **arguments)  # type: ignore[arg-type]


def test_a_character_that_the_font_lacks_is_named() -> None:
    with pytest.raises(InputError, match=r"U\+10FFFD") as caught:
        draw("示例\U0010fffd局", font(SANS))
    assert "\U0010fffd" in caught.value.message_zh
