"""A sheet of paper as pixels: printed text, handwriting with jitter, rules, and ink laid over what is there."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from samples.fonts import characters, font_path

Image = NDArray[np.uint8]
"""H×W×3, BGR."""
Mask = NDArray[np.float32]
"""H×W, 0..1: how much ink."""
Colour = tuple[int, int, int]

BLACK: Colour = (35, 32, 30)
BLUE: Colour = (150, 60, 30)
PRINT: Colour = (28, 26, 25)
RED: Colour = (45, 35, 205)
MIDDLE = 0.36
"""Half the height of a full-width character over its baseline, in ems."""


@dataclass(frozen=True, slots=True)
class Style:
    """How somebody writes."""

    font: str
    colour: Colour = BLACK
    scale: float = 1.0
    """Size against the size asked for."""
    slant: float = 0.0
    """Shear: positive leans to the right."""
    jitter: float = 0.0
    """0 for print, 1 for a restless hand: position, size, angle of each character and the run of the line."""
    pressure: float = 1.0
    """Darkness of the ink, 0..1."""


@lru_cache(maxsize=256)
def face(name: str, pixels: float) -> ImageFont.FreeTypeFont:
    """A font at a size in pixels."""
    return ImageFont.truetype(str(font_path(name)), pixels)


def usable(name: str, character: str) -> str:
    """The font, or the printed one where the font lacks the character."""
    return name if ord(character) in characters(name) else "noto-serif"


class Canvas:
    """A sheet of ``width`` × ``height`` mm at ``dpi``."""

    def __init__(
        self, width: float, height: float, dpi: float, image: Image | None = None, tint: float = 252.0
    ) -> None:
        """Take a ready picture, or begin with blank paper of the given brightness."""
        self.size = (width, height)
        self.dpi = dpi
        self.scale = dpi / 25.4
        shape = (round(height * self.scale), round(width * self.scale), 3)
        self.image: Image = np.full(shape, tint, np.uint8) if image is None else image

    def blend(self, mask: Mask, x: float, y: float, colour: Colour) -> None:
        """Lay ink over the paper; ``x``, ``y`` are the mask's top-left in pixels. Ink multiplies, as on real paper."""
        x0, y0 = round(x), round(y)
        h, w = mask.shape
        left, top = max(0, -x0), max(0, -y0)
        right, bottom = min(w, self.image.shape[1] - x0), min(h, self.image.shape[0] - y0)
        if right <= left or bottom <= top:
            return
        part = self.image[y0 + top : y0 + bottom, x0 + left : x0 + right]
        take = 1.0 - np.array(colour, np.float32) / 255.0
        kept = 1.0 - mask[top:bottom, left:right, None] * take
        part[:] = (part * kept).astype(np.uint8)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        font: str = "noto-serif",
        colour: Colour = PRINT,
        align: str = "left",
        bold: float = 0.0,
        spread: float | None = None,
        alpha: float = 1.0,
    ) -> float:
        """Print a line with its middle at ``y`` (mm), set apart to the width ``spread``; returns its width in mm."""
        pixels = size * self.scale
        letters = face(font, pixels)
        widths = [letters.getlength(c) for c in text]
        gap = 0.0
        if spread is not None and len(text) > 1:
            gap = (spread * self.scale - sum(widths)) / (len(text) - 1)
        total = sum(widths) + gap * (len(text) - 1)
        left = x * self.scale - {"left": 0.0, "centre": total / 2, "right": total}[align]
        pad = int(pixels)
        picture = PilImage.new("L", (int(total) + 2 * pad, int(2.4 * pixels)))
        pen = ImageDraw.Draw(picture)
        at = float(pad) + left - int(left)
        base = 1.2 * pixels + MIDDLE * pixels
        for character, width in zip(text, widths, strict=True):
            pen.text((at, base), character, 255, letters, anchor="ls", stroke_width=bold * pixels)
            at += width + gap
        mask = np.asarray(picture, np.float32) / 255.0 * alpha
        self.blend(mask, int(left) - pad, y * self.scale - 1.2 * pixels, colour)
        return total / self.scale

    def hand_width(self, text: str, size: float, style: Style) -> float:
        """Width in mm that a line takes by hand, about."""
        pixels = size * style.scale * self.scale
        return 1.02 * sum(face(usable(style.font, c), pixels).getlength(c) for c in text) / self.scale

    def hand(
        self, x: float, y: float, text: str, size: float, style: Style, rng: random.Random, align: str = "left"
    ) -> float:
        """Write a line by hand with its middle at ``y`` (mm); returns its width in mm."""
        pixels = size * style.scale * self.scale
        widths = [face(usable(style.font, c), pixels).getlength(c) for c in text]
        total = sum(widths)
        at = x * self.scale - {"left": 0.0, "centre": total / 2}[align]
        rise = rng.gauss(0, 0.02) * style.jitter
        tilt = rng.gauss(0, 1.5) * style.jitter
        for index, (character, width) in enumerate(zip(text, widths, strict=True)):
            dy = rng.gauss(0, 0.03) * style.jitter * pixels + rise * index * pixels * 0.3
            dx = rng.gauss(0, 0.02) * style.jitter * pixels
            self._glyph(at + width / 2 + dx, y * self.scale + dy, character, pixels, style, tilt, rng)
            at += width * (1 + rng.gauss(0.01, 0.02) * style.jitter)
        return total / self.scale

    def _glyph(
        self, x: float, y: float, character: str, pixels: float, style: Style, tilt: float, rng: random.Random
    ) -> None:
        half = int(pixels * 0.95) + 2
        picture = PilImage.new("L", (2 * half, 2 * half))
        letters = face(usable(style.font, character), pixels)
        ImageDraw.Draw(picture).text((half, half + MIDDLE * pixels), character, 255, letters, anchor="ms")
        size = 1 + rng.gauss(0, 0.045) * style.jitter
        turn = np.deg2rad(tilt + rng.gauss(0, 1.8) * style.jitter)
        shear = style.slant + rng.gauss(0, 0.02) * style.jitter
        matrix = size * np.array([[np.cos(turn), -np.sin(turn) - shear], [np.sin(turn), np.cos(turn)]])
        fraction = np.array([x - round(x), y - round(y)])
        shift = np.array([half, half]) - matrix @ np.array([half, half]) + fraction
        mask = cv2.warpAffine(np.asarray(picture), np.column_stack([matrix, shift]), (2 * half, 2 * half))
        strength = min(1.0, style.pressure * (1 + rng.gauss(0, 0.08) * style.jitter))
        self.blend(mask.astype(np.float32) / 255.0 * strength, round(x) - half, round(y) - half, style.colour)

    def lines(
        self, points: list[tuple[float, float]], width: float, colour: Colour = PRINT, alpha: float = 1.0
    ) -> None:
        """Draw joined strokes through points in mm."""
        way = np.array(points, np.float64) * self.scale
        pad = int(width * self.scale) + 3
        low = np.floor(way.min(axis=0)).astype(int) - pad
        high = np.ceil(way.max(axis=0)).astype(int) + pad
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        shifted = np.round((way - low) * 16).astype(np.int32)
        cv2.polylines(mask, [shifted], False, 255, max(1, round(width * self.scale)), cv2.LINE_AA, 4)
        self.blend(mask.astype(np.float32) / 255.0 * alpha, float(low[0]), float(low[1]), colour)

    def frame(self, box: tuple[float, float, float, float], width: float, colour: Colour = PRINT) -> None:
        """Draw the outline of a box in mm."""
        x0, y0, x1, y1 = box
        self.lines([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], width, colour)

    def fill(self, box: tuple[float, float, float, float], colour: Colour, alpha: float = 1.0) -> None:
        """Ink a box in mm."""
        x0, y0, x1, y1 = (round(v * self.scale) for v in box)
        self.blend(np.full((max(1, y1 - y0), max(1, x1 - x0)), alpha, np.float32), x0, y0, colour)


def wobbly(points: list[tuple[float, float]], rng: random.Random, amount: float = 0.25) -> list[tuple[float, float]]:
    """Bend straight strokes as a hand does: points every few mm, each a little off (mm)."""
    found = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        steps = max(2, int(np.hypot(x1 - x0, y1 - y0) / 4))
        for step in range(1, steps + 1):
            t = step / steps
            found.append((x0 + (x1 - x0) * t + rng.gauss(0, amount), y0 + (y1 - y0) * t + rng.gauss(0, amount)))
    return found
