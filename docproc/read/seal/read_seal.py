"""Find the seals near a field of a registered form, and read their names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np

from docproc.domain import ArcPlace, Box, Field, Seal
from docproc.matter.model import Matter
from docproc.matter.rule_kinds import SealName
from docproc.read.engine.recogniser import Recogniser
from docproc.read.seal.arc_text import read_arc
from docproc.read.seal.strip import cut_strip, seal_ink
from docproc.scan.image.geometry import MM_PER_INCH, Image, bounding_box, box_corners, mm_to_px, transform_points
from docproc.scan.image.ink import normalise_illumination, red_mask
from docproc.scan.image.resample import page_view, resample_window
from docproc.scan.image.ring import Ring, find_ring
from docproc.scan.registration.homography import Registration

DPI = 200.0
PER_MM = DPI / MM_PER_INCH
REACH_MM = 28.0
"""Distance by which a seal leaves its box: people press it where there is room."""
MOST = 2
"""Seals that are read: one that came out badly is pressed again."""


def wants_seal(matter: Matter, material: str, name: str) -> bool:
    """Whether a rule of the matter compares the name on the seal in a field."""
    return any(isinstance(rule, SealName) and rule.seal == f"{material}.{name}" for rule in matter.rule)


def read_seals(image: Image, registration: Registration, box: Box, recogniser: Recogniser) -> tuple[Seal, ...]:
    """Read the seals in a box of a registered page and around it.

    Args:
        image: original image, BGR.
        registration: position of the page in it.
        box: of the field, mm of the page.
        recogniser: OCR engine.

    Returns:
        The seals whose rim was found, the clearest first; boxes in pixels of ``image``.
    """
    view = page_view(image, registration.homography, registration.page_mm, DPI)
    left, top = (max(round((side - REACH_MM) * PER_MM), 0) for side in box[:2])
    right = min(round((box[2] + REACH_MM) * PER_MM), view.size[0])
    bottom = min(round((box[3] + REACH_MM) * PER_MM), view.size[1])
    even = normalise_illumination(resample_window(view, (left, top, right, bottom)))
    to_image = np.linalg.inv(mm_to_px(DPI) @ registration.homography)
    shift = np.array([left, top]) - 0.5
    return tuple(
        replace(seal, box=bounding_box(transform_points(to_image, box_corners(seal.box) + shift) + 0.5))
        for seal in read_in(even, PER_MM, recogniser)
    )


def read_in(even: Image, per_mm: float, recogniser: Recogniser) -> Iterator[Seal]:
    """Read the seals in a picture with normalised illumination; boxes in its pixels."""
    ink, black = seal_ink(even)
    red = red_mask(even)
    for _ in range(MOST):
        half = cv2.resize(red, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) > 100
        small = find_ring(half, per_mm / 2)
        if small is None:
            return
        ring = replace(small, x=2 * small.x + 0.5, y=2 * small.y + 0.5, a=2 * small.a, b=2 * small.b)
        strip = cut_strip(ink, black, ring, per_mm)
        places = read_arc(strip, recogniser) if strip is not None else ()
        shape: Literal["round", "oval"] = "round" if ring.is_round else "oval"
        covered = round(ring.covered, 4)
        yield Seal(_text(places), _confidence(places), _around(ring), shape, covered, places)
        outline = np.rint(ring.points(np.linspace(0, 2 * np.pi, 180), per_mm)).astype(np.int32)
        cv2.fillPoly(red, [outline], (0,))


def with_seals(item: Field, seals: tuple[Seal, ...]) -> Field:
    """The field of a seal with what was read of it."""
    return replace(item, seals=seals, raw=seals[0].text if seals else item.raw)


def _text(places: tuple[ArcPlace, ...]) -> str:
    return "".join(place.characters[0].char for place in places if place.characters)


def _confidence(places: tuple[ArcPlace, ...]) -> float:
    """Geometric mean of the posteriors of the characters read."""
    means = [place.characters[0].mean for place in places if place.characters]
    return round(float(np.exp(np.mean(np.log(np.maximum(means, 1e-6))))), 4) if means else 0.0


def _around(ring: Ring) -> Box:
    return bounding_box(ring.points(np.linspace(0, 2 * np.pi, 73)) + 0.5)
