"""Where the cells of a filled form are found after each kind of damage, against where the generator put them."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from functools import cache

import numpy as np
import pytest

from docproc.marks import A4_MM, mark_corners, qr_box
from docproc.read.form.registered import align_to_form
from docproc.read.form.template import blank_pages as blank_pictures
from docproc.read.form.template import form_templates
from docproc.scan.image.warp import sample_field
from docproc.scan.registration.homography import Registration, find_registration, find_registration_by_print
from samples.canvas import BLUE, Style
from samples.damage import DAMAGES
from samples.forms import fill_form, placed
from samples.people import make_cid
from tests.scan.pages import Shot, fold, folded_place, mm_px, photo, project, scan

CELL_MM = 0.3
"""What a cell's place may be off."""
FORM = ("sole_trader", "application")
VALUES = {
    "name": "双流区样例竹味面馆",
    "operator": "周信海",
    "operator_id": make_cid("510116", date(1990, 3, 7), 217),
    "phone": "13812345678",
    "residence": "四川省成都市双流区东升街道棠湖西路一段35号2栋1单元301号",
    "scope": "许可项目：餐饮服务；食品销售。",
    "sign": "present",
    "sign_date": "2026-11-20",
}


@cache
def _filled(dpi: float) -> np.ndarray:
    return fill_form(
        *FORM, "TEST000001", VALUES, Style("noto-serif", BLUE), random.Random(2), dpi, signers={"": "周信海"}
    )[0].image


def filled(dpi: float = 200, missing: tuple[int, ...] = (), code: bool = True) -> np.ndarray:
    """A form without some of its marks, or its QR code."""
    page = _filled(dpi).copy()
    places = [np.array(mark_corners(A4_MM)[mark]) for mark in missing]
    places += [] if code else [np.array(qr_box(A4_MM)).reshape(2, 2)]
    for corners in places:
        (x0, y0), (x1, y1) = (
            ((corners.min(axis=0) - 1) / 25.4 * dpi).astype(int),
            ((corners.max(axis=0) + 1) / 25.4 * dpi).astype(int),
        )
        page[y0:y1, x0:x1] = 252
    return page


@cache
def cells() -> np.ndarray:
    """Corners of all cells and boxes of the page, mm."""
    boxes = [box for place in placed(*FORM)[2].on_page(1) for box in place.cell_boxes()]
    return np.array([corner for x0, y0, x1, y1 in boxes for corner in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))])


def worst_mm(
    shot: Shot,
    find: Callable[[np.ndarray], Registration | None] = find_registration,
    bent: Callable[[np.ndarray], np.ndarray] = lambda places: places,
) -> float:
    """Greatest distance between where a cell's corner is looked for and where it is."""
    registration = find(shot.image)
    assert registration is not None
    spec, form, _ = placed(*FORM)
    alignment = align_to_form(shot.image, registration, form_templates(spec, form)[0])
    shift = sample_field(alignment.shift_mm, cells(), A4_MM) if alignment.needs_warp else 0.0
    looked_for = project(np.linalg.inv(registration.homography), cells() + shift)
    there = project(np.linalg.inv(shot.page_to_image), looked_for)
    return float(np.linalg.norm(there - bent(cells()), axis=1).max())


def damaged(page: np.ndarray, dpi: float, *steps: tuple[str, float], seed: int = 1) -> Shot:
    """The samples' own damage, one after the other."""
    chance, matrix = random.Random(seed), mm_px(dpi)
    for name, strength in steps:
        page, moved = DAMAGES[name](page, strength, chance)
        matrix = moved @ matrix
    return Shot(page, matrix)


@pytest.mark.parametrize("angle", [3.0, 45.0, 90.0, 164.0, 180.0, 233.0, 300.0])
def test_rotation_by_any_angle(angle: float) -> None:
    assert worst_mm(scan(filled(), 200, angle=angle, blur=0.7)) < CELL_MM


@pytest.mark.parametrize("direction", [0.0, 60.0, 135.0, 200.0, 290.0])
def test_perspective_to_25_degrees(direction: float) -> None:
    assert worst_mm(photo(filled(), 200, tilt=25, direction=direction, longest=3000)) < CELL_MM


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_photograph_on_a_desk(seed: int) -> None:
    steps = (("paper", 0.8), ("perspective", 1.0), ("shadow", 0.8), ("blur", 0.15), ("noise", 0.4))
    assert worst_mm(damaged(filled(), 200, *steps, seed=seed)) < CELL_MM


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
@pytest.mark.parametrize("code", [True, False], ids=["with code", "without code"])
def test_one_mark_missing(missing: int, code: bool) -> None:
    page = filled(200, (missing,), code)
    for shot in (scan(page, 200, angle=1.5, blur=0.7), photo(page, 200, tilt=20, longest=3000)):
        assert worst_mm(shot) < CELL_MM


@pytest.mark.parametrize("lift", [-2.0, 0.6, 1.5, 3.0])
def test_folds(lift: float) -> None:
    page = fold(filled(), 200, lift)
    for shot in (scan(page, 200, angle=1), photo(page, 200, tilt=15, longest=3000)):
        assert worst_mm(shot, bent=lambda places: folded_place(places, lift)) < CELL_MM


@pytest.mark.parametrize("strength", [0.3, 0.8])
def test_photocopies(strength: float) -> None:
    assert worst_mm(damaged(filled(), 200, ("skew", 0.4), ("copy", strength), ("blur", 0.1))) < CELL_MM


@pytest.mark.parametrize("seed", [1, 2])
def test_150_dpi(seed: int) -> None:
    assert worst_mm(damaged(filled(150), 150, ("skew", 0.3), ("blur", 0.14), ("noise", 0.3), seed=seed)) < CELL_MM


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_partial_shadow(seed: int) -> None:
    assert worst_mm(damaged(filled(), 200, ("skew", 0.4), ("shadow", 1.0), seed=seed)) < CELL_MM


@pytest.mark.parametrize("kind", ["scan", "photo"])
def test_all_marks_and_the_code_lost(kind: str) -> None:
    page = filled(200, (0, 1, 2, 3), code=False)
    shot = scan(page, 200, angle=178, blur=0.7) if kind == "scan" else photo(page, 200, tilt=20, longest=3000)
    spec, form, _ = placed(*FORM)
    blank = blank_pictures(spec, form)[0]
    assert find_registration(shot.image) is None
    assert worst_mm(shot, lambda image: find_registration_by_print(image, blank)) < CELL_MM


def test_another_form_is_not_taken_for_this_one_by_its_print() -> None:
    spec, form, _ = placed("food_licence", "application")
    image = scan(filled(200, (0, 1, 2, 3), code=False), 200).image
    found = find_registration_by_print(image, blank_pictures(spec, form)[0])
    assert found is None or align_to_form(image, found, form_templates(spec, form)[0]).found < 0.5
