from __future__ import annotations

import cv2
import numpy as np
import pytest

from docproc.scan.image.find_sheet import find_sheet
from docproc.scan.image.geometry import transform_points
from docproc.scan.image.ink import normalise_illumination, red_mask, remove_red
from docproc.scan.image.skew import estimate_skew
from docproc.scan.registration.clean import CleanPage, box_to_original, clean_page
from tests.scan.pages import A4_MM, blank_form, fold, photo, processor_seconds, project, scan, seal_on, text_page

CORNERS_MM = np.array([[0, 0], [A4_MM[0], 0], A4_MM, [0, A4_MM[1]]])


def turned_page(degrees: int) -> np.ndarray:
    """The text page with its content turned clockwise by quarter turns."""
    return np.ascontiguousarray(np.rot90(text_page(100, 10), k=-degrees // 90))


def by_first_line(image: np.ndarray) -> tuple[int, float]:
    """A small real judge for pages whose text fills the top and left: where is the ink?"""
    ink = 255 - cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float64)
    ink[ink < 60] = 0
    rows, columns = np.arange(ink.shape[0]), np.arange(ink.shape[1])
    down = (ink.sum(axis=1) @ rows) / ink.sum() / ink.shape[0] - 0.5
    right = (ink.sum(axis=0) @ columns) / ink.sum() / ink.shape[1] - 0.5
    if ink.shape[0] >= ink.shape[1]:
        return (0 if down < 0 else 180), 0.99
    return (90 if right > 0 else 270), 0.99


@pytest.mark.parametrize("angle", [-14.0, -7.3, -2.0, -0.6, 0.0, 0.4, 1.1, 3.0, 6.0, 12.0, 18.0])
@pytest.mark.parametrize("lines", [5, 26])
def test_skew_is_measured_within_a_fifth_of_a_degree(angle: float, lines: int) -> None:
    page = scan(text_page(150, lines), 150, angle=angle).image
    assert estimate_skew(page) == pytest.approx(angle, abs=0.2)
    assert estimate_skew(np.rot90(page)) == pytest.approx(angle, abs=0.2)


def test_page_without_lines_has_no_skew() -> None:
    assert estimate_skew(scan(np.full((1754, 1240, 3), 250, np.uint8), 150, angle=7).image) == 0


@pytest.mark.parametrize("angle", [-9.0, 1.5, 7.0])
def test_cleaned_scan_is_straight(angle: float) -> None:
    page = clean_page(scan(text_page(), 200, angle=angle).image)
    assert not page.found_sheet
    assert page.skew_deg == pytest.approx(angle, abs=0.2)
    assert abs(estimate_skew(page.image)) < 0.2


@pytest.mark.parametrize("direction", [0.0, 130.0])
@pytest.mark.parametrize("tilt", [5.0, 25.0])
def test_sheet_on_a_desk_is_found_and_flattened(tilt: float, direction: float) -> None:
    shot = photo(text_page(), 200, tilt=tilt, direction=direction, roll=6)
    quad = find_sheet(shot.image)
    assert quad is not None
    truth = project(shot.page_to_image, CORNERS_MM)
    assert np.linalg.norm(quad - truth, axis=1).max() < 12
    page = clean_page(shot.image)
    assert page.found_sheet
    assert abs(estimate_skew(page.image)) < 0.4


def test_every_corner_of_the_sheet_survives() -> None:
    shot = photo(text_page(), 200, tilt=20, roll=8)
    page = clean_page(shot.image)
    places = transform_points(np.linalg.inv(page.to_original), project(shot.page_to_image, CORNERS_MM))
    assert (places >= -1).all()
    assert (places <= [page.image.shape[1], page.image.shape[0]]).all()


def test_half_of_a_folded_sheet_is_not_taken_for_the_sheet() -> None:
    page = fold(text_page(), 200, 1.0)
    page[page.shape[0] // 2 :] = (page[page.shape[0] // 2 :] * 0.88).astype(np.uint8)
    assert find_sheet(page) is None


def test_printed_frame_is_not_taken_for_the_sheet() -> None:
    page = text_page()
    cv2.rectangle(page, (100, 100), (page.shape[1] - 100, page.shape[0] - 100), (90, 120, 140), 14)
    assert find_sheet(scan(page, 200).image) is None


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_content_is_turned_upright(degrees: int) -> None:
    page = clean_page(turned_page(degrees), by_first_line)
    assert page.rotated == degrees
    assert page.image.shape == text_page(100, 10).shape
    upright = cv2.cvtColor(text_page(100, 10), cv2.COLOR_BGR2GRAY)
    assert np.corrcoef(cv2.cvtColor(page.image, cv2.COLOR_BGR2GRAY).ravel(), upright.ravel())[0, 1] > 0.9


def test_unsure_orientation_changes_nothing() -> None:
    assert clean_page(turned_page(180), lambda _: (180, 0.3)).rotated == 0


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_places_lead_back_to_the_picture(degrees: int) -> None:
    picture = turned_page(degrees)
    page: CleanPage = clean_page(picture, by_first_line)
    dark = np.argwhere(cv2.cvtColor(page.image, cv2.COLOR_BGR2GRAY) < 60)
    low, high = dark.min(axis=0), dark.max(axis=0) + 1
    box = box_to_original(page, (low[1], low[0], high[1], high[0]))
    truth = np.argwhere(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) < 60)
    assert np.allclose(box, [*truth.min(axis=0)[::-1], *(truth.max(axis=0)[::-1] + 1)], atol=2.0)


def test_shadow_is_evened_out_and_text_kept() -> None:
    shaded = photo(text_page(), 200, tilt=0, roll=0, shadow=0.6, fill=0.98).image
    page = clean_page(shaded).image
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    paper = cv2.resize(cv2.dilate(grey, np.ones((41, 41))), (6, 8), interpolation=cv2.INTER_AREA)[1:-1, 1:-1]
    assert paper.min() > 215
    assert np.percentile(grey, 1) < 110


def test_dark_picture_stays_dark_where_there_is_no_paper() -> None:
    page = text_page(100)
    page[: page.shape[0] // 3] = 20
    lit = normalise_illumination(page)
    assert lit[: page.shape[0] // 4].mean() < 120


def test_red_seal_goes_and_black_text_under_it_stays() -> None:
    clear = normalise_illumination(text_page())
    centre, radius = (700, 900), 220
    sealed = normalise_illumination(
        scan(seal_on(text_page(), centre, radius), 200, noise=2).image[: clear.shape[0], : clear.shape[1]]
    )
    result = remove_red(sealed)
    window = np.s_[centre[1] - radius - 10 : centre[1] + radius + 10, centre[0] - radius - 10 : centre[0] + radius + 10]
    text = cv2.cvtColor(clear[window], cv2.COLOR_BGR2GRAY) < 90
    paper = cv2.cvtColor(clear[window], cv2.COLOR_BGR2GRAY) > 240
    after = cv2.cvtColor(result[window], cv2.COLOR_BGR2GRAY)
    before = cv2.cvtColor(sealed[window], cv2.COLOR_BGR2GRAY)
    assert np.percentile(before[paper], 5) < 140
    assert np.percentile(after[paper], 5) > 190
    assert np.percentile(after[text], 90) < 130
    assert red_mask(result)[window].mean() < 0.02 * red_mask(sealed)[window].mean()


def test_red_mask_covers_the_seal_and_nothing_else() -> None:
    centre, radius = (700, 900), 220
    sealed = scan(seal_on(np.full_like(text_page(), 250), centre, radius), 200, noise=2).image
    ink = cv2.cvtColor(sealed, cv2.COLOR_BGR2GRAY) < 170
    mask = red_mask(sealed) > 0
    assert (mask & ink).sum() > 0.95 * ink.sum()
    assert mask.sum() < 1.25 * ink.sum()
    assert red_mask(scan(text_page(), 200).image).mean() < 0.05


def test_gold_print_is_not_red_ink() -> None:
    page = np.full((400, 400, 3), 245, np.uint8)
    page[100:300, 100:300] = (60, 150, 190)
    assert red_mask(page).max() == 0


def test_page_without_red_is_unchanged_by_seal_removal() -> None:
    page = blank_form(100)
    assert np.array_equal(remove_red(page), page)


def test_cleaning_takes_little_processor_time() -> None:
    picture = scan(text_page(), 200, angle=2).image
    written = processor_seconds(lambda: cv2.imencode(".png", picture))
    assert processor_seconds(lambda: clean_page(picture)) < 3 * written, (
        "it costs about as much as writing it down as a PNG"
    )
