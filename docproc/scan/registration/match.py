"""Feature matching: locate a known page in a photograph by its print (SIFT, Lowe 2004)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.scan.image.geometry import Image, Matrix, corners_of, grey, shrink, transform_points

_PHOTO_PX, _PAGE_PX = 1400, 1100
"""Longer sides at which features are detected."""
_FEATURES = 6000
_RATIO = 0.82
"""Maximum ratio of the distances of best and second match (Lowe 2004)."""
_ROWS = 1000
"""Descriptors that are compared with all others at once: 24 MB."""
_REACH_PX = 4.0
_QUICK, _LIKE = 3000, 8
"""Features compared by :func:`quick_inliers`, and the minimum number that must agree."""
INLIERS = 30
"""Minimum number of inliers; unrelated pages had at most 12 in tests."""


@dataclass(frozen=True, slots=True, eq=False)
class PageMatch:
    """Position of a page in a photograph."""

    homography: Matrix
    """3 x 3, from pixels of the photograph to pixels of the page."""
    inliers: int


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Keypoints and descriptors of an image, strongest response first."""

    keypoints: Matrix
    """N x 2, pixels of the reduced image."""
    descriptors: Matrix
    """N x 128, SIFT."""
    scale: float
    """Reduced size / full size."""
    shape: tuple[int, int]
    """Height and width of the full image."""


def photo_features(photo: Image) -> Features:
    """Extract the features of a photograph, BGR or grey."""
    return _features(photo, _PHOTO_PX)


def page_features(page: Image) -> Features:
    """Extract the features of a rendered or rectified page, BGR or grey."""
    return _features(page, _PAGE_PX)


def quick_inliers(photo: Features, page: Features) -> int:
    """Count the inliers among the strongest features only; 0 when too few agree. Fast, for ranking pairs."""
    found = _fit_homography(_strongest(photo), _strongest(page), _LIKE)
    return 0 if found is None else found[1]


def match_page(photo: Features, page: Features) -> PageMatch | None:
    """Locate a page in a photograph in any orientation; ``None`` when too few features match."""
    fitted = _fit_homography(photo, page, INLIERS)
    if fitted is None:
        return None
    found, inliers = fitted
    up = np.diag([photo.scale, photo.scale, 1.0])
    down = np.diag([1 / page.scale, 1 / page.scale, 1.0])
    homography = np.asarray(down @ found @ up, np.float64)
    return PageMatch(homography, inliers) if _plausible(homography, page.shape) else None


def _features(image: Image, longest: int) -> Features:
    small, scale = shrink(grey(image), longest)
    keypoints, descriptors = cv2.SIFT.create(nfeatures=_FEATURES).detectAndCompute(small, None)
    order = sorted(range(len(keypoints)), key=lambda index: -keypoints[index].response)
    where = np.array([keypoints[index].pt for index in order], np.float64).reshape(-1, 2)
    kept = descriptors[order] if descriptors is not None else np.zeros((0, 128), np.float32)
    return Features(where, kept, scale, (int(image.shape[0]), int(image.shape[1])))


def _strongest(features: Features) -> Features:
    return replace(features, keypoints=features.keypoints[:_QUICK], descriptors=features.descriptors[:_QUICK])


def _fit_homography(photo: Features, page: Features, least: int) -> tuple[Matrix, int] | None:
    """The homography between the reduced images, and its number of inliers."""
    if len(photo.keypoints) < 2 or len(page.keypoints) < 2:
        return None
    query, train = _distinct_pairs(photo.descriptors, page.descriptors)
    if len(query) < least:
        return None
    source, target = photo.keypoints[query], page.keypoints[train]
    cv2.setRNGSeed(1)
    found, mask = cv2.findHomography(source, target, cv2.USAC_MAGSAC, _REACH_PX, maxIters=5000, confidence=0.999)
    inliers = 0 if found is None else int(mask.sum())
    return None if found is None or inliers < least else (np.asarray(found, np.float64), inliers)


def _distinct_pairs(one: Matrix, other: Matrix) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of descriptors and of their nearest ones, where the second nearest is clearly further (Lowe 2004).

    All distances at once, as one product of matrices: a fifth of the time of comparing pair by pair.
    """
    found: list[NDArray[np.intp]] = []
    kept: list[NDArray[np.intp]] = []
    sizes = np.einsum("ij,ij->i", other, other)
    for start in range(0, len(one), _ROWS):
        rows = one[start : start + _ROWS]
        distances = rows @ other.T
        distances *= -2.0
        distances += sizes
        each = np.arange(len(rows))
        nearest = distances.argmin(axis=1)
        first = distances[each, nearest]
        distances[each, nearest] = np.inf
        own = np.einsum("ij,ij->i", rows, rows)
        first, second = np.maximum(first + own, 0.0), np.maximum(distances.min(axis=1) + own, 0.0)
        distinct = np.flatnonzero(first < _RATIO**2 * second)
        kept.append(distinct + start)
        found.append(nearest[distinct])
    return np.concatenate(kept), np.concatenate(found)


def _plausible(homography: Matrix, shape: tuple[int, int]) -> bool:
    """Whether the homography can be the view of a flat sheet: convex and not mirrored."""
    try:
        corners = transform_points(np.linalg.inv(homography), corners_of(shape[1], shape[0]))
    except np.linalg.LinAlgError:
        return False
    edges = np.roll(corners, -1, axis=0) - corners
    turns = edges[:, 0] * np.roll(edges, -1, axis=0)[:, 1] - edges[:, 1] * np.roll(edges, -1, axis=0)[:, 0]
    return bool(np.isfinite(corners).all() and (turns > 0).all())
