"""A smooth displacement field over a page: fit, sample, apply."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.scan.image.geometry import MM_PER_INCH, Image, Matrix

DisplacementField = NDArray[np.float32]
"""Rows x columns x 2: (x, y) displacement in mm on a regular grid over the page, corners included; bilinear between."""

_GRID_MM = 21.0
"""Spacing of the grid nodes: a fold bends the paper within about 20 mm."""
_BEND, _STRETCH, _REST = 0.02, 0.002, 1e-5
"""Regularisation weights of second and first differences and of the displacement itself, against one exact patch."""
_ROUNDS = 3
"""Rounds of iteratively reweighted least squares."""
_TRUSTED = 0.9
"""Minimum weight of the worst measurement from which another round would change nothing."""


@dataclass(frozen=True, slots=True)
class PatchShift:
    """Measured displacement of one patch."""

    place: Matrix
    """(x, y) of its centre, mm."""
    shift: Matrix
    """(x, y) displacement, mm."""
    precision: Matrix
    """2 x 2 precision matrix: near 0 in a direction that the patch does not constrain."""


def fit_field(measured: list[PatchShift], page_mm: tuple[float, float], tolerance_mm: float) -> DisplacementField:
    """Fit a smooth field to the measurements; those off by more than the tolerance lose weight."""
    columns, rows = (max(2, round(side / _GRID_MM) + 1) for side in page_mm)
    shape = (rows, columns)
    places = np.array([item.place for item in measured])
    shifts = np.array([item.shift for item in measured])
    precision = np.array([item.precision for item in measured])
    shares = _shares(places, page_mm, shape)
    cost = _cost(shape)
    trust = np.ones(len(measured))
    solution = np.zeros((rows * columns, 2))
    for _ in range(_ROUNDS):
        weight = precision * trust[:, None, None]
        both, across, down = ((shares.T * weight[:, a, b]) @ shares for a, b in ((0, 1), (0, 0), (1, 1)))
        normal = np.block([[across, both], [both, down]])
        wanted = shares.T @ np.einsum("pab,pb->pa", weight, shifts)
        solution = np.linalg.solve(normal + cost, wanted.T.ravel()).reshape(2, -1).T
        trust = 1 / (1 + (_known(shifts - shares @ solution, precision) / tolerance_mm) ** 2) ** 2
        if trust.min() > _TRUSTED:
            break
    return solution.reshape(rows, columns, 2).astype(np.float32)


def residual(measured: list[PatchShift], field: DisplacementField, page_mm: tuple[float, float]) -> float:
    """Return the 90th percentile of the distance between measurements and field, mm, in the constrained directions."""
    places = np.array([item.place for item in measured])
    shifts = np.array([item.shift for item in measured])
    precision = np.array([item.precision for item in measured])
    return float(np.percentile(_known(shifts - sample_field(field, places, page_mm), precision), 90))


def sample_field(field: DisplacementField, places: Matrix, page_mm: tuple[float, float]) -> Matrix:
    """Return the field's displacement (N x 2, mm) at points (N x 2, mm)."""
    nodes, shares = _corners(places, page_mm, (field.shape[0], field.shape[1]))
    return np.asarray((field.reshape(-1, 2)[nodes] * shares[:, :, None]).sum(axis=1), np.float64)


def apply_field(image: Image, field: DisplacementField, dpi: float) -> Image:
    """Warp an image so that each pixel comes from its displaced position; white beyond the edge."""
    if not field.any():
        return image
    height, width = image.shape[:2]
    scale = dpi / MM_PER_INCH
    down, across = _between(height, field.shape[0]), _between(width, field.shape[1]).T * np.float32(scale)
    columns = down @ (field[..., 0] @ across)
    columns += np.arange(width, dtype=np.float32)[None, :]
    rows = down @ (field[..., 1] @ across)
    rows += np.arange(height, dtype=np.float32)[:, None]
    moved = cv2.remap(
        image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(255.0, 255.0, 255.0)
    )
    return np.asarray(moved, np.uint8)


def _between(length: int, nodes: int) -> NDArray[np.float32]:
    """Length x nodes: linear weights of the nodes at evenly spaced points from the first node to the last."""
    away = np.abs(np.linspace(0, nodes - 1, length, dtype=np.float32)[:, None] - np.arange(nodes, dtype=np.float32))
    return np.maximum(np.float32(1) - away, np.float32(0))


def _known(error: Matrix, precision: Matrix) -> Matrix:
    """Length of each error (N x 2) in the directions that its patch constrains."""
    largest = np.maximum(np.linalg.eigvalsh(precision)[:, 1], 1e-9)
    squared = np.einsum("pa,pab,pb->p", error, precision, error) / largest
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)), np.float64)


def _corners(places: Matrix, page_mm: tuple[float, float], shape: tuple[int, int]) -> tuple[NDArray[np.intp], Matrix]:
    """Indices of the four nodes around each point (N x 4), and their bilinear weights."""
    rows, columns = shape
    x = np.clip(places[:, 0] / page_mm[0] * (columns - 1), 0, columns - 1 - 1e-9)
    y = np.clip(places[:, 1] / page_mm[1] * (rows - 1), 0, rows - 1 - 1e-9)
    left, top = x.astype(int), y.astype(int)
    fx, fy = x - left, y - top
    first = top * columns + left
    nodes = np.column_stack([first, first + 1, first + columns, first + columns + 1])
    return nodes, np.column_stack([(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx])


def _shares(places: Matrix, page_mm: tuple[float, float], shape: tuple[int, int]) -> Matrix:
    """N x nodes: weight of each node at each point."""
    nodes, shares = _corners(places, page_mm, shape)
    found = np.zeros((len(places), shape[0] * shape[1]))
    np.put_along_axis(found, nodes, shares, axis=1)
    return found


@lru_cache(maxsize=8)
def _cost(shape: tuple[int, int]) -> Matrix:
    """As :func:`_stiffness`, for x and then for y; cached by grid shape."""
    return np.asarray(np.kron(np.eye(2), _stiffness(shape)), np.float64)


def _stiffness(shape: tuple[int, int]) -> Matrix:
    """Nodes x nodes matrix of the regularisation terms."""
    rows, columns = shape
    total = _REST * np.eye(rows * columns)
    for order, weight in ((1, _STRETCH), (2, _BEND)):
        for along in (0, 1):
            length = shape[along]
            if length <= order:
                continue
            difference = np.diff(np.eye(length), n=order, axis=0)
            other = np.eye(shape[1 - along])
            operator = np.kron(difference, other) if along == 0 else np.kron(other, difference)
            total += weight * operator.T @ operator
    return total
