from __future__ import annotations

import numpy as np
import pytest

from docproc.marks import A4_MM
from docproc.scan.image.resample import draw, view
from docproc.scan.image.warp import sample
from docproc.scan.registration.align import refine, slid, template_of, to_refined_image_box
from docproc.scan.registration.homography import register
from tests.scan.pages import Shot, blank_form, fold, folded_place, handwrite, photo, project, scan, text_page

TEMPLATE = template_of(blank_form())
GRID = np.column_stack([axis.ravel() for axis in np.meshgrid(np.linspace(18, 192, 12), np.linspace(42, 258, 14))])


def shot_of(page: np.ndarray, kind: str) -> Shot:
    return scan(page, 200, angle=1) if kind == "scan" else photo(page, 200, tilt=15, shadow=0.5)


@pytest.mark.parametrize("kind", ["scan", "photo"])
@pytest.mark.parametrize("lift", [-3.0, 0.5, 1.0, 2.0, 4.0])
def test_folded_pages_are_laid_back_onto_the_form(kind: str, lift: float) -> None:
    shot = shot_of(fold(handwrite(blank_form(), 200, 3), 200, lift), kind)
    found = register(shot.image)
    assert found is not None
    flat = draw(view(shot.image, found.homography, A4_MM, 200))
    refined = refine(flat, TEMPLATE)
    truth = project(found.homography @ shot.page_to_image, folded_place(GRID, lift)) - GRID
    assert np.linalg.norm(truth, axis=1).max() > 0.4
    assert np.linalg.norm(sample(refined.shift_mm, GRID, A4_MM) - truth, axis=1).max() < 0.25
    assert refined.found > 0.8
    again = refine(slid(flat, refined, 200), TEMPLATE)
    assert again.max_shift_mm < 0.35


def test_flat_page_is_left_alone() -> None:
    shot = scan(handwrite(blank_form(), 200, 3), 200, angle=1)
    found = register(shot.image)
    assert found is not None
    flat = draw(view(shot.image, found.homography, A4_MM, 200))
    refined = refine(flat, TEMPLATE)
    assert refined.max_shift_mm < 0.12
    assert slid(flat, refined, 200) is flat


@pytest.mark.parametrize("marks", [(), (0, 1)])
def test_page_placed_roughly_is_laid_exactly(marks: tuple[int, ...]) -> None:
    shot = photo(handwrite(blank_form(200, marks), 200, 3), 200, tilt=20)
    found = register(shot.image)
    assert found is not None
    refined = refine(draw(view(shot.image, found.homography, A4_MM, 200)), TEMPLATE)
    truth = project(found.homography @ shot.page_to_image, GRID) - GRID
    assert np.linalg.norm(truth, axis=1).max() > 0.9
    assert np.linalg.norm(sample(refined.shift_mm, GRID, A4_MM) - truth, axis=1).max() < 0.3


def test_box_follows_the_fold() -> None:
    shot = scan(fold(blank_form(), 200, 3.0), 200)
    found = register(shot.image)
    assert found is not None
    refined = refine(draw(view(shot.image, found.homography, A4_MM, 200)), TEMPLATE)
    box = to_refined_image_box((50, 150, 110, 161), found.homography, A4_MM, refined)
    place = project(shot.page_to_image, folded_place(np.array([[80.0, 155.5]]), 3.0))[0] + 0.5
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    assert np.linalg.norm(middle - place) < 2.5


def test_another_page_is_not_bent_into_the_form() -> None:
    for page in (text_page(), np.full_like(blank_form(), 255)):
        padded = np.full_like(blank_form(), 255)
        padded[: page.shape[0], : page.shape[1]] = page[: padded.shape[0], : padded.shape[1]]
        refined = refine(padded, TEMPLATE)
        assert refined.found < 0.1
        assert refined.max_shift_mm == 0
        assert slid(padded, refined, 200) is padded
