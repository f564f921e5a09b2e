"""Find where a page that we know lies in a photograph, by what is printed on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from docproc.scan.geometry import Image, Matrix, apply, corners_of, grey, shrink

_PHOTO_PX, _PAGE_PX = 1800, 1400
"""Longer sides at which features are looked for."""
_FEATURES = 6000
_RATIO = 0.82
"""A feature counts when its best match is so much closer than the next (Lowe 2004)."""
_REACH_PX = 4.0
INLIERS = 30
"""Features that must agree; two unrelated pages agreed in at most 12 in tests."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A page found in a photograph."""

    homography: Matrix
    """3 x 3, pixels of the photograph to pixels of the page."""
    inliers: int


def match_page(photo: Image, page: Image) -> Match | None:
    """Find a page in a photograph taken from any side.

    Args:
        photo: BGR or grey.
        page: BGR or grey, as it was issued.

    Returns:
        ``None`` when too little of the page is seen.
    """
    small, scale = shrink(grey(photo), _PHOTO_PX)
    known, known_scale = shrink(grey(page), _PAGE_PX)
    sift = cv2.SIFT.create(nfeatures=_FEATURES)
    spots, features = sift.detectAndCompute(small, None)
    known_spots, known_features = sift.detectAndCompute(known, None)
    if features is None or known_features is None or len(known_spots) < 2:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(features, known_features, k=2)
    good = [first for first, second in pairs if first.distance < _RATIO * second.distance]
    if len(good) < INLIERS:
        return None
    source = np.array([spots[item.queryIdx].pt for item in good], np.float64)
    target = np.array([known_spots[item.trainIdx].pt for item in good], np.float64)
    cv2.setRNGSeed(1)
    found, mask = cv2.findHomography(source, target, cv2.USAC_MAGSAC, _REACH_PX, maxIters=5000, confidence=0.999)
    inliers = 0 if found is None else int(mask.sum())
    if found is None or inliers < INLIERS:
        return None
    up = np.diag([scale, scale, 1.0])
    down = np.diag([1 / known_scale, 1 / known_scale, 1.0])
    homography = np.asarray(down @ found @ up, np.float64)
    return Match(homography, inliers) if _plausible(homography, page) else None


def _plausible(homography: Matrix, page: Image) -> bool:
    """Whether a flat sheet can be seen so: not mirrored, not folded over."""
    corners = apply(np.linalg.inv(homography), corners_of(page.shape[1], page.shape[0]))
    edges = np.roll(corners, -1, axis=0) - corners
    turns = edges[:, 0] * np.roll(edges, -1, axis=0)[:, 1] - edges[:, 1] * np.roll(edges, -1, axis=0)[:, 0]
    return bool(np.isfinite(corners).all() and (turns > 0).all())
