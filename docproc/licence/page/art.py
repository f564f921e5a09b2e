"""The art of an official seal (公章), drawn by rule as outlines; no font is needed to show it.

国发〔1999〕25号 (国务院关于国家行政机关和企业事业单位社会团体印章管理的规定): a round seal, the name in Song
characters running from left to right along the upper arc, in the middle a five-pointed star, for departments and
institutions at most 4.5 cm across; or the national emblem, on the seals of people's governments: 5.0 cm for a province,
4.5 cm for a city or county. The emblem itself is the State's own drawing (国徽法): here a ring keeps its place.

Lengths are millimetres; the origin is the lower left corner of the square that encloses the seal.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from docproc.errors import SealError
from docproc.licence.page.canvas import PT
from docproc.licence.page.glyphs import Typeface, typeface

DIAMETERS = {"province": 50.0, "city": 45.0, "department": 45.0, "township": 42.0, "institution": 40.0}
"""Diameter in mm by rank of the owner: the people's government of a province, of a city or county (both with the
emblem), a department of a local government, a township government, an institution (with the star)."""
EMBLEM_DIAMETERS = (DIAMETERS["city"], DIAMETERS["province"])
MIN_DIAMETER, MAX_DIAMETER = 38.0, 45.0
MAX_NAME = 24
"""More characters cannot be read on an arc of this size."""
RED = (0.84, 0.03, 0.07)

EDGE = 1.2
"""Width of the outer ring in mm."""
_WEIGHT = 0.13  # outlines of characters are thickened by this many mm in all: Song is too thin for a seal
_GAP = 1.1
_NARROW = {"（": 0.6, "）": 0.6, "(": 0.6, ")": 0.6, "·": 0.6}  # share of a full step on the arc
_KAPPA = 0.5522847498307936  # control point of a quarter circle
_Point = tuple[float, float]
_Move = Callable[[float, float], _Point]


@dataclass(frozen=True)
class SealArt:
    """A drawn seal."""

    diameter: float
    """Outer diameter in mm."""
    operators: bytes
    """PDF content stream in points; the square from (0, 0) to (diameter, diameter) encloses it."""

    def compressed(self) -> bytes:
        """The content stream for ``/FlateDecode``."""
        return zlib.compress(self.operators, 9)


def draw(
    name: str, font: Path, *, diameter: float = 42.0, purpose: str = "", code: str = "", emblem: bool = False
) -> SealArt:
    """Draw the seal of ``name``.

    Args:
        name: registered name of the owner, 2 to 24 characters.
        font: OpenType font with CFF outlines, a Song (serif) face by rule.
        diameter: outer diameter in mm, 38 to 45; with the emblem 45 or 50.
        purpose: one horizontal line below the star, for example ``行政审批专用章``; at most 10 characters.
        code: registration number of the seal on the lower arc, at most 18 characters.
        emblem: a place for the national emblem instead of the star.

    Raises:
        SealError: a name, purpose or code that does not fit, or a diameter outside the rule.
        InputError: a character is missing in the font.
    """
    if not 2 <= len(name) <= MAX_NAME or len(purpose) > 10 or len(code) > 18:
        raise SealError(f"seal text does not fit: name 2 to {MAX_NAME}, purpose up to 10, code up to 18 characters")
    if emblem and diameter not in EMBLEM_DIAMETERS:
        raise SealError(f"seal diameter with the emblem is {EMBLEM_DIAMETERS[0]} or {EMBLEM_DIAMETERS[1]} mm")
    if not emblem and not MIN_DIAMETER <= diameter <= MAX_DIAMETER:
        raise SealError(f"seal diameter {diameter} mm is outside {MIN_DIAMETER} to {MAX_DIAMETER} mm")
    face = typeface(font)
    radius = diameter / 2
    colour = " ".join(f"{part:g}" for part in RED)
    parts = [f"{colour} rg {colour} RG", f"{_number(EDGE)} w", _circle(radius, radius - EDGE / 2)]
    parts.append(_emblem_place(face, radius) if emblem else _star(radius, radius * 0.33))
    parts.append(f"{_number(_WEIGHT)} w 1 j")
    parts += _upper_arc(face, name, radius, 222.0 if purpose else 262.0)
    if purpose:
        parts += _line(face, purpose, radius)
    if code:
        parts += _lower_arc(face, code, radius)
    return SealArt(diameter, "\n".join(["q", *parts, "Q"]).encode())


def spread(name: str, limit: float = 262.0) -> list[float]:
    """Angle of each character of a name in degrees, 0 at the top, clockwise; symmetrical, at most ``limit`` in all.

    Short names stand 28 degrees apart, long ones share the limit; brackets take less room than characters.
    """
    shares = [_NARROW.get(character, 1.0) for character in name]
    places = [0.0]
    for before, after in pairwise(shares):
        places.append(places[-1] + (before + after) / 2)
    step = min(28.0, limit / places[-1])
    return [(place - places[-1] / 2) * step for place in places]


def _upper_arc(face: Typeface, name: str, radius: float, limit: float) -> list[str]:
    height = radius * 0.335
    middle = radius - EDGE - _GAP - height / 2
    angles = [math.radians(angle) for angle in spread(name, limit)]
    step = max(after - before for before, after in pairwise(angles))
    width = min(height * 0.82, middle * step * 0.94)
    return [
        _glyph(face, character, width, height, _turned(radius, middle, angle))
        for character, angle in zip(name, angles, strict=True)
    ]


def _lower_arc(face: Typeface, code: str, radius: float) -> list[str]:
    height = radius * 0.085
    middle = radius - EDGE - _GAP * 0.7 - height / 2
    step = math.radians(4.6)
    first = step * (len(code) - 1) / 2
    return [
        _glyph(face, character, height * 1.15, height, _turned(radius, -middle, step * index - first, up=-1))
        for index, character in enumerate(code)
    ]


def _line(face: Typeface, text: str, radius: float) -> list[str]:
    height = radius * 0.2
    width = min(height, radius * 1.14 / len(text))
    left, level = radius - width * (len(text) - 1) / 2, radius * 0.42
    return [
        _glyph(face, character, width * 0.96, height, _shifted(left + width * index, level))
        for index, character in enumerate(text)
    ]


def _turned(radius: float, distance: float, angle: float, up: int = 1) -> _Move:
    """Place a point given relative to a character's middle, upright at the top (or, with ``up=-1``, at the bottom)."""
    angle *= up
    sine, cosine = math.sin(angle), math.cos(angle)
    return lambda x, y: (
        radius + (distance + y) * sine + x * cosine,
        radius + (distance + y) * cosine - x * sine,
    )


def _shifted(left: float, level: float) -> _Move:
    return lambda x, y: (left + x, level + y)


def _glyph(face: Typeface, character: str, width: float, height: float, place: _Move) -> str:
    """Fit the em square of a character into ``width`` by ``height``; narrow ones are centred by their ink."""
    across, along = width / face.units, height / face.units
    middle_x, middle_y = face.advance(character) / 2, (face.ascent + face.descent) / 2
    if character in _NARROW:
        inked = [x for _, points in face.outline(character) for x, _ in points]
        middle_x = (min(inked) + max(inked)) / 2
    letters = {"moveTo": "m", "lineTo": "l", "curveTo": "c", "closePath": "h"}
    out = []
    for name, points in face.outline(character):
        placed = [place((x - middle_x) * across, (y - middle_y) * along) for x, y in points]
        out.append(" ".join([*(f"{_number(x)} {_number(y)}" for x, y in placed), letters[name]]))
    return "\n".join([*out, "B"])


def _star(centre: float, radius: float) -> str:
    """Five-pointed star, one point up; the inner radius makes the edges of opposite points one line."""
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(54))
    corners = []
    for index in range(10):
        length, angle = (radius, inner)[index % 2], math.radians(36 * index)
        corners.append((centre + length * math.sin(angle), centre + length * math.cos(angle)))
    path = [f"{_number(x)} {_number(y)} {'l' if index else 'm'}" for index, (x, y) in enumerate(corners)]
    return "\n".join([*path, "h f"])


def _emblem_place(face: Typeface, radius: float) -> str:
    """A ring with the words 国徽 where the emblem goes, of the star's size."""
    size = radius * 0.26
    words = [
        _glyph(face, character, size, size, _shifted(radius + side * size * 0.55, radius))
        for character, side in (("国", -1), ("徽", 1))
    ]
    return "\n".join([f"{_number(0.4)} w", _circle(radius, radius * 0.36), f"{_number(_WEIGHT)} w", *words])


def _circle(centre: float, radius: float) -> str:
    near, far = radius, radius * _KAPPA
    quarters = [
        ((near, far), (far, near), (0, near)),
        ((-far, near), (-near, far), (-near, 0)),
        ((-near, -far), (-far, -near), (0, -near)),
        ((far, -near), (near, -far), (near, 0)),
    ]
    path = [f"{_number(centre + near)} {_number(centre)} m"]
    for points in quarters:
        path.append(" ".join(f"{_number(centre + x)} {_number(centre + y)}" for x, y in points) + " c")
    return "\n".join([*path, "s"])


def _number(millimetres: float) -> str:
    """Points to 1/100 (3.5 µm), without a needless tail."""
    return f"{round(millimetres * PT, 2) + 0.0:.2f}".rstrip("0").rstrip(".")
