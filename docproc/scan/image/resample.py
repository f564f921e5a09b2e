"""Resample parts of a page directly from the original image: each once, and only the parts that are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.scan.image.geometry import MM_PER_INCH, WHITE, Image, Matrix, halve, mm_to_px, shrink, transform_points
from docproc.scan.image.warp import DisplacementField, sample_field

Window = tuple[int, int, int, int]
"""Left, top, right and bottom (exclusive) in pixels of the resampled page."""

_STEP = 16
"""Spacing in px of the exactly computed coordinates; linear interpolation between is off by 0.02 px at 45 degrees."""
_COARSE = 1.5
"""Image pixels per page pixel from which the image is averaged down first."""


@dataclass(frozen=True, slots=True, eq=False)
class PageView:
    """A page that can be resampled from an image."""

    image: Image
    """BGR or grey, averaged down where its resolution is much higher than ``dpi``."""
    to_image: Matrix
    """3 x 3, page millimetres to pixels of ``image``."""
    page_mm: tuple[float, float]
    shift_mm: DisplacementField | None
    """Displacement of the content, see :class:`docproc.scan.registration.align.Alignment`."""
    dpi: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole page, pixels."""
        return round(self.page_mm[0] * self.dpi / MM_PER_INCH), round(self.page_mm[1] * self.dpi / MM_PER_INCH)


def page_view(
    image: Image,
    homography: Matrix,
    page_mm: tuple[float, float],
    dpi: float,
    shift_mm: DisplacementField | None = None,
) -> PageView:
    """Prepare to resample a page.

    Args:
        image: BGR or grey.
        homography: from image pixels to page millimetres.
        page_mm: width and height of the page.
        dpi: resolution of the result.
        shift_mm: see :class:`PageView`.
    """
    to_image = np.linalg.inv(homography)
    middle = np.array([page_mm]) / 2
    step = np.array([MM_PER_INCH / dpi, 0.0])
    ratio = float(np.linalg.norm(transform_points(to_image, middle + step) - transform_points(to_image, middle)))
    while ratio >= 2.0:
        image, ratio = halve(image), ratio / 2
        to_image = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]]) @ to_image
    if ratio > _COARSE:
        image, scale = shrink(image, round(max(image.shape[:2]) / ratio))
        offset = 0.5 * (scale - 1)
        to_image = np.array([[scale, 0, offset], [0, scale, offset], [0, 0, 1]]) @ to_image
    return PageView(image, to_image, page_mm, shift_mm if shift_mm is not None and shift_mm.any() else None, dpi)


def resample_page(page: PageView) -> Image:
    """Resample the whole page; white beyond the image."""
    return resample_window(page, (0, 0, *page.size))


def resample_window(page: PageView, window: Window) -> Image:
    """Resample one window of the page."""
    x0, y0, x1, y1 = window
    across, down = _nodes(x0, x1), _nodes(y0, y1)
    nodes = np.column_stack([axis.ravel() for axis in np.meshgrid(across, down)])
    places_mm = transform_points(np.linalg.inv(mm_to_px(page.dpi)), nodes)
    if page.shift_mm is not None:
        places_mm = places_mm + sample_field(page.shift_mm, places_mm, page.page_mm)
    places = transform_points(page.to_image, places_mm).reshape(len(down), len(across), 2).astype(np.float32)
    columns, rows = (_between(places[..., axis], x1 - x0, y1 - y0) for axis in (0, 1))
    drawn = cv2.remap(page.image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=WHITE)
    return np.asarray(drawn, np.uint8)


def _nodes(first: int, end: int) -> Matrix:
    """Pixels at which coordinates are computed exactly: from one step before the window to past its end."""
    count = -(-(end - first) // _STEP) + 2
    return np.asarray(first + (np.arange(count) - 0.5) * _STEP - 0.5, np.float64)


def _between(nodes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Interpolate a value for every pixel of a window from those at the nodes."""
    rows, columns = nodes.shape
    full = cv2.resize(nodes, (columns * _STEP, rows * _STEP), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full[_STEP : _STEP + height, _STEP : _STEP + width], np.float32)


def merge_windows(windows: Sequence[Window]) -> list[Window]:
    """Merge overlapping windows until none overlap."""
    joined: list[Window] = []
    for window in windows:
        while near := [other for other in joined if _overlap(other, window)]:
            joined = [other for other in joined if other not in near]
            window = _around([window, *near])
        joined.append(window)
    return joined


def _overlap(one: Window, other: Window) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _around(windows: Sequence[Window]) -> Window:
    x0, y0, x1, y1 = zip(*windows, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
