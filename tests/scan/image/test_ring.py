"""The rim of a pressed seal is found wherever it lies, and nothing else is taken for one."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest

from docproc.scan.image.geometry import Image
from docproc.scan.image.ink import red_mask
from docproc.scan.image.ring import Ring, find_ring, unwrap
from samples.canvas import Canvas
from samples.seal import thumb_print
from samples.seals import Cut, Press, press_seal

PER_MM = 4.0
SIDE = 90.0


def sheet() -> Canvas:
    return Canvas(SIDE, SIDE, PER_MM * 25.4)


def cut(width: float = 40.0, height: float = 40.0, **more: bool) -> Cut:
    return Cut("双流区样例竹味面馆", width, height, "noto-serif", 0.28, 0.8, 250.0, 1.1, **more)


def ring_of(canvas: Canvas) -> Ring | None:
    return find_ring(red_mask(canvas.image) > 0, PER_MM)


@pytest.mark.parametrize(("width", "height"), [(38.0, 38.0), (45.0, 45.0), (45.0, 30.0), (40.0, 30.0)])
@pytest.mark.parametrize("turn", [-25.0, 0.0, 170.0])
def test_the_rim_of_a_seal_is_found_to_half_a_millimetre(width: float, height: float, turn: float) -> None:
    canvas = sheet()
    press_seal(canvas, 41.0, 47.0, cut(width, height), Press(turn), random.Random(1))
    ring = ring_of(canvas)
    assert ring is not None and ring.covered > 0.8
    assert np.hypot(ring.x / PER_MM - 41.0, ring.y / PER_MM - 47.0) < 0.5
    assert max(ring.a, ring.b) / PER_MM == pytest.approx(width / 2, abs=0.5)
    assert min(ring.a, ring.b) / PER_MM == pytest.approx(height / 2, abs=0.5)
    assert ring.is_round == (width == height)


def test_an_inner_ring_and_a_thumb_print_beside_it_mislead_nobody() -> None:
    canvas = sheet()
    press_seal(canvas, 35.0, 40.0, cut(inner_ring=True), Press(), random.Random(2))
    thumb_print(canvas, 70.0, 60.0, random.Random(3))
    ring = ring_of(canvas)
    assert ring is not None and max(ring.a, ring.b) / PER_MM == pytest.approx(20.0, abs=0.5)


def test_blank_paper_and_a_thumb_print_have_no_rim() -> None:
    canvas = sheet()
    assert ring_of(canvas) is None
    thumb_print(canvas, 45.0, 45.0, random.Random(3))
    assert ring_of(canvas) is None


def test_a_seal_of_which_less_than_half_took_has_no_rim() -> None:
    canvas = sheet()
    press_seal(canvas, 45.0, 45.0, cut(), Press(missing=0.7), random.Random(4))
    assert ring_of(canvas) is None


def test_a_strip_runs_clockwise_from_the_lower_end_with_the_rim_above() -> None:
    picture: Image = np.zeros((200, 200), np.uint8)
    cv2.circle(picture, (20, 100), 6, 255, -1)  # on the left: a quarter of the way, clockwise from below
    strip = unwrap(picture, Ring(100.0, 100.0, 90.0, 90.0, 0.0, 1.0), 30.0)
    rows, columns = np.nonzero(strip > 128)
    assert columns.mean() / strip.shape[1] == pytest.approx(0.25, abs=0.02)
    assert rows.mean() == pytest.approx(10.0, abs=1.5)
