from __future__ import annotations

import re
from pathlib import Path

import pytest

from docproc.errors import CatalogueError, NotFoundError
from docproc.licence.page.layout import FOLDER, load_layout

SOURCE = (FOLDER / "food_business.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_layout_loads(path: Path) -> None:
    layout = load_layout(path.stem)
    assert layout.kind == path.stem
    assert layout.page_mm[0] / layout.page_mm[1] == pytest.approx(297 / 210, abs=0.01)


def test_an_unknown_kind_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="unicorn"):
        load_layout("unicorn")
    with pytest.raises(NotFoundError):
        load_layout("../layouts/food_business")


@pytest.mark.parametrize(
    ("pattern", "replacement", "problem"),
    [
        (r"title_y = 42", "title_y = 'x'", "title_y must be float"),
        (r"title_y = 42\n", "", "incomplete"),
        (r"\[seal\]\nx = 229", "[seal]\nx = 400", "outside the page"),
        (r"diameter = 42", "diameter = 60", "38 to 50"),
        (r"rest = true", "rest = false", "exactly one column"),
        (r"\[qr\]", "[qrcode]", "table qr is missing"),
        (r"title_size = 40", "title_size = 40\ncolor = 1", "no entry 'color'"),
        (r"colour = \[0.56", "colour = [5.6", "colour must be"),
        (r'align = "centre"', 'align = "middle"', "align must be"),
        (r"page_mm = \[297, 210\]", "page_mm = [297", "TOML|nclosed|xpected|nvalid"),
    ],
)
def test_a_wrong_layout_is_refused_with_file_and_line(
    tmp_path: Path, pattern: str, replacement: str, problem: str
) -> None:
    changed, count = re.subn(pattern, replacement, SOURCE, count=1)
    assert count == 1
    (tmp_path / "wrong.toml").write_text(changed, encoding="utf-8")
    with pytest.raises(CatalogueError, match=problem) as caught:
        load_layout("wrong", tmp_path)
    assert str(caught.value).startswith("wrong.toml:")
    assert caught.value.line >= 1
    assert caught.value.remedy
