"""Red round seals and thumb prints as they look on paper: uneven ink over the text below."""

from __future__ import annotations

import random

import cv2
import numpy as np
from PIL import Image as PilImage
from PIL import ImageDraw

from samples.canvas import MIDDLE, RED, Canvas, Colour, Mask, face

TIMES = 3
"""Drawn larger, then reduced: smooth edges."""


def round_seal(
    canvas: Canvas, x: float, y: float, name: str, rng: random.Random, *, diameter: float = 40.0, colour: Colour = RED
) -> None:
    """Press a round seal with its centre at ``x``, ``y`` (mm)."""
    side = int(diameter * canvas.scale * 1.06) * TIMES
    picture = PilImage.new("L", (side, side))
    pen = ImageDraw.Draw(picture)
    middle, radius = side / 2, diameter * canvas.scale * TIMES / 2
    pen.ellipse(
        [middle - radius, middle - radius, middle + radius, middle + radius], outline=255, width=int(radius * 0.055)
    )
    star = [
        (
            middle + radius * 0.3 * (1 if i % 2 == 0 else 0.382) * np.sin(i * np.pi / 5),
            middle - radius * 0.3 * (1 if i % 2 == 0 else 0.382) * np.cos(i * np.pi / 5),
        )
        for i in range(10)
    ]
    pen.polygon(star, fill=255)
    _arc(picture, name, middle, radius)
    _bottom(pen, middle, radius)
    turned = picture.rotate(rng.uniform(-12, 12), PilImage.Resampling.BILINEAR)
    small = cv2.resize(np.asarray(turned), None, fx=1 / TIMES, fy=1 / TIMES, interpolation=cv2.INTER_AREA)
    mask = small.astype(np.float32) / 255.0 * worn(small.shape, rng)
    canvas.blend(mask, x * canvas.scale - mask.shape[1] / 2, y * canvas.scale - mask.shape[0] / 2, colour)


def _arc(picture: PilImage.Image, name: str, middle: float, radius: float) -> None:
    whole = np.deg2rad(min(265, 24 * (len(name) - 1)))
    size = min(radius * 0.27, radius * 0.74 * whole / max(1, len(name) - 1) * 0.95)
    letters = face("noto-serif", float(round(size)))
    half = int(size)
    for index, character in enumerate(name):
        angle = -whole / 2 + whole * index / max(1, len(name) - 1)
        tile = PilImage.new("L", (2 * half, 2 * half))
        ImageDraw.Draw(tile).text(
            (half, half + MIDDLE * size), character, 255, letters, anchor="ms", stroke_width=size * 0.02
        )
        turned = tile.rotate(-np.rad2deg(angle), PilImage.Resampling.BILINEAR)
        at = (
            int(middle + radius * 0.76 * np.sin(angle)) - half,
            int(middle - radius * 0.76 * np.cos(angle)) - half,
        )
        picture.paste(255, (*at, at[0] + 2 * half, at[1] + 2 * half), turned)


def _bottom(pen: ImageDraw.ImageDraw, middle: float, radius: float) -> None:
    letters = face("noto-serif", float(round(radius * 0.2)))
    pen.text((middle, middle + radius * 0.55), "样例", 255, letters, anchor="mm")


def worn(shape: tuple[int, ...], rng: random.Random) -> Mask:
    """Ink that did not reach the paper everywhere."""
    noise = np.random.default_rng(rng.getrandbits(32))
    coarse = cv2.resize(noise.random((9, 9)).astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(noise.random(shape[:2]).astype(np.float32), (0, 0), 1.2)
    worn: Mask = np.clip(0.62 + 0.35 * coarse + 1.4 * (fine - 0.5), 0.15, 1.0).astype(np.float32)
    return worn


def thumb_print(canvas: Canvas, x: float, y: float, rng: random.Random) -> None:
    """Press a red thumb print (mm)."""
    width, height = int(15 * canvas.scale), int(20 * canvas.scale)
    yy, xx = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    noise = np.random.default_rng(rng.getrandbits(32))
    bend = cv2.resize(noise.random((5, 5)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    ridges = np.sin(np.hypot(xx * 0.8, yy + 0.3) * 46 + bend * 9) > -0.1
    mask = (ridges & (np.hypot(xx, yy) < 0.95)).astype(np.float32)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.7) * worn(mask.shape, rng)
    canvas.blend(mask * 0.8, x * canvas.scale - width / 2, y * canvas.scale - height / 2, RED)
