from __future__ import annotations

import numpy as np
import pytest

from docproc.marks import A4_MM
from docproc.scan.image.resample import page_view, resample_page
from docproc.scan.image.warp import sample_field
from docproc.scan.registration.align import align, apply_alignment, build_template, to_aligned_image_box
from docproc.scan.registration.homography import find_registration
from tests.scan.pages import Shot, blank_form, fold, folded_place, handwrite, photo, project, scan, text_page

TEMPLATE = build_template(blank_form())
GRID = np.column_stack([axis.ravel() for axis in np.meshgrid(np.linspace(18, 192, 12), np.linspace(42, 258, 14))])


def shot_of(page: np.ndarray, kind: str) -> Shot:
    return scan(page, 200, angle=1) if kind == "scan" else photo(page, 200, tilt=15, shadow=0.5)


@pytest.mark.parametrize("kind", ["scan", "photo"])
@pytest.mark.parametrize("lift", [-3.0, 0.5, 1.0, 2.0, 4.0])
def test_folded_pages_are_laid_back_onto_the_form(kind: str, lift: float) -> None:
    shot = shot_of(fold(handwrite(blank_form(), 200, 3), 200, lift), kind)
    found = find_registration(shot.image)
    assert found is not None
    flat = resample_page(page_view(shot.image, found.homography, A4_MM, 200))
    alignment = align(flat, TEMPLATE)
    truth = project(found.homography @ shot.page_to_image, folded_place(GRID, lift)) - GRID
    assert np.linalg.norm(truth, axis=1).max() > 0.4
    assert np.linalg.norm(sample_field(alignment.shift_mm, GRID, A4_MM) - truth, axis=1).max() < 0.25
    assert alignment.found > 0.8
    again = align(apply_alignment(flat, alignment, 200), TEMPLATE)
    assert again.max_shift_mm < 0.35


def test_flat_page_is_left_alone() -> None:
    shot = scan(handwrite(blank_form(), 200, 3), 200, angle=1)
    found = find_registration(shot.image)
    assert found is not None
    flat = resample_page(page_view(shot.image, found.homography, A4_MM, 200))
    alignment = align(flat, TEMPLATE)
    assert alignment.max_shift_mm < 0.12
    assert apply_alignment(flat, alignment, 200) is flat


@pytest.mark.parametrize("marks", [(), (0, 1)])
def test_page_placed_roughly_is_laid_exactly(marks: tuple[int, ...]) -> None:
    shot = photo(handwrite(blank_form(200, marks), 200, 3), 200, tilt=20)
    found = find_registration(shot.image)
    assert found is not None
    alignment = align(resample_page(page_view(shot.image, found.homography, A4_MM, 200)), TEMPLATE)
    truth = project(found.homography @ shot.page_to_image, GRID) - GRID
    assert np.linalg.norm(truth, axis=1).max() > 0.9
    assert np.linalg.norm(sample_field(alignment.shift_mm, GRID, A4_MM) - truth, axis=1).max() < 0.3


def test_box_follows_the_fold() -> None:
    shot = scan(fold(blank_form(), 200, 3.0), 200)
    found = find_registration(shot.image)
    assert found is not None
    alignment = align(resample_page(page_view(shot.image, found.homography, A4_MM, 200)), TEMPLATE)
    box = to_aligned_image_box((50, 150, 110, 161), found.homography, A4_MM, alignment)
    place = project(shot.page_to_image, folded_place(np.array([[80.0, 155.5]]), 3.0))[0] + 0.5
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    assert np.linalg.norm(middle - place) < 2.5


def test_another_page_is_not_bent_into_the_form() -> None:
    for page in (text_page(), np.full_like(blank_form(), 255)):
        padded = np.full_like(blank_form(), 255)
        padded[: page.shape[0], : page.shape[1]] = page[: padded.shape[0], : padded.shape[1]]
        alignment = align(padded, TEMPLATE)
        assert alignment.found < 0.1
        assert alignment.max_shift_mm == 0
        assert apply_alignment(padded, alignment, 200) is padded
