"""Find where a page that we know lies in a photograph, by what is printed on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from docproc.scan.image.geometry import Image, Matrix, apply, corners_of, grey, shrink

_PHOTO_PX, _PAGE_PX = 1800, 1400
"""Longer sides at which features are looked for."""
_FEATURES = 6000
_RATIO = 0.82
"""A feature counts when its best match is so much closer than the next (Lowe 2004)."""
_REACH_PX = 4.0
_QUICK, _LIKE = 3000, 8
"""Features that a quick look compares, and how many must agree for it to say anything."""
INLIERS = 30
"""Features that must agree; two unrelated pages agreed in at most 12 in tests."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A page found in a photograph."""

    homography: Matrix
    """3 x 3, pixels of the photograph to pixels of the page."""
    inliers: int


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What can be recognised again in a picture, the most distinct first."""

    spots: Matrix
    """N x 2, pixels of the reduced picture."""
    marks: Matrix
    """N x 128, SIFT (Lowe 2004)."""
    scale: float
    """Pixels of the reduced picture for each pixel of the whole one."""
    shape: tuple[int, int]
    """Height and width of the whole picture."""


def photo_features(photo: Image) -> Features:
    """Features of a photograph, BGR or grey."""
    return _features(photo, _PHOTO_PX)


def page_features(page: Image) -> Features:
    """Features of a page as it was issued, BGR or grey."""
    return _features(page, _PAGE_PX)


def likeness(photo: Features, page: Features) -> int:
    """How many of the most distinct features of a photograph agree on where a page lies in it; quick."""
    found = _fit(_strongest(photo), _strongest(page), _LIKE)
    return 0 if found is None else found[1]


def match_page(photo: Features, page: Features) -> Match | None:
    """Find a page in a photograph taken from any side; ``None`` when too little of the page is seen."""
    fitted = _fit(photo, page, INLIERS)
    if fitted is None:
        return None
    found, inliers = fitted
    up = np.diag([photo.scale, photo.scale, 1.0])
    down = np.diag([1 / page.scale, 1 / page.scale, 1.0])
    homography = np.asarray(down @ found @ up, np.float64)
    return Match(homography, inliers) if _plausible(homography, page.shape) else None


def _features(image: Image, longest: int) -> Features:
    small, scale = shrink(grey(image), longest)
    spots, marks = cv2.SIFT.create(nfeatures=_FEATURES).detectAndCompute(small, None)
    order = sorted(range(len(spots)), key=lambda index: -spots[index].response)
    where = np.array([spots[index].pt for index in order], np.float64).reshape(-1, 2)
    kept = marks[order] if marks is not None else np.zeros((0, 128), np.float32)
    return Features(where, kept, scale, (int(image.shape[0]), int(image.shape[1])))


def _strongest(features: Features) -> Features:
    return replace(features, spots=features.spots[:_QUICK], marks=features.marks[:_QUICK])


def _fit(photo: Features, page: Features, least: int) -> tuple[Matrix, int] | None:
    """The homography between reduced pictures, and how many features agree on it."""
    if len(photo.spots) < 2 or len(page.spots) < 2:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(photo.marks, page.marks, k=2)
    good = [first for first, second in pairs if first.distance < _RATIO * second.distance]
    if len(good) < least:
        return None
    source, target = photo.spots[[item.queryIdx for item in good]], page.spots[[item.trainIdx for item in good]]
    cv2.setRNGSeed(1)
    found, mask = cv2.findHomography(source, target, cv2.USAC_MAGSAC, _REACH_PX, maxIters=5000, confidence=0.999)
    inliers = 0 if found is None else int(mask.sum())
    return None if found is None or inliers < least else (np.asarray(found, np.float64), inliers)


def _plausible(homography: Matrix, shape: tuple[int, int]) -> bool:
    """Whether a flat sheet can be seen so: not mirrored, not folded over."""
    try:
        corners = apply(np.linalg.inv(homography), corners_of(shape[1], shape[0]))
    except np.linalg.LinAlgError:
        return False
    edges = np.roll(corners, -1, axis=0) - corners
    turns = edges[:, 0] * np.roll(edges, -1, axis=0)[:, 1] - edges[:, 1] * np.roll(edges, -1, axis=0)[:, 0]
    return bool(np.isfinite(corners).all() and (turns > 0).all())
