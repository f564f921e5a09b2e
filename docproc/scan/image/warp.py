"""A smooth field of shifts over a page: fit it to measurements, read it, apply it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.scan.image.geometry import MM_PER_INCH, Image, Matrix

Field = NDArray[np.float32]
"""Rows x columns x 2: (x, y) shift in mm at an even grid over the page, corners included; bilinear between."""

_GRID_MM = 21.0
"""Spacing of the fitted field's nodes: a fold is a bend within about 20 mm."""
_BEND, _STRETCH, _REST = 0.02, 0.002, 1e-5
"""Cost of bending, of stretching and of any shift at all, against one fully known patch."""
_ROUNDS = 3
"""Rounds of fitting, each trusting outliers of the one before less."""
_TRUSTED = 0.9
"""Trust in the worst measurement from which another round would change nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Where one patch was found."""

    place: Matrix
    """(x, y) of its middle, mm."""
    shift: Matrix
    """(x, y) by which it lies away, mm."""
    knowledge: Matrix
    """2 x 2 precision: near 0 in a direction of which the patch says nothing."""


def fit_field(measured: list[Measured], page_mm: tuple[float, float], tolerance_mm: float) -> Field:
    """The smooth field that explains the measurements best; those off by more than the tolerance lose weight."""
    columns, rows = (max(2, round(side / _GRID_MM) + 1) for side in page_mm)
    shape = (rows, columns)
    places = np.array([item.place for item in measured])
    shifts = np.array([item.shift for item in measured])
    knowledge = np.array([item.knowledge for item in measured])
    shares = _shares(places, page_mm, shape)
    cost = _cost(shape)
    trust = np.ones(len(measured))
    solution = np.zeros((rows * columns, 2))
    for _ in range(_ROUNDS):
        weight = knowledge * trust[:, None, None]
        both, across, down = ((shares.T * weight[:, a, b]) @ shares for a, b in ((0, 1), (0, 0), (1, 1)))
        normal = np.block([[across, both], [both, down]])
        wanted = shares.T @ np.einsum("pab,pb->pa", weight, shifts)
        solution = np.linalg.solve(normal + cost, wanted.T.ravel()).reshape(2, -1).T
        trust = 1 / (1 + (_known(shifts - shares @ solution, knowledge) / tolerance_mm) ** 2) ** 2
        if trust.min() > _TRUSTED:
            break
    return solution.reshape(rows, columns, 2).astype(np.float32)


def misfit(measured: list[Measured], field: Field, page_mm: tuple[float, float]) -> float:
    """Distance between measurements and field, mm, in the directions that they know; 90th percentile."""
    places = np.array([item.place for item in measured])
    shifts = np.array([item.shift for item in measured])
    knowledge = np.array([item.knowledge for item in measured])
    return float(np.percentile(_known(shifts - sample(field, places, page_mm), knowledge), 90))


def sample(field: Field, places: Matrix, page_mm: tuple[float, float]) -> Matrix:
    """The field's shifts (N x 2, mm) at places (N x 2, mm)."""
    nodes, shares = _corners(places, page_mm, (field.shape[0], field.shape[1]))
    return np.asarray((field.reshape(-1, 2)[nodes] * shares[:, :, None]).sum(axis=1), np.float64)


def slide(image: Image, field: Field, dpi: float) -> Image:
    """Fetch each pixel from where the field says its content lies; white beyond the edge."""
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
    """Length x nodes: share of each node at each of evenly spaced places from the first node to the last."""
    away = np.abs(np.linspace(0, nodes - 1, length, dtype=np.float32)[:, None] - np.arange(nodes, dtype=np.float32))
    return np.maximum(np.float32(1) - away, np.float32(0))


def _known(error: Matrix, knowledge: Matrix) -> Matrix:
    """Length of each error (N x 2), counting only what its patch knows."""
    largest = np.maximum(np.linalg.eigvalsh(knowledge)[:, 1], 1e-9)
    squared = np.einsum("pa,pab,pb->p", error, knowledge, error) / largest
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)), np.float64)


def _corners(places: Matrix, page_mm: tuple[float, float], shape: tuple[int, int]) -> tuple[NDArray[np.intp], Matrix]:
    """Indices of the four nodes around each place (N x 4), and the share of each."""
    rows, columns = shape
    x = np.clip(places[:, 0] / page_mm[0] * (columns - 1), 0, columns - 1 - 1e-9)
    y = np.clip(places[:, 1] / page_mm[1] * (rows - 1), 0, rows - 1 - 1e-9)
    left, top = x.astype(int), y.astype(int)
    fx, fy = x - left, y - top
    first = top * columns + left
    nodes = np.column_stack([first, first + 1, first + columns, first + columns + 1])
    return nodes, np.column_stack([(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx])


def _shares(places: Matrix, page_mm: tuple[float, float], shape: tuple[int, int]) -> Matrix:
    """N x nodes: share of each node at each place."""
    nodes, shares = _corners(places, page_mm, shape)
    found = np.zeros((len(places), shape[0] * shape[1]))
    np.put_along_axis(found, nodes, shares, axis=1)
    return found


@lru_cache(maxsize=8)
def _cost(shape: tuple[int, int]) -> Matrix:
    """As :func:`_stiffness`, for x and then for y; a page size always has the same."""
    return np.asarray(np.kron(np.eye(2), _stiffness(shape)), np.float64)


def _stiffness(shape: tuple[int, int]) -> Matrix:
    """Nodes x nodes cost matrix of bending, stretching and shifting."""
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
