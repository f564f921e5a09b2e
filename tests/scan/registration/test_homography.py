from __future__ import annotations

import cv2
import numpy as np
import pytest

from docproc.marks import A4_MM
from docproc.scan.image.geometry import to_image_box
from docproc.scan.image.resample import page_view, resample_page
from docproc.scan.registration.homography import find_registration
from docproc.scan.registration.markers import read_code
from tests.scan.pages import CODE, Shot, blank_form, handwrite, photo, processor_seconds, project, scan, text_page

CELL_MM = 0.3
"""A cell's margin: what registration may be off."""


def worst_mm(shot: Shot) -> float:
    found = find_registration(shot.image)
    assert found is not None
    return float(shot.error_mm(found.homography).max())


@pytest.mark.parametrize("dpi", [150, 200, 300])
@pytest.mark.parametrize("angle", [0.0, 1.3, 33.0, 90.0, 180.0, 271.0])
def test_filled_scans_are_placed_to_a_tenth_of_a_millimetre(dpi: int, angle: float) -> None:
    shot = scan(handwrite(blank_form(dpi), dpi, 1), dpi, angle=angle)
    found = find_registration(shot.image)
    assert found is not None
    assert found.code == CODE
    assert found.marks_found == (0, 1, 2, 3)
    assert found.how == "marks"
    assert shot.error_mm(found.homography).max() < 0.1


@pytest.mark.parametrize("tilt", [0.0, 15.0, 25.0])
@pytest.mark.parametrize("direction", [0.0, 100.0, 220.0])
def test_photographs_up_to_25_degrees_are_placed(tilt: float, direction: float) -> None:
    assert worst_mm(photo(blank_form(), 200, tilt=tilt, direction=direction, roll=4)) < 0.1


@pytest.mark.parametrize("roll", [45.0, 133.0, 180.0, 260.0])
def test_photographs_in_any_orientation_are_placed(roll: float) -> None:
    assert worst_mm(photo(blank_form(), 200, roll=roll)) < 0.1


def test_large_photograph_is_refined_at_full_size() -> None:
    assert worst_mm(photo(blank_form(300), 300, longest=4000)) < 0.05


def test_small_tilted_photograph_is_placed() -> None:
    assert worst_mm(photo(blank_form(), 200, longest=1100, fill=0.8, tilt=25)) < CELL_MM


def test_strong_shadow_does_not_matter() -> None:
    assert worst_mm(photo(blank_form(), 200, shadow=0.85)) < 0.1


def test_photocopy_in_black_and_white_is_placed() -> None:
    shot = scan(blank_form(), 200, angle=1, blur=1.5, noise=20)
    grey = cv2.cvtColor(shot.image, cv2.COLOR_BGR2GRAY)
    copied = cv2.cvtColor(cv2.threshold(grey, 150, 255, cv2.THRESH_BINARY)[1], cv2.COLOR_GRAY2BGR)
    assert worst_mm(Shot(copied, shot.page_to_image)) < 0.1


def test_blurred_low_resolution_scan_is_placed() -> None:
    assert worst_mm(scan(blank_form(150), 150, angle=2, blur=1.8)) < 0.1


def test_grainy_scan_is_placed() -> None:
    assert worst_mm(scan(blank_form(), 200, angle=1, noise=25)) < 0.1


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_one_missing_mark_leaves_cells_in_place(missing: int) -> None:
    marks = tuple(mark for mark in range(4) if mark != missing)
    for shot in (scan(blank_form(150, marks), 150, angle=1.5), photo(blank_form(200, marks), 200, tilt=25)):
        found = find_registration(shot.image)
        assert found is not None
        assert found.how == "marks+qr"
        assert found.marks_found == marks
        assert shot.error_mm(found.homography).max() < CELL_MM


@pytest.mark.parametrize("marks", [(0, 1), (0, 2), (2, 3), (0, 3)])
def test_two_marks_suffice_on_a_scanner(marks: tuple[int, ...]) -> None:
    assert worst_mm(scan(blank_form(200, marks), 200, angle=1.5)) < 0.1


def test_two_marks_on_a_photograph_say_how_far_they_may_drift() -> None:
    shot = photo(blank_form(200, (0, 1)), 200, tilt=20)
    found = find_registration(shot.image)
    assert found is not None
    worst = shot.error_mm(found.homography).max()
    assert worst > CELL_MM
    assert found.drift_mm > worst / 3


@pytest.mark.parametrize("marks", [(), (1,), (3,)])
def test_without_marks_the_outline_and_the_code_place_the_page_roughly(marks: tuple[int, ...]) -> None:
    for shot in (scan(blank_form(200, marks), 200, angle=1.5), photo(blank_form(200, marks), 200)):
        found = find_registration(shot.image)
        assert found is not None
        assert found.how == "edges"
        assert shot.error_mm(found.homography).max() < 2.0


def test_look_alike_mark_in_the_page_is_not_believed() -> None:
    page = blank_form()
    page[1000:1071, 500:571] = page[63:134, 63:134]
    assert worst_mm(scan(page, 200, angle=2)) < 0.1


def test_pages_of_other_kinds_are_not_registered() -> None:
    assert find_registration(scan(text_page(), 200).image) is None
    assert find_registration(np.full((1200, 900, 3), 255, np.uint8)) is None
    assert find_registration(np.random.default_rng(3).integers(0, 255, (1200, 900, 3), np.uint8)) is None


def test_mirrored_form_is_not_registered() -> None:
    assert find_registration(np.ascontiguousarray(photo(blank_form(), 200).image[:, ::-1])) is None


@pytest.mark.parametrize("angle", [0.0, 90.0, 200.0])
def test_code_is_read_in_any_direction(angle: float) -> None:
    assert read_code(scan(blank_form(), 200, angle=angle).image) == CODE
    assert read_code(scan(blank_form(qr=False), 200, angle=angle).image) is None


def test_warped_page_lies_on_the_drawn_form() -> None:
    shot = photo(blank_form(), 200, tilt=20)
    found = find_registration(shot.image)
    assert found is not None
    flat = resample_page(page_view(shot.image, found.homography, A4_MM, 200))
    drawn = blank_form()
    assert flat.shape == (2339, 1654, 3)
    shift, _ = cv2.phaseCorrelate(
        *(cv2.cvtColor(page[:2339, :1654], cv2.COLOR_BGR2GRAY).astype(np.float64) for page in (drawn, flat))
    )
    assert np.hypot(*shift) < 0.3


def test_large_photograph_is_averaged_down_not_point_sampled() -> None:
    fine = np.full((4000, 3000, 3), 255, np.uint8)
    fine[:, ::2] = 0
    flat = resample_page(page_view(fine, np.diag([210 / 3000, 297 / 4000, 1.0]), A4_MM, 100))
    assert abs(float(flat[200:-200, 200:-200].mean()) - 127.5) < 4
    assert float(flat[200:-200, 200:-200].std()) < 20


def test_box_comes_back_in_pixels_of_the_picture() -> None:
    shot = scan(blank_form(), 200, angle=90)
    found = find_registration(shot.image)
    assert found is not None
    box = to_image_box((50, 40, 110, 51), found.homography)
    corners = project(shot.page_to_image, np.array([[50, 40], [110, 51]])) + 0.5
    assert np.allclose(box, [*corners.min(axis=0), *corners.max(axis=0)], atol=1.0)


def test_straightening_a_scan_takes_little_processor_time() -> None:
    shot = scan(handwrite(blank_form(), 200, 1), 200, angle=1)

    def straighten() -> None:
        found = find_registration(shot.image)
        assert found is not None
        resample_page(page_view(shot.image, found.homography, A4_MM, 200))

    written = processor_seconds(lambda: cv2.imencode(".png", shot.image))
    assert processor_seconds(straighten) < 1.5 * written, "it costs about half of writing the picture down as a PNG"
