"""Find the rim of a pressed seal, round or oval, among red ink."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.scan.image.geometry import Image, Mask, Matrix

SHORTEST_MM, LONGEST_MM = 13.0, 27.0
"""Half axes of a rim: an oval invoice seal is 40 mm by 30 mm, the largest round one 50 mm across."""
ROUND = 0.88
"""Ratio of the axes from which a rim is round: paper that does not lie flat, or was photographed, stretches it."""
FLATTEST = 0.55
COVERED = 0.5
"""Minimum share of a rim that was found in ink."""
_TRIALS = 500
_SAMPLES = 180
"""Angles at which a rim is compared with the ink."""
_RIM_MM = 0.5
"""Half the thickness within which ink counts as the rim's."""
_OUTSIDE_MM = (1.2, 1.8, 2.4)
"""Distances outside a rim at which there is little ink: what has much there is an inner ring, or a circle of text."""
_TRIM = 2.5
"""Multiple of the median distance beyond which a point is left out of a fit."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The outer edge of a rim, an ellipse. Lengths in pixels of the picture in which it was found."""

    x: float
    y: float
    a: float
    """Half axis along ``angle``."""
    b: float
    """The other half axis."""
    angle: float
    """Radians, clockwise from the x axis."""
    covered: float
    """Share of the rim that is in ink, 0..1."""

    @property
    def is_round(self) -> bool:
        """Whether it is a round seal's."""
        return min(self.a, self.b) >= ROUND * max(self.a, self.b)

    def points(self, angles: Matrix, outside: float = 0.0) -> Matrix:
        """Return N x 2 points at parameters of the ellipse, ``outside`` px out along the normal."""
        cosine, sine = np.cos(angles), np.sin(angles)
        normal = np.stack([cosine / self.a, sine / self.b])
        local = np.stack([self.a * cosine, self.b * sine]) + outside * normal / np.linalg.norm(normal, axis=0)
        turn = np.array([[np.cos(self.angle), -np.sin(self.angle)], [np.sin(self.angle), np.cos(self.angle)]])
        return np.asarray((turn @ local).T + np.array([self.x, self.y]), np.float64)


def find_ring(ink: Mask, per_mm: float) -> Ring | None:
    """Find the rim of the seal that has most of it.

    Args:
        ink: pixels of red ink.
        per_mm: pixels per millimetre; 4 are enough.
    """
    edge = _outline(ink, per_mm)
    if len(edge) < 40:
        return None
    near = cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    best = max(_candidates(edge, near, per_mm), key=lambda ring: ring.covered, default=None)
    if best is None or best.covered < COVERED - 0.1:
        return None
    refined = _refine(best, ink, near, per_mm)
    return refined if refined.covered >= COVERED else None


def _outline(ink: Mask, per_mm: float) -> Matrix:
    """Points of the outer contours of the larger patches of ink."""
    size = round(1.5 * per_mm) | 1
    closed = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = [c.reshape(-1, 2) for c in contours if len(c) > 4 * per_mm]
    return np.concatenate(large).astype(np.float64) if large else np.empty((0, 2))


def _candidates(edge: Matrix, near: Mask, per_mm: float) -> Iterator[Ring]:
    """Circles through three points of the outline, and the ellipse around all of it."""
    random = np.random.default_rng(0)
    centres, radii = _circles(edge[random.integers(0, len(edge), (_TRIALS, 3))])
    fits = (radii > SHORTEST_MM * per_mm) & (radii < LONGEST_MM * per_mm)
    centres, radii = centres[fits], radii[fits]
    if len(radii):
        scores = _score_circles(centres, radii, near, per_mm)
        for place in np.argsort(-scores)[:3]:
            (x, y), radius = centres[place], radii[place]
            yield Ring(float(x), float(y), float(radius), float(radius), 0.0, float(scores[place]))
    oval = _around(edge, near, per_mm)
    if oval is not None:
        yield oval


def _circles(points: Matrix) -> tuple[Matrix, Matrix]:
    """Centres N x 2 and radii of the circles through N x 3 points; infinite where they lie on a line."""
    a, b, c = points[:, 0], points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        twice = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
        bb, cc = (b**2).sum(axis=1), (c**2).sum(axis=1)
        x = (c[:, 1] * bb - b[:, 1] * cc) / twice
        y = (b[:, 0] * cc - c[:, 0] * bb) / twice
    return np.stack([x, y], axis=1) + a, np.nan_to_num(np.hypot(x, y), nan=np.inf)


def _score_circles(centres: Matrix, radii: Matrix, near: Mask, per_mm: float) -> Matrix:
    angles = np.linspace(0, 2 * np.pi, _SAMPLES, endpoint=False)
    rays = np.stack([np.cos(angles), np.sin(angles)])

    def hits(away: float) -> NDArray[np.bool_]:
        at = centres[:, :, None] + (radii + away)[:, None, None] * rays
        return _look_up(near, at[:, 0], at[:, 1])

    on = hits(-_RIM_MM * per_mm) | hits(0.0) | hits(-2 * _RIM_MM * per_mm)
    outside = np.mean([hits(away * per_mm) for away in _OUTSIDE_MM], axis=(0, 2))
    return np.asarray(on.mean(axis=1) - 0.8 * outside, np.float64)


def _look_up(mask: Mask, x: Matrix, y: Matrix) -> NDArray[np.bool_]:
    """Values of a mask at points; false outside."""
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (column >= 0) & (row >= 0) & (column < mask.shape[1]) & (row < mask.shape[0])
    return np.asarray(inside & mask[np.where(inside, row, 0), np.where(inside, column, 0)], np.bool_)


def _covered(ring: Ring, near: Mask, per_mm: float) -> float:
    angles = np.linspace(0, 2 * np.pi, _SAMPLES, endpoint=False)
    on, outside = np.zeros(_SAMPLES, np.bool_), 0.0
    for away in (0.0, -_RIM_MM, -2 * _RIM_MM):
        on |= _look_up(near, *ring.points(angles, away * per_mm).T)
    for away in _OUTSIDE_MM:
        outside += float(_look_up(near, *ring.points(angles, away * per_mm).T).mean()) / len(_OUTSIDE_MM)
    return float(on.mean()) - 0.8 * outside


def _around(edge: Matrix, near: Mask, per_mm: float) -> Ring | None:
    """The ellipse around the outline, points that lie off it left out step by step."""
    points = cv2.convexHull(edge.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    points = np.concatenate([points, (points + np.roll(points, 1, axis=0)) / 2]) if len(points) < 10 else points
    return _fit(points, near, per_mm)


def _fit(points: Matrix, near: Mask, per_mm: float) -> Ring | None:
    ring = None
    for _ in range(4):
        if len(points) < 8:
            return ring
        ring = _ellipse(points, near, per_mm)
        if ring is None:
            return None
        away = np.abs(_distance(ring, points))
        kept = away <= max(_TRIM * float(np.median(away)), 0.3 * per_mm)
        if kept.all():
            break
        points = points[kept]
    return ring


def _ellipse(points: Matrix, near: Mask, per_mm: float) -> Ring | None:
    (x, y), (width, height), degrees = cv2.fitEllipseDirect(points.astype(np.float32))
    a, b = width / 2, height / 2
    if not (np.isfinite([x, y, a, b]).all() and min(a, b) >= FLATTEST * max(a, b)):
        return None
    if min(a, b) < SHORTEST_MM * per_mm or max(a, b) > LONGEST_MM * per_mm:
        return None
    ring = Ring(float(x), float(y), float(a), float(b), float(np.deg2rad(degrees)), 0.0)
    return Ring(ring.x, ring.y, ring.a, ring.b, ring.angle, _covered(ring, near, per_mm))


def _distance(ring: Ring, points: Matrix) -> Matrix:
    """Distance of points from the rim, about; positive outside."""
    turn = np.array([[np.cos(ring.angle), np.sin(ring.angle)], [-np.sin(ring.angle), np.cos(ring.angle)]])
    x, y = turn @ (points - np.array([ring.x, ring.y])).T
    share = np.hypot(x / ring.a, y / ring.b)
    return np.asarray((share - 1) * np.hypot(x, y) / np.maximum(share, 1e-6), np.float64)


def _refine(ring: Ring, ink: Mask, near: Mask, per_mm: float) -> Ring:
    """Fit an ellipse to the outermost ink along each normal."""
    best = ring
    for _ in range(2):
        points = _outermost(best, ink, per_mm)
        fitted = _fit(points, near, per_mm) if len(points) >= 0.4 * 2 * _SAMPLES else None
        if fitted is None or fitted.covered < best.covered - 0.02:
            break
        best = fitted
    return best


def _outermost(ring: Ring, ink: Mask, per_mm: float) -> Matrix:
    angles = np.linspace(0, 2 * np.pi, 2 * _SAMPLES, endpoint=False)
    steps = np.arange(1.6, -1.61, -0.125) * per_mm
    places = np.stack([ring.points(angles, away) for away in steps])
    inked = _look_up(ink, places[..., 0], places[..., 1])
    first = inked.argmax(axis=0)
    found = inked.any(axis=0)
    return np.asarray(places[first[found], np.flatnonzero(found)], np.float64)


def unwrap(picture: Image, ring: Ring, depth: float, scale: float = 1.0) -> Image:
    """Unroll the band inside a rim into a straight strip, read clockwise.

    Args:
        picture: grey.
        ring: its rim.
        depth: of the band from the rim's outer edge inwards, px of the picture.
        scale: pixels of the strip for a pixel of the picture, measured along the middle of the band.

    Returns:
        Grey strip: its first row is the rim, its columns go once around from the lower end of the picture, clockwise.
    """
    fine = np.linspace(0, 2 * np.pi, 1441)
    course = ring.points(fine, -depth / 2)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(course, axis=0), axis=1))])
    bottom = float(length[int(np.argmax(course[:-1, 1]))])
    columns = np.arange(round(length[-1] * scale)) / scale
    angles = np.interp((columns + bottom) % length[-1], length, fine)
    rows = np.arange(round(depth * scale)) / scale
    places = np.stack([ring.points(angles, -row) for row in rows]).astype(np.float32)
    strip = cv2.remap(
        picture, places[..., 0], places[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=(255,)
    )
    return np.asarray(strip, np.uint8)
