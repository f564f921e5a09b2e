"""Reduced images of a page for the screen, as WebP."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from docproc.errors import InputError
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.split_limited import split_limited
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


def previews(data: bytes, limits: UploadLimits | None = None) -> tuple[Preview, ...]:
    """Render previews of every page of an uploaded file.

    Raises:
        UnsupportedFileError: unsupported kind of file, or damaged.
        LimitError: over a limit.
    """
    return tuple(
        Preview(
            page.index,
            page.image.shape[1],
            page.image.shape[0],
            _webp(page.image, VIEW_PX, VIEW_QUALITY),
            _webp(page.image, THUMB_PX, THUMB_QUALITY),
        )
        for page in split_limited(data, limits)
    )


def _webp(image: Image, longest: int, quality: int) -> bytes:
    scale = min(1.0, longest / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    good, coded = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not good:
        raise InputError("page cannot be shown as WebP")
    return np.asarray(coded, np.uint8).tobytes()
