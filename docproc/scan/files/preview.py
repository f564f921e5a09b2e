"""Reduced images of a page for the screen, as WebP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from docproc.domain import Quality
from docproc.errors import InputError
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.split_limited import split_shared
from docproc.scan.image.geometry import Image

VIEW_PX, THUMB_PX = 1400, 260
"""Longer side of a page readable on the screen, and of a thumbnail."""
VIEW_QUALITY, THUMB_QUALITY = 55, 50


@dataclass(frozen=True, slots=True)
class Preview:
    """One page for the screen."""

    index: int
    """0-based within the file."""
    width: int
    """Pixels of the original page, the coordinates of field boxes."""
    height: int
    view: bytes
    """WebP, longer side at most :data:`VIEW_PX`."""
    thumb: bytes
    """WebP, longer side at most :data:`THUMB_PX`."""
    quality: Quality
    """At first sight."""


def previews(data: bytes, look: Callable[[Image], Quality], limits: UploadLimits | None = None) -> Iterator[Preview]:
    """Render previews of every page of an uploaded file, one after the other.

    Args:
        data: the file.
        look: says what a page's quality is at first sight.
        limits: of the upload.

    Raises:
        UnsupportedFileError: unsupported kind of file, or damaged.
        LimitError: over a limit.
    """
    for page in split_shared(data, limits):
        height, width = page.image.shape[:2]
        with ThreadPoolExecutor(1) as beside:  # both leave Python's lock to others most of the time
            quality = beside.submit(look, page.image)
            view = _reduced(page.image, VIEW_PX)
            drawn = _webp(view, VIEW_QUALITY), _webp(_reduced(view, THUMB_PX), THUMB_QUALITY)
        yield Preview(page.index, width, height, *drawn, quality.result())


def _reduced(image: Image, longest: int) -> Image:
    scale = min(1.0, longest / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cast(Image, cv2.resize(image, size, interpolation=cv2.INTER_AREA)) if scale < 1 else image


def _webp(image: Image, quality: int) -> bytes:
    good, coded = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not good:
        raise InputError("page cannot be shown as WebP")
    return np.asarray(coded, np.uint8).tobytes()
