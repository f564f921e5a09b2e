"""Guilloche borders and rosettes: fine interlaced curves, drawn by formula.

They make a licence look like one. They prove nothing: only the seal does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from docproc.licence.page.canvas import PT, Canvas, Colour, number

_QUARTER = ((0.5123, 0.5123), (1.0023, 1.0), (math.pi / 2, 1.0))  # Bezier of sin from 0 to pi/2, error under 0.1%
_Points = list[tuple[float, float]]


def border(canvas: Canvas, inset: float, band: float, colour: Colour, light: Colour) -> None:
    """Draw a frame ``band`` mm wide, ``inset`` mm from the page's edge."""
    middle = inset + band / 2
    width, height = canvas.width - 2 * middle, canvas.height - 2 * middle
    corners = [
        (middle, middle, 0, width),
        (canvas.width - middle, middle, 90, height),
        (canvas.width - middle, canvas.height - middle, 180, width),
        (middle, canvas.height - middle, 270, height),
    ]
    for x, y, angle, length in corners:
        waves = max(2, 2 * round(length / (band * 1.1) / 2))
        for turn in range(12):
            amplitude = band * (0.42, 0.34, 0.24, 0.12)[turn // 3]
            shade = colour if turn // 3 in (0, 2) else light
            _wave(canvas, x, y, angle, length, waves, amplitude, turn % 3 / 3, shade)
    for x, y, _, _ in corners:
        _corner(canvas, x, y, band, colour, light)
    canvas.frame(inset, 0.5, colour)
    canvas.frame(inset + band, 0.3, colour)
    canvas.frame(inset + band + 1.2, 0.12, colour)
    canvas.frame(inset - 1.2, 0.12, colour)


def rosette(canvas: Canvas, x: float, y: float, radius: float, petals: int, colour: Colour, width: float) -> None:
    """Draw a rosette of ``petals`` interlaced loops around (x, y)."""
    for layer in range(4):
        outer = radius * (1 - 0.19 * layer)
        _closed(canvas, list(_petals(x, y, outer, petals, 0.20 + 0.03 * layer, layer / 2)), colour, width)
        _closed(canvas, list(_petals(x, y, outer, petals, 0.20 + 0.03 * layer, layer / 2 + 0.5)), colour, width)


def _petals(
    x: float, y: float, radius: float, petals: int, depth: float, phase: float
) -> Iterator[tuple[float, float]]:
    steps = petals * 16
    for index in range(steps):
        angle = 2 * math.pi * index / steps
        length = radius * (1 - depth + depth * math.sin(petals * angle + 2 * math.pi * phase))
        yield x + length * math.sin(angle), y - length * math.cos(angle)


def _closed(canvas: Canvas, points: _Points, colour: Colour, width: float) -> None:
    canvas.line([*points, points[0]], width, colour)


def _corner(canvas: Canvas, x: float, y: float, band: float, colour: Colour, light: Colour) -> None:
    side = band / 2
    box = f"{number((x - side) * PT)} {number((canvas.height - y - side) * PT)} {number(band * PT)} {number(band * PT)}"
    canvas.raw(f"q 1 1 1 rg {box} re f Q")
    rosette(canvas, x, y, side * 0.92, 12, light, 0.1)
    rosette(canvas, x, y, side * 0.55, 8, colour, 0.12)
    canvas.raw(f"q {' '.join(f'{part:g}' for part in colour)} RG {number(0.3 * PT)} w {box} re S Q")


def _wave(
    canvas: Canvas,
    x: float,
    y: float,
    angle: float,
    length: float,
    waves: int,
    amplitude: float,
    phase: float,
    colour: Colour,
) -> None:
    """Stroke ``waves`` periods of a sine from (x, y) along ``angle`` degrees (0 right, 90 down).

    ``phase`` (0 to 1) moves it on by that share of half a period; what sticks out at the end lies under the corner.
    """
    turn = math.radians(angle)
    cosine, sine = math.cos(turn), math.sin(turn)
    scale = length / (waves * 2 * math.pi)
    shift = phase * math.pi

    def place(along: float, across: float) -> str:
        right, down = (along + shift) * scale, across * amplitude
        return _at(canvas, x + right * cosine - down * sine, y + right * sine + down * cosine)

    path = [f"{place(0, 0)} m"]
    for half in range(waves * 2):
        sign = 1 if half % 2 == 0 else -1
        start, end = half * math.pi, (half + 1) * math.pi
        up = [place(start + u, v * sign) for u, v in _QUARTER]
        down = [place(end - u, v * sign) for u, v in (_QUARTER[1], _QUARTER[0], (0.0, 0.0))]
        path += [" ".join(up) + " c", " ".join(down) + " c"]
    canvas.raw(f"q {' '.join(f'{part:g}' for part in colour)} RG {number(0.11 * PT)} w " + "\n".join(path) + " S Q")


def _at(canvas: Canvas, x: float, y: float) -> str:
    return f"{number(x * PT)} {number((canvas.height - y) * PT)}"
