"""What scanners and phone cameras do to a page; each function takes a strength 0..1 and says how it moved the page.

Every function is ``(image, strength, rng) -> (image, homography)``: BGR bytes in
and out, and the 3×3 matrix from old to new pixels (identity when only the light
changes). They are chained by :func:`apply`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from samples.canvas import Image

Matrix = NDArray[np.float64]
Damage = Callable[[Image, float, random.Random], tuple[Image, Matrix]]
STILL: Matrix = np.eye(3)


def _numpy(rng: random.Random) -> np.random.Generator:
    return np.random.default_rng(rng.getrandbits(32))


def _cloud(shape: tuple[int, ...], cells: int, rng: random.Random) -> NDArray[np.float32]:
    """Smooth noise 0..1 with about ``cells`` bumps a side."""
    grid = _numpy(rng).random((cells + 2, cells + 2)).astype(np.float32)
    smooth: NDArray[np.float32] = np.clip(cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), 0, 1)
    return smooth


def _lit(image: Image, light: NDArray[np.float32]) -> Image:
    return np.clip(image * light[:, :, None], 0, 255).astype(np.uint8)


def skew(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """Turn the page on the scanner's glass by up to 8°; what it leaves is dark or light."""
    height, width = image.shape[:2]
    angle = rng.choice((-1, 1)) * rng.uniform(0.4, 1.0) * 8.0 * strength
    matrix = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0), [0, 0, 1]])
    corners = cv2.perspectiveTransform(np.array([[[0, 0], [width, 0], [width, height], [0, height]]], float), matrix)[0]
    low, high = corners.min(axis=0), corners.max(axis=0)
    matrix = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ matrix
    size = (int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1])))
    edge = rng.choice((30, 120, 235, 250))
    return cv2.warpPerspective(image, matrix, size, borderValue=(edge, edge, edge)), matrix


def perspective(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """Photograph the page from a slant on a desk."""
    height, width = image.shape[:2]
    margin = rng.uniform(0.03, 0.10) * min(height, width)
    out = (int(width + 2 * margin), int(height + 2 * margin))
    reach = 0.13 * strength * min(height, width)
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    corner = (
        source + margin + np.array([[rng.uniform(-0.2, 1) * reach * s for s in signs] for signs in SIGNS], np.float32)
    )
    corner = np.clip(corner, 4, np.array(out, np.float32) - 4)
    matrix = cv2.getPerspectiveTransform(source, corner.astype(np.float32))
    desk = cv2.resize(_desk((out[1] // 3, out[0] // 3, 3), rng), out)
    page = cv2.warpPerspective(image, matrix, out, flags=cv2.INTER_AREA)
    cover = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, out)
    shade = cv2.GaussianBlur(cover, (0, 0), 9).astype(np.float32) / 255.0
    desk = _lit(desk, 1.0 - 0.35 * shade)
    alpha = cover.astype(np.float32)[:, :, None] / 255.0
    return (page * alpha + desk * (1 - alpha)).astype(np.uint8), matrix


SIGNS = ((1, 1), (-1, 1), (-1, -1), (1, -1))
DESKS = ((60, 90, 130), (40, 60, 85), (120, 130, 135), (70, 70, 72), (160, 175, 185))


def _desk(shape: tuple[int, int, int], rng: random.Random) -> Image:
    """Wood or plastic with a grain."""
    grain = cv2.resize(_numpy(rng).random((shape[0] // 6 + 1, 9)).astype(np.float32), (shape[1], shape[0]))
    grain = 0.85 + 0.22 * grain + 0.08 * _cloud(shape, 5, rng)
    colour = np.array(rng.choice(DESKS), np.float32)
    desk: Image = np.clip(grain[:, :, None] * colour, 0, 255).astype(np.uint8)
    return desk


def shadow(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """The hand's or the phone's shadow across a part of the page, and uneven light over all of it."""
    height, width = image.shape[:2]
    yy, xx = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * (xx - 0.5) + np.sin(angle) * (yy - 0.5)
    soft = rng.uniform(0.02, 0.12)
    edge = 1 / (1 + np.exp(-(slope - rng.uniform(-0.2, 0.3)) / soft))
    light = 1.0 - 0.45 * strength * edge - 0.12 * strength * (_cloud(image.shape, 3, rng) - 0.5)
    return _lit(image, light.astype(np.float32)), STILL


def dim(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """Too little light and a warm or cold lamp."""
    tint = np.array([rng.uniform(-0.1, 0.06), 0.0, rng.uniform(-0.06, 0.1)], np.float32) * strength
    light = 1.0 - 0.5 * strength
    return np.clip(image * (light * (1 + tint)), 0, 255).astype(np.uint8), STILL


def glare(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """A lamp mirrored in glossy paper: a burnt-out spot."""
    height, width = image.shape[:2]
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = rng.uniform(0.25, 0.75) * width, rng.uniform(0.25, 0.75) * height
    size = (0.05 + 0.12 * strength) * min(height, width)
    spot = np.exp(-(((xx - x) / (1.5 * size)) ** 2 + ((yy - y) / size) ** 2) * 1.5) * 2.2 * strength
    alpha = np.clip(spot, 0, 1)[:, :, None]
    return (image * (1 - alpha) + 255 * alpha).astype(np.uint8), STILL


def fold(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """One or two creases: the paper is lighter on one side of each, darker on the other, worn on the line."""
    height, width = image.shape[:2]
    light = np.ones((height, width), np.float32)
    for _ in range(rng.choice((1, 2))):
        along = rng.random() < 0.6
        length = height if along else width
        at = rng.uniform(0.3, 0.7) * length
        lean = rng.uniform(-0.02, 0.02)
        yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
        distance = (yy - at - lean * xx) if along else (xx - at - lean * yy)
        reach = 0.06 * length
        side = np.where(distance > 0, 0.05, -0.2)
        light += strength * side * np.exp(-np.abs(distance) / reach)
        light += strength * 0.15 * np.exp(-((distance / 2.0) ** 2))
    return _lit(image, light), STILL


def bend(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """A page that does not lie flat: rows are displaced by up to 2 mm, which the homography leaves out."""
    height, width = image.shape[:2]
    reach = 2.0 * strength * height / 297.0
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    wave = np.sin(np.pi * xx / width * rng.uniform(0.8, 1.6) + rng.uniform(0, np.pi))
    moved = reach * (wave - wave.mean())
    return cv2.remap(image, xx, yy + moved.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), STILL


def blur(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """Out of focus; at strength 1 small print cannot be read at any resolution up to 300 dpi."""
    sigma = strength * rng.uniform(0.9, 1.1) * 6.0 * max(image.shape[:2]) / 2339.0
    return cv2.GaussianBlur(image, (0, 0), max(0.3, sigma)), STILL


def motion(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """The hand moved while the picture was taken."""
    length = max(3, int(strength * 22 * max(image.shape[:2]) / 2339.0) | 1)
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), rng.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(image, -1, kernel / kernel.sum()), STILL


def noise(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """Sensor noise, coarser in the dark."""
    draw = _numpy(rng).normal(0, 18 * strength, image.shape[:2]).astype(np.float32)
    draw = cv2.GaussianBlur(draw, (0, 0), 0.6)[:, :, None]
    return np.clip(image + draw, 0, 255).astype(np.uint8), STILL


def copy(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """A photocopy: grey, hard, with specks."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    hard = 255 / (1 + np.exp(-(grey - rng.uniform(150, 180)) / (30 - 18 * strength)))
    specks = cv2.GaussianBlur(_numpy(rng).random(grey.shape).astype(np.float32), (0, 0), 0.8)
    hard[specks > 0.5 + 0.42 - 0.06 * strength] = 60
    return cv2.cvtColor(hard.astype(np.uint8), cv2.COLOR_GRAY2BGR), STILL


def low_resolution(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """Fewer pixels: down to a third."""
    factor = 1 - 0.67 * strength
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    across, down = small.shape[1] / image.shape[1], small.shape[0] / image.shape[0]
    return small, np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1]])


def cut_edge(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """A side of the page lies outside the picture, up to a fifth."""
    height, width = image.shape[:2]
    share = 0.2 * strength
    side = rng.choice(("left", "right", "top", "bottom"))
    x0, x1 = (int(share * width), width) if side == "left" else (0, int(width * (1 - share * (side == "right"))))
    y0, y1 = (int(share * height), height) if side == "top" else (0, int(height * (1 - share * (side == "bottom"))))
    return image[y0:y1, x0:x1].copy(), np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]], float)


def upside_down(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """Lying on its head."""
    height, width = image.shape[:2]
    return cv2.rotate(image, cv2.ROTATE_180), np.array([[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]], float)


def sideways(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """Turned a quarter, either way."""
    height, width = image.shape[:2]
    if rng.random() < 0.5:
        return cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE), np.array([[0, -1, height - 1], [1, 0, 0], [0, 0, 1]], float)
    return cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE), np.array(
        [[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]], float
    )


def stain(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """The ring that a cup leaves."""
    height, width = image.shape[:2]
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = rng.uniform(0.15, 0.85) * width, rng.uniform(0.15, 0.85) * height
    radius = rng.uniform(0.12, 0.2) * width
    wave = 1 + 0.02 * np.sin(6 * np.arctan2(yy - y, xx - x))
    distance = np.hypot(xx - x, yy - y) / wave
    ring = np.exp(-(((distance - radius) / (0.045 * radius)) ** 2)) + 0.25 * (distance < radius)
    depth = strength * 0.75 * ring * (0.4 + 0.6 * _cloud(image.shape, 8, rng))
    brown = np.array([0.62, 0.38, 0.22], np.float32)
    return np.clip(image * (1 - depth[:, :, None] * brown), 0, 255).astype(np.uint8), STILL


def paper(image: Image, strength: float, rng: random.Random) -> tuple[Image, Matrix]:
    """Paper is not quite white, and no scanner sees it evenly."""
    blue, red = rng.uniform(0.92, 1.0), rng.uniform(0.97, 1.0)
    tone = np.array([blue, (blue + red) / 2, red], np.float32)
    light = 1.0 - strength * 0.08 * _cloud(image.shape, 6, rng)
    return np.clip(image * tone * light[:, :, None], 0, 255).astype(np.uint8), STILL


DAMAGES: dict[str, Damage] = {
    f.__name__: f
    for f in (
        skew,
        perspective,
        shadow,
        dim,
        glare,
        fold,
        bend,
        blur,
        motion,
        noise,
        copy,
        low_resolution,
        cut_edge,
        upside_down,
        sideways,
        stain,
        paper,
    )
}
"""By name, as written into the truth of a page."""


def apply(image: Image, wanted: Sequence[tuple[str, float]], rng: random.Random) -> tuple[Image, Matrix]:
    """Do one damage after the other.

    Raises:
        KeyError: no such damage.
    """
    total = STILL.copy()
    for name, strength in wanted:
        image, moved = DAMAGES[name](image, strength, rng)
        total = moved @ total
    return image, total


CHANCES: dict[str, tuple[tuple[str, float, float, float], ...]] = {
    "clean": (("paper", 1.0, 0.3, 0.3),),
    "scan": (
        ("paper", 1.0, 0.2, 0.8),
        ("fold", 0.12, 0.3, 0.9),
        ("stain", 0.1, 0.3, 0.9),
        ("skew", 1.0, 0.05, 0.35),
        ("blur", 1.0, 0.05, 0.14),
        ("noise", 1.0, 0.05, 0.3),
        ("copy", 0.1, 0.1, 0.7),
        ("upside_down", 0.08, 1.0, 1.0),
    ),
    "photo": (
        ("paper", 1.0, 0.2, 0.8),
        ("bend", 0.3, 0.1, 0.5),
        ("fold", 0.7, 0.1, 0.7),
        ("perspective", 1.0, 0.3, 1.0),
        ("shadow", 1.0, 0.2, 0.9),
        ("blur", 1.0, 0.08, 0.22),
        ("motion", 0.12, 0.1, 0.3),
        ("noise", 1.0, 0.1, 0.5),
        ("dim", 0.6, 0.05, 0.25),
        ("sideways", 0.12, 1.0, 1.0),
    ),
    "hard": (
        ("paper", 1.0, 0.8, 0.8),
        ("stain", 0.6, 0.4, 1.0),
        ("bend", 0.8, 0.3, 0.8),
        ("fold", 1.0, 0.5, 1.0),
        ("perspective", 1.0, 0.6, 1.0),
        ("shadow", 1.0, 0.6, 1.0),
        ("blur", 1.0, 0.15, 0.3),
        ("noise", 1.0, 0.4, 0.8),
        ("low_resolution", 1.0, 0.1, 0.3),
    ),
}
"""For each kind, in the order of happening: damage, how often (0..1), least and greatest strength."""


def choose(kind: str, rng: random.Random) -> list[tuple[str, float]]:
    """Damage as it occurs: ``clean``, ``scan`` (flat-bed or kiosk), ``photo`` (phone) or ``hard`` (a bad photo).

    Raises:
        ValueError: no such kind.
    """
    if kind not in CHANCES:
        raise ValueError(f"no damage kind {kind!r}: use {', '.join(CHANCES)}")
    drawn = [(name, rng.random() < often, rng.uniform(low, high)) for name, often, low, high in CHANCES[kind]]
    return [(name, strength) for name, happens, strength in drawn if happens]
