"""Draw parts of a page straight from the picture: resampled once, and only where somebody will look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.scan.image.geometry import MM_PER_INCH, WHITE, Image, Matrix, apply, halve, mm_to_px, shrink
from docproc.scan.image.warp import Field, sample

Window = tuple[int, int, int, int]
"""Left, top, right and bottom (exclusive) in pixels of the page that is drawn."""

_STEP = 16
"""Places are computed at every so many pixels and are straight between: seen at 45 degrees that is off by 0.02 px."""
_COARSE = 1.5
"""A picture with so many pixels for one of the page's is averaged down first."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A flat page, as it can be drawn from a picture."""

    image: Image
    """The picture, BGR or grey, averaged down where it is much finer than the page to be drawn."""
    to_image: Matrix
    """3 x 3, page millimetres to pixels of ``image``."""
    page_mm: tuple[float, float]
    shift_mm: Field | None
    """How far content lies from its place, see :class:`docproc.scan.registration.align.Refined`."""
    dpi: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole page, pixels."""
        return round(self.page_mm[0] * self.dpi / MM_PER_INCH), round(self.page_mm[1] * self.dpi / MM_PER_INCH)


def view(
    image: Image, homography: Matrix, page_mm: tuple[float, float], dpi: float, shift_mm: Field | None = None
) -> View:
    """Prepare to draw a page; arguments as in :class:`View`, the homography from picture pixels to page millimetres."""
    to_image = np.linalg.inv(homography)
    middle = np.array([page_mm]) / 2
    step = np.array([MM_PER_INCH / dpi, 0.0])
    ratio = float(np.linalg.norm(apply(to_image, middle + step) - apply(to_image, middle)))
    while ratio >= 2.0:
        image, ratio = halve(image), ratio / 2
        to_image = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]]) @ to_image
    if ratio > _COARSE:
        image, scale = shrink(image, round(max(image.shape[:2]) / ratio))
        offset = 0.5 * (scale - 1)
        to_image = np.array([[scale, 0, offset], [0, scale, offset], [0, 0, 1]]) @ to_image
    return View(image, to_image, page_mm, shift_mm if shift_mm is not None and shift_mm.any() else None, dpi)


def draw(page: View) -> Image:
    """The whole page; white where the picture does not reach."""
    return draw_window(page, (0, 0, *page.size))


def draw_window(page: View, window: Window) -> Image:
    """One window of the page."""
    x0, y0, x1, y1 = window
    across, down = _nodes(x0, x1), _nodes(y0, y1)
    nodes = np.column_stack([axis.ravel() for axis in np.meshgrid(across, down)])
    places_mm = apply(np.linalg.inv(mm_to_px(page.dpi)), nodes)
    if page.shift_mm is not None:
        places_mm = places_mm + sample(page.shift_mm, places_mm, page.page_mm)
    places = apply(page.to_image, places_mm).reshape(len(down), len(across), 2).astype(np.float32)
    columns, rows = (_between(places[..., axis], x1 - x0, y1 - y0) for axis in (0, 1))
    drawn = cv2.remap(page.image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=WHITE)
    return np.asarray(drawn, np.uint8)


def _nodes(first: int, end: int) -> Matrix:
    """Pixels at which places are computed: one step before the window, and on until past its end."""
    count = -(-(end - first) // _STEP) + 2
    return np.asarray(first + (np.arange(count) - 0.5) * _STEP - 0.5, np.float64)


def _between(nodes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """A value for every pixel of a window from those at its nodes."""
    rows, columns = nodes.shape
    full = cv2.resize(nodes, (columns * _STEP, rows * _STEP), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full[_STEP : _STEP + height, _STEP : _STEP + width], np.float32)


def merge(windows: Sequence[Window]) -> list[Window]:
    """Join windows that overlap, until none do."""
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
