"""Tick boxes, signatures, seals and drawings: what the amount and shape of ink says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from docproc.domain import Box
from docproc.form.layout import OPTION_FONT_MM, FieldBox, OptionBox
from docproc.read.decoding.confidence import LOW
from docproc.read.form.ink import NEXT_TO_NOTHING, Mask, Sheet, to_px, tone_of
from docproc.read.form.template import PX

State = Literal["yes", "no", "unsure"]

INSIDE_MM = 0.45
"""The rim of a tick box that is left out: what registration leaves of the printed square."""
AROUND_MM = 1.6
"""Ticks and rings reach so far out of their box."""
TICKED = 0.055
"""Share of a box's inside from which it is ticked; the lightest generated tick covers 0.09."""
EMPTY = 0.02
"""Share up to which it is empty; noise and left-over print cover up to 0.01."""
SHADE = 0.15
"""Ink that is next to nothing may cover so much of an empty box: what creases leave covers up to 0.1."""
STRUCK = 0.6
"""Share of the places between an option's printed words that a level stroke crosses when it was struck out."""
LEAST_GAPS = 0.08
"""Share of the words' width that must be open between the print for a stroke to be told."""
BAND_MM = 1.3
"""Height within which a level stroke stays."""
SCRIBBLED = 0.92
"""Share of a box's inside from which it may be a correction as well as a filled box."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What ink says about a place."""

    state: State
    confidence: float
    """0..1."""


def read_options(sheet: Sheet, place: FieldBox) -> tuple[str | None, float, str, tuple[str, ...]]:
    """Which options of a choice are ticked.

    Returns:
        Value (keys joined by ``,``; ``None`` when one is unsure), confidence, raw (as seen), and the possible readings.
    """
    seen = [(option, _option(sheet, option)) for option in place.options]
    ticked = ",".join(option.value for option, mark in seen if mark.state == "yes")
    possible = ",".join(option.value for option, mark in seen if mark.state != "no")
    confidence = min(mark.confidence for _, mark in seen)
    if place.field_type.kind == "choice" and not place.field_type.several and "," in ticked:
        confidence = min(confidence, LOW)  # one of them may be a shadow, or struck out with too thin a line
    raw = " ".join(f"{_SIGNS[mark.state]}{option.label}" for option, mark in seen)
    if ticked != possible:
        return None, confidence, raw, tuple(dict.fromkeys(v for v in (possible, ticked) if v))
    return ticked, confidence, raw, ()


_SIGNS: dict[State, str] = {"yes": "☑", "no": "□", "unsure": "?"}


def _option(sheet: Sheet, option: OptionBox) -> Seen:
    x0, y0, x1, y1 = option.box
    inner = (x0 + INSIDE_MM, y0 + INSIDE_MM, x1 - INSIDE_MM, y1 - INSIDE_MM)
    share = _share(sheet.ink | sheet.red, inner)
    shadow = share > EMPTY and _tone(sheet, inner) <= NEXT_TO_NOTHING
    words = (x1 + 1.2, y0, x1 + 1.2 + OPTION_FONT_MM * len(option.label), y1)
    if _struck(sheet, words):
        return Seen("unsure", 0.3)
    if shadow:
        return Seen("no", 0.8) if share < SHADE else Seen("unsure", 0.4)
    if share >= SCRIBBLED:
        return Seen("yes", 0.8)
    if share >= TICKED:
        return Seen("yes", min(0.9 + share, 0.99))
    if _ringed(sheet.ink, option.box):
        return Seen("yes", 0.85)
    if share <= EMPTY:
        return Seen("no", 0.99 - share)
    return Seen("unsure", 0.4)


def _share(mask: Mask, box: Box) -> float:
    x0, y0, x1, y1 = to_px(box, mask.shape)
    return float(mask[y0:y1, x0:x1].mean())


def _tone(sheet: Sheet, box: Box) -> float:
    x0, y0, x1, y1 = to_px(box, sheet.ink.shape)
    return tone_of(sheet.written[y0:y1, x0:x1], sheet.ink[y0:y1, x0:x1])


def _ringed(ink: Mask, box: Box) -> bool:
    """Whether ink runs round the box on all four sides, close to it."""
    x0, y0, x1, y1 = to_px(box, ink.shape)
    reach = round(AROUND_MM * 1.6 * PX)
    pad = round(0.4 * PX)
    above = ink[max(y0 - reach, 0) : y0 - pad, x0:x1].any(axis=0).mean()
    below = ink[y1 + pad : y1 + reach, x0:x1].any(axis=0).mean()
    left = ink[y0:y1, max(x0 - reach, 0) : x0 - pad].any(axis=1).mean()
    right = ink[y0:y1, x1 + pad : x1 + reach].any(axis=1).mean()
    return bool(min(above, below, left, right) > 0.5)


def _struck(sheet: Sheet, words: Box) -> bool:
    """Whether ink runs along the printed words of an option, seen where the print leaves room."""
    x0, y0, x1, y1 = to_px(words, sheet.ink.shape)
    ink, printed = sheet.ink[y0:y1, x0:x1], sheet.printed[y0:y1, x0:x1]
    height = round(BAND_MM * PX)
    for top in range(0, max(y1 - y0 - height, 1), 3):
        room = ~printed[top : top + height]
        gaps = np.flatnonzero(room.sum(axis=0) >= 3)
        crossings = np.flatnonzero((ink[top : top + height] & room).any(axis=0))
        crossed = np.intersect1d(gaps, crossings)
        if len(gaps) < LEAST_GAPS * (x1 - x0) or len(crossed) < STRUCK * len(gaps):
            continue
        if crossed[-1] - crossed[0] > STRUCK * (x1 - x0):
            return True
    return False


def read_presence(sheet: Sheet, place: FieldBox, palest: float = NEXT_TO_NOTHING) -> tuple[str | None, float]:
    """Whether a place is signed, sealed or drawn in: ``("present" | "" | None, confidence)``.

    Args:
        sheet: the page.
        place: where.
        palest: tone up to which ink is no stroke of a pen but a stain; seals may be as pale.
    """
    limits = place.field_type.ink
    if limits is None:
        raise ValueError(f"{place.name} of type {place.type} is neither a mark nor a drawing")
    x0, y0, x1, y1 = to_px(place.box, sheet.ink.shape)
    mask = sheet.ink[y0:y1, x0:x1] | sheet.red[y0:y1, x0:x1]
    if limits.stamped and sheet.red[y0:y1, x0:x1].sum() > sheet.ink[y0:y1, x0:x1].sum():
        mask = sheet.red[y0:y1, x0:x1]
    area = float(mask.sum()) / PX**2
    if area <= limits.least_mm2:
        return "", 0.99 - 0.3 * area / limits.least_mm2
    width, height = _extent(mask)
    stain = not limits.stamped and tone_of(sheet.written[y0:y1, x0:x1], sheet.ink[y0:y1, x0:x1]) <= palest
    if not stain and area >= limits.enough_mm2 and width >= limits.width_mm and height >= limits.height_mm:
        return "present", min(0.85 + 0.05 * area / limits.enough_mm2, 0.99)
    return None, 0.4


def _extent(mask: Mask) -> tuple[float, float]:
    """Width and height in mm that hold nearly all of the ink."""
    columns, rows = mask.sum(axis=0), mask.sum(axis=1)
    return _spread(columns), _spread(rows)


def _spread(counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    total = np.cumsum(counts) / max(int(counts.sum()), 1)
    return float(np.searchsorted(total, 0.98) - np.searchsorted(total, 0.02)) / PX
