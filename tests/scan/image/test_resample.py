from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from docproc.marks import A4_MM
from docproc.scan.image.geometry import mm_to_px
from docproc.scan.image.resample import merge_windows, page_view, resample_page, resample_window
from tests.scan.pages import blank_form, photo, scan

DPI = 150.0


def test_a_page_is_drawn_as_opencv_warps_it() -> None:
    shot = photo(blank_form(), 200, tilt=25, roll=20)
    drawn = resample_page(page_view(shot.image, np.linalg.inv(shot.page_to_image), A4_MM, DPI))
    transform = mm_to_px(DPI) @ np.linalg.inv(shot.page_to_image)
    warped = cv2.warpPerspective(shot.image, transform, drawn.shape[1::-1], borderValue=(255, 255, 255))
    assert float(np.abs(drawn.astype(int) - warped.astype(int)).mean()) < 0.3


def test_a_window_is_a_part_of_the_page() -> None:
    page = page_view(*_scanned(), A4_MM, DPI)
    x0, y0, x1, y1 = 333, 401, 777, 502
    part, whole = resample_window(page, (x0, y0, x1, y1)), resample_page(page)[y0:y1, x0:x1]
    assert np.abs(part.astype(int) - whole.astype(int)).max() <= 8  # places are rounded to 1/32 px
    assert float(np.abs(part.astype(int) - whole.astype(int)).mean()) < 0.3


def test_content_is_fetched_from_where_the_field_says_it_lies() -> None:
    shift = np.zeros((3, 3, 2), np.float32)
    shift[...] = (2.0, -1.0)
    image, homography = _scanned()
    plain = resample_page(page_view(image, homography, A4_MM, DPI))
    moved = resample_page(page_view(image, homography, A4_MM, DPI, shift))
    across, down = 2.0 * DPI / 25.4, -1.0 * DPI / 25.4
    found, _ = cv2.phaseCorrelate(
        *(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY).astype(np.float64) for page in (moved, plain))
    )
    assert np.hypot(found[0] - across, found[1] - down) < 0.2


def test_what_the_picture_does_not_show_is_white() -> None:
    image, homography = _scanned()
    half = resample_page(page_view(image[: image.shape[0] // 2], homography, A4_MM, DPI))
    assert half[-400:].min() == 255


boxes = st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 30)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(st.lists(boxes, max_size=12))
def test_joined_windows_cover_all_and_none_twice(windows: list[tuple[int, int, int, int]]) -> None:
    wanted, covered = np.zeros((100, 100), int), np.zeros((100, 100), int)
    for x0, y0, x1, y1 in windows:
        wanted[y0:y1, x0:x1] = 1
    for x0, y0, x1, y1 in merge_windows(windows):
        covered[y0:y1, x0:x1] += 1
    assert covered.max(initial=0) <= 1
    assert (covered >= wanted).all()


def _scanned() -> tuple[np.ndarray, np.ndarray]:
    shot = scan(blank_form(), 200, angle=1.5)
    return shot.image, np.linalg.inv(shot.page_to_image)
