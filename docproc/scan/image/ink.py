"""Normalise the illumination of a page, and separate red seal ink from black ink."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from docproc.scan.image.geometry import Image, shrink

_BACKGROUND_PX = 320
"""Longest side of the reduced image in which the background is estimated."""
_STROKE_SHARE = 0.045
"""Size, as a share of the page's longer side, up to which dark areas are content and not shadow."""
_DARKEST_PAPER = 0.30
"""Lower bound of the background, as a share of its brightest part: keeps dark images dark."""
_PAPER = 245.0
"""Grey level of paper after normalisation; a little below white, so that bright detail is not clipped."""
_RED_FROM, _RED_FULL = 16.0, 40.0
"""Redness, see :func:`redness`, at which ink begins to count as red, and fully counts."""
_MASK_AT = 32
"""Minimum redness of a pixel in the mask."""


def normalise_illumination(image: Image) -> Image:
    """Divide a BGR page by its background: this removes shadows and colour casts and keeps ink.

    Returns:
        Image of the same size whose paper is near grey level 245 in every channel.
    """
    full = cv2.resize(estimate_background(image), (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(image, full, scale=_PAPER), np.uint8)


def estimate_background(image: Image) -> Image:
    """Estimate the background of a BGR page, its paper without ink; reduced to a longer side of at most 320 px."""
    reduced, _ = shrink(image, _BACKGROUND_PX)
    size = max(3, round(_STROKE_SHARE * max(reduced.shape[:2]))) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (size, size))
    paper = cv2.morphologyEx(cv2.medianBlur(reduced, 3), cv2.MORPH_CLOSE, kernel)
    paper = cv2.GaussianBlur(paper, (0, 0), size / 2.5)
    floor = _DARKEST_PAPER * float(np.percentile(paper.max(axis=2), 95))
    return np.asarray(np.maximum(paper, np.uint8(max(1.0, floor))), np.uint8)


def normalise_illumination_in(part: Image, left: int, top: int, paper: Image, size: tuple[int, int]) -> Image:
    """As :func:`normalise_illumination`, for a part of a page.

    Args:
        part: H x W x 3.
        left: x of the part on the page, px.
        top: y of the part on the page, px.
        paper: background of the whole page, see :func:`estimate_background`.
        size: width and height of the whole page, px.
    """
    across, down = paper.shape[1] / size[0], paper.shape[0] / size[1]
    to_paper = np.array([[across, 0, (left + 0.5) * across - 0.5], [0, down, (top + 0.5) * down - 0.5]], np.float64)
    full = cv2.warpAffine(
        paper,
        to_paper,
        (part.shape[1], part.shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.divide(part, full, scale=_PAPER), np.uint8)


def redness(image: Image) -> Image:
    """Return by how much red exceeds the other channels of each pixel of a BGR image, 0..255.

    Gold print is red and green, so half the difference of green and blue is subtracted.
    """
    blue, green, red = cv2.split(image)
    surplus = cv2.subtract(red, cv2.max(green, blue))
    return np.asarray(cv2.addWeighted(surplus, 1.0, cv2.absdiff(green, blue), -0.5, 0), np.uint8)


def red_mask(image: Image) -> Image:
    """Return the mask (255 or 0) of red seal ink on a BGR page with normalised illumination."""
    _, mask = cv2.threshold(redness(image), _MASK_AT, 255, cv2.THRESH_BINARY)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.uint8)


def remove_red(image: Image) -> Image:
    """Remove red ink from a BGR page with normalised illumination; black text under it stays.

    Red ink reflects red light almost like paper, black ink does not: under red ink the red channel shows the page
    without the seal. It is stretched between the levels of black text and of the ink, since real ink is never pure.
    """
    return remove_red_in([image])[0]


def remove_red_in(parts: Sequence[Image]) -> list[Image]:
    """As :func:`remove_red`, for parts of one page with the same red ink."""
    amounts = [redness(part) for part in parts]
    sure = np.concatenate([part[..., 2][amount > _RED_FULL] for part, amount in zip(parts, amounts, strict=True)])
    if not sure.size:
        return list(parts)
    ink = float(np.percentile(sure, 30))
    return [_without_red(part, amount, ink) for part, amount in zip(parts, amounts, strict=True)]


def _without_red(image: Image, red_amount: Image, ink: float) -> Image:
    red = np.ascontiguousarray(image[..., 2])
    levels = np.arange(256, dtype=np.float32)
    low, high = 0.40 * ink, 0.86 * ink
    stretch = np.clip((levels - low) / (high - low), 0, 1) * (_PAPER - low) + low
    clear = cv2.LUT(red, np.clip(np.maximum(stretch, levels), 0, 255).astype(np.uint8))
    share = np.clip((levels - _RED_FROM) / (_RED_FULL - _RED_FROM), 0, 1) * 255
    alpha = cv2.LUT(red_amount, share.astype(np.uint8))
    alpha = cv2.dilate(alpha, np.ones((3, 3), np.uint8))
    return _blend(image, clear, alpha)


def _blend(image: Image, clear: Image, alpha: Image) -> Image:
    """Mix ``clear`` into every channel by ``alpha``, never darker than before."""
    channels = []
    for channel in cv2.split(image):
        lift = cv2.multiply(cv2.subtract(clear, channel), alpha, scale=1 / 255)
        channels.append(cv2.add(channel, lift))
    return np.asarray(cv2.merge(channels), np.uint8)
