"""Recognise the name of a seal in several renderings, and join what they say at each place of the arc.

A recogniser that misreads a small blurred character is often sure of it, and says something else when the same strip
is a little wider, thinner or softer. A character that none of the renderings considers possible is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from docproc.domain import ArcCharacter, ArcPlace
from docproc.read.decoding.grammar import standard_form
from docproc.read.engine.recogniser import BLANK, Lattice, Recogniser
from docproc.read.seal.strip import Strip
from docproc.scan.image.geometry import Image

HEIGHT_PX = 48
"""Height of a rendering: the network's input."""
POSSIBLE = 5e-4
"""Least posterior, in any rendering, of a character that is kept."""
MOST = 30
"""Most characters kept for a place."""
HIDDEN = 0.10
"""Share of a place under black ink from which a character may have been hidden by it."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """One character of one rendering."""

    at: float
    """Its middle, share of the strip's width."""
    char: str
    posteriors: dict[str, float]


def read_arc(strip: Strip, recogniser: Recogniser) -> tuple[ArcPlace, ...]:
    """Read the characters of a strip, first to last."""
    made = [_slots(lattice) for lattice in recogniser.posteriors(renderings(strip.picture))]
    made = [slots for slots in made if slots]
    if not made:
        return ()
    pivot = max(made, key=lambda slots: float(np.mean([s.posteriors[s.char] for s in slots])))
    half = _half_pitch(pivot)
    return tuple(_place(slot, made, half, strip) for slot in pivot)


def renderings(picture: Image) -> list[Image]:
    """The strip as it is, wider, softer and with thinner strokes; BGR, :data:`HEIGHT_PX` high."""
    height, width = picture.shape
    how = cv2.INTER_AREA if height > HEIGHT_PX else cv2.INTER_CUBIC

    def sized(stretch: float) -> Image:
        size = (max(8, round(width * HEIGHT_PX / height * stretch)), HEIGHT_PX)
        return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)

    plain = sized(1.0)
    soft = np.asarray(cv2.GaussianBlur(plain, (0, 0), 1.0), np.uint8)
    thin = np.asarray(cv2.dilate(plain, np.ones((2, 2), np.uint8)), np.uint8)
    return [np.asarray(cv2.cvtColor(item, cv2.COLOR_GRAY2BGR), np.uint8) for item in (plain, sized(1.3), soft, thin)]


def _slots(lattice: Lattice) -> list[_Slot]:
    """The characters of the greedy reading, each with all that its stretch of the lattice considers possible."""
    runs = _greedy_runs(lattice)
    characters = [standard_form(char).lower() for char in lattice.characters]
    steps = len(lattice.probs)
    found = []
    for index, (first, last, best) in enumerate(runs):
        low = (runs[index - 1][1] + first) // 2 + 1 if index else 0
        high = (last + runs[index + 1][0]) // 2 + 1 if index + 1 < len(runs) else steps
        peaks = lattice.probs[low : max(high, last + 1)].max(axis=0)
        posteriors: dict[str, float] = {}
        for place in np.flatnonzero(peaks >= POSSIBLE / 10):
            char = characters[place]
            if char.isalnum():
                posteriors[char] = max(posteriors.get(char, 0.0), float(peaks[place]))
        if characters[best].isalnum():
            found.append(_Slot((first + last + 1) / 2 / (steps * lattice.width_ratio), characters[best], posteriors))
    return found


def _greedy_runs(lattice: Lattice) -> list[tuple[int, int, int]]:
    """First and last step, and column, of each character of the greedy reading."""
    best = lattice.probs.argmax(axis=1)
    runs: list[tuple[int, int, int]] = []
    for step, column in enumerate(best.tolist()):
        if column == BLANK:
            continue
        if runs and step and best[step - 1] == column:
            runs[-1] = (runs[-1][0], step, column)
        else:
            runs.append((step, step, column))
    return runs


def _half_pitch(slots: Sequence[_Slot]) -> float:
    steps = np.diff([slot.at for slot in slots])
    return 0.5 * float(np.median(steps)) if len(steps) else 0.5


def _place(slot: _Slot, made: Iterable[Sequence[_Slot]], half: float, strip: Strip) -> ArcPlace:
    """Join what all renderings say of the place of one slot."""
    seen = [near.posteriors for slots in made if (near := _nearest(slots, slot.at, half)) is not None]
    chars = {char for posteriors in seen for char in posteriors}
    kept = [
        ArcCharacter(
            char,
            round(float(np.mean([p.get(char, 0.0) for p in seen])), 5),
            round(max(p.get(char, 0.0) for p in seen), 5),
        )
        for char in chars
    ]
    kept = sorted((item for item in kept if item.most >= POSSIBLE), key=lambda item: (-item.mean, item.char))
    width = strip.covered.shape[1]
    here = strip.covered[:, max(round((slot.at - half) * width), 0) : round((slot.at + half) * width) + 1]
    return ArcPlace(round(slot.at, 4), bool(here.size and here.mean() > HIDDEN), tuple(kept[:MOST]))


def _nearest(slots: Sequence[_Slot], at: float, half: float) -> _Slot | None:
    near = min(slots, key=lambda slot: abs(slot.at - at))
    return near if abs(near.at - at) < half else None
