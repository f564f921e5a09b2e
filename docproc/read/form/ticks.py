"""Optical mark recognition: tick boxes, signatures, seals and drawings, by amount and shape of ink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from docproc.domain import Box
from docproc.form.layout import OPTION_FONT_MM, FieldBox, OptionBox
from docproc.read.decoding.confidence import LOW
from docproc.read.form.ink import FAINT_TONE, InkLayers, to_px, tone_of
from docproc.read.form.template import PX
from docproc.scan.image.geometry import Mask

TickState = Literal["yes", "no", "unsure"]

INSIDE_MM = 0.45
"""Ignored rim of a tick box: the printed square after alignment errors."""
AROUND_MM = 1.6
"""Distance by which ticks and rings leave their box."""
TICKED = 0.055
"""Minimum coverage of a ticked box; the lightest generated tick covers 0.09."""
EMPTY = 0.02
"""Maximum coverage of an empty box; noise and residual print cover up to 0.01."""
SHADE = 0.15
"""Maximum coverage of an empty box by faint ink: creases cover up to 0.1."""
STRUCK = 0.6
"""Minimum share of the gaps in an option's printed label that the stroke of a strikethrough crosses."""
LEAST_GAPS = 0.08
"""Minimum width of the gaps, as a share of the label's width, for a strikethrough to be detectable."""
BAND_MM = 1.3
"""Height of the band that contains a horizontal stroke."""
SCRIBBLED = 0.92
"""Coverage from which a box may be filled in as a correction."""


@dataclass(frozen=True, slots=True)
class MarkState:
    """State of a tick box."""

    state: TickState
    confidence: float
    """0..1."""


def read_options(layers: InkLayers, field_box: FieldBox) -> tuple[str | None, float, str, tuple[str, ...]]:
    """Read which options of a choice are ticked.

    Returns:
        Value (keys joined by ``,``; ``None`` when one is uncertain), confidence, raw text, and the possible readings.
    """
    seen = [(option, _option(layers, option)) for option in field_box.options]
    ticked = ",".join(option.value for option, mark in seen if mark.state == "yes")
    possible = ",".join(option.value for option, mark in seen if mark.state != "no")
    confidence = min(mark.confidence for _, mark in seen)
    kind = field_box.field_type
    if kind.kind == "choice" and not kind.several and "," in ticked:
        confidence = min(confidence, LOW)  # one of them may be a shadow, or struck out with too thin a line
    raw = " ".join(f"{_SIGNS[mark.state]}{option.label}" for option, mark in seen)
    if ticked != possible:
        return None, confidence, raw, tuple(dict.fromkeys(v for v in (possible, ticked) if v))
    return ticked, confidence, raw, ()


_SIGNS: dict[TickState, str] = {"yes": "☑", "no": "□", "unsure": "?"}


def _option(layers: InkLayers, option: OptionBox) -> MarkState:
    x0, y0, x1, y1 = option.box
    inner = (x0 + INSIDE_MM, y0 + INSIDE_MM, x1 - INSIDE_MM, y1 - INSIDE_MM)
    share = _share(layers.ink | layers.red, inner)
    shadow = share > EMPTY and _tone(layers, inner) <= FAINT_TONE
    words = (x1 + 1.2, y0, x1 + 1.2 + OPTION_FONT_MM * len(option.label), y1)
    if _struck(layers, words):
        return MarkState("unsure", 0.3)
    if shadow:
        return MarkState("no", 0.8) if share < SHADE else MarkState("unsure", 0.4)
    if share >= SCRIBBLED:
        return MarkState("yes", 0.8)
    if share >= TICKED:
        return MarkState("yes", min(0.9 + share, 0.99))
    if _ringed(layers.ink, option.box):
        return MarkState("yes", 0.85)
    if share <= EMPTY:
        return MarkState("no", 0.99 - share)
    return MarkState("unsure", 0.4)


def _share(mask: Mask, box: Box) -> float:
    x0, y0, x1, y1 = to_px(box, mask.shape)
    return float(mask[y0:y1, x0:x1].mean())


def _tone(layers: InkLayers, box: Box) -> float:
    x0, y0, x1, y1 = to_px(box, layers.ink.shape)
    return tone_of(layers.written[y0:y1, x0:x1], layers.ink[y0:y1, x0:x1])


def _ringed(ink: Mask, box: Box) -> bool:
    """Whether ink surrounds the box closely on all four sides."""
    x0, y0, x1, y1 = to_px(box, ink.shape)
    reach = round(AROUND_MM * 1.6 * PX)
    pad = round(0.4 * PX)
    above = ink[max(y0 - reach, 0) : y0 - pad, x0:x1].any(axis=0).mean()
    below = ink[y1 + pad : y1 + reach, x0:x1].any(axis=0).mean()
    left = ink[y0:y1, max(x0 - reach, 0) : x0 - pad].any(axis=1).mean()
    right = ink[y0:y1, x1 + pad : x1 + reach].any(axis=1).mean()
    return bool(min(above, below, left, right) > 0.5)


def _struck(layers: InkLayers, words: Box) -> bool:
    """Whether ink runs along the printed label of an option, measured in the gaps of the print."""
    x0, y0, x1, y1 = to_px(words, layers.ink.shape)
    ink, printed = layers.ink[y0:y1, x0:x1], layers.printed[y0:y1, x0:x1]
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


def read_presence(layers: InkLayers, field_box: FieldBox, stain_tone: float = FAINT_TONE) -> tuple[str | None, float]:
    """Detect a signature, seal or drawing.

    Args:
        layers: the page.
        field_box: the field.
        stain_tone: tone up to which ink is a stain and not a pen stroke; seals may be as pale.

    Returns:
        ``"present"``, ``""`` (absent) or ``None`` (uncertain), and the confidence.
    """
    limits = field_box.field_type.ink
    if limits is None:
        raise ValueError(f"{field_box.name} of type {field_box.type} is neither a mark nor a drawing")
    x0, y0, x1, y1 = to_px(field_box.box, layers.ink.shape)
    mask = layers.ink[y0:y1, x0:x1] | layers.red[y0:y1, x0:x1]
    if limits.stamped and layers.red[y0:y1, x0:x1].sum() > layers.ink[y0:y1, x0:x1].sum():
        mask = layers.red[y0:y1, x0:x1]
    area = float(mask.sum()) / PX**2
    if area <= limits.least_mm2:
        return "", 0.99 - 0.3 * area / limits.least_mm2
    width, height = _extent(mask)
    stain = not limits.stamped and tone_of(layers.written[y0:y1, x0:x1], layers.ink[y0:y1, x0:x1]) <= stain_tone
    if not stain and area >= limits.enough_mm2 and width >= limits.width_mm and height >= limits.height_mm:
        return "present", min(0.85 + 0.05 * area / limits.enough_mm2, 0.99)
    return None, 0.4


def _extent(mask: Mask) -> tuple[float, float]:
    """Width and height in mm of nearly all of the ink."""
    columns, rows = mask.sum(axis=0), mask.sum(axis=1)
    return _spread(columns), _spread(rows)


def _spread(counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    total = np.cumsum(counts) / max(int(counts.sum()), 1)
    return float(np.searchsorted(total, 0.98) - np.searchsorted(total, 0.02)) / PX
