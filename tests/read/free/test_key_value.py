"""Which pieces of print belong to which label."""

from __future__ import annotations

from docproc.read.decoding.glyphs import Glyph
from docproc.read.free.key_value import assign_segments, segments_of
from docproc.read.free.labels import find_labels

SIZE = 20.0


def piece(text: str, x: float, y: float, line: int) -> list[Glyph]:
    """Square characters side by side, places in character sizes."""
    return [Glyph(c, c, (x + i + 0.5) * SIZE, y * SIZE, SIZE, 0.99, line, i) for i, c in enumerate(text)]


def test_a_piece_a_hair_above_its_left_neighbour_is_read_behind_it() -> None:
    """A shadow's edge cuts a line in two, and the page is not quite level."""
    rows = [
        [*piece("经营范围", 0, 0, 0), *piece("许可项目餐饮服务食品销售依法须经批准的", 5, 0, 1)],
        [*piece("项目方可开展经营活动", 5, 1.2, 2), *piece("一般项目外卖", 15.4, 1.18, 3)],
    ]
    labels = find_labels(rows, [("scope", "经营范围")])
    (value,), rest = assign_segments(labels, segments_of(rows, labels), {"scope": 8}, frozenset())
    assert value.text == "许可项目餐饮服务食品销售依法须经批准的项目方可开展经营活动一般项目外卖"
    assert rest == []
