"""Each damage moves the page as its homography says, and stays within bounds."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest

from samples.damage import CHANCES, DAMAGES, apply, choose

POINTS = np.array([[180, 260], [520, 300], [480, 700], [160, 760]], float)
STILL = ("shadow", "dim", "glare", "fold", "blur", "motion", "noise", "copy", "stain", "paper")
MOVES = ("skew", "perspective", "low_resolution", "cut_edge", "upside_down", "sideways")


def page() -> np.ndarray:
    image = np.full((990, 700, 3), 250, np.uint8)
    for x, y in POINTS:
        cv2.circle(image, (int(x), int(y)), 9, (0, 0, 0), -1, cv2.LINE_AA)
    return image


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_points_land_where_the_homography_says(name: str, seed: int) -> None:
    image, matrix = apply(page(), [(name, 0.8)], random.Random(seed))
    for x, y in cv2.perspectiveTransform(POINTS[None], matrix)[0]:
        assert 0 <= x < image.shape[1] and 0 <= y < image.shape[0]
        around = image[max(0, int(y) - 14) : int(y) + 15, max(0, int(x) - 14) : int(x) + 15].min(axis=2)
        ys, xs = np.nonzero(around < 110)
        found = np.array([xs.mean() + max(0, int(x) - 14), ys.mean() + max(0, int(y) - 14)])
        assert np.abs(found - (x, y)).max() < 0.8


@pytest.mark.parametrize("name", STILL)
def test_light_alone_moves_nothing(name: str) -> None:
    image, matrix = apply(page(), [(name, 0.7)], random.Random(4))
    assert image.shape == page().shape and image.dtype == np.uint8
    assert np.array_equal(matrix, np.eye(3))
    assert not np.array_equal(image, page())


def test_every_damage_is_covered() -> None:
    assert set(DAMAGES) == {*STILL, *MOVES, "bend"}


@pytest.mark.parametrize("kind", sorted(CHANCES))
def test_chosen_damage_keeps_the_picture_within_bounds(kind: str) -> None:
    for seed in range(6):
        rng = random.Random(seed)
        image, _ = apply(page(), choose(kind, rng), rng)
        long, short = max(image.shape[:2]), min(image.shape[:2])
        assert 0.6 * 990 < long < 1.45 * 990 and 0.6 * 700 < short < 1.45 * 700
        assert image.std() > 5


def test_the_same_seed_damages_alike_and_another_does_not() -> None:
    wanted = choose("photo", random.Random(9))
    first, second, third = (apply(page(), wanted, random.Random(s))[0] for s in (9, 9, 10))
    assert np.array_equal(first, second)
    assert first.shape != third.shape or not np.array_equal(first, third)
