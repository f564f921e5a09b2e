"""A blank form is drawn once on a machine, and a damaged copy is drawn again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from docproc.form import draw
from docproc.matter.load import find_matter
from docproc.read.form.template import blank_pages


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    blank_pages.cache_clear()
    return tmp_path / "docproc" / "blanks"


def test_kept_pictures_are_those_that_were_drawn(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matter = find_matter("sole_trader")
    drawn = blank_pages(matter, matter.form[0])
    (kept,) = cache.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    blank_pages.cache_clear()
    monkeypatch.setattr(draw, "draw_form", None)  # whoever draws now, fails
    again = blank_pages(matter, matter.form[0])
    assert len(again) == len(drawn)
    assert all(np.array_equal(a, b) for a, b in zip(again, drawn, strict=True))


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", None])
def test_a_damaged_copy_is_drawn_again(cache: Path, damage: bytes | None) -> None:
    matter = find_matter("sole_trader")
    drawn = blank_pages(matter, matter.form[0])
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:-200] if damage is None else damage)
    blank_pages.cache_clear()
    again = blank_pages(matter, matter.form[0])
    assert all(np.array_equal(a, b) for a, b in zip(again, drawn, strict=True))
