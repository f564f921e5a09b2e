"""Grammar-constrained decoding: the best reading of a lattice that the field's type admits, or none.

A prefix beam search (Graves 2006; Hannun 2014) over the CTC posteriors extends only prefixes that the grammar's pattern
admits. Confusable characters are folded onto those of the type; characters that it cannot contain count as blank at a
cost. The best reading is compared with the second-best admissible one and, discounted, with the best one that fails a
check: a person may really have written a wrong number, and it must not be corrected silently.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from docproc.read.decoding.grammar import Grammar
from docproc.read.decoding.pattern import START
from docproc.read.engine.recogniser import BLANK, Lattice, greedy

FLOOR = 1e-4
"""Minimum posterior of a candidate character at a time step."""
PRUNE_RATIO = 1e-9
"""Likelihood ratio to the best prefix below which a prefix is pruned."""
INVALID_PRIOR = 0.01
"""Prior of a written number with a wrong check digit or date; assumed, on the high side."""
CLEARLY_INVALID = (12.0, -0.02)
"""Minimum log odds (nats) against every admissible reading, and minimum log probability per character, of a number with
a failing check that counts as written so. A misread character seldom leaves the true one a share below e**-12."""
MAX_MARGIN = 20.0
"""Upper bound of the margin, nats; the margin when there is no other reading."""
ALTERNATIVES = 3
N_BEST = 8
"""Number of readings kept for reconciliation with other documents of the application."""

Frame = tuple[float, list[tuple[str, float]]]
"""One time step: the probability of blank, and of each admissible character."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The decoded value of a field, or that it is not reliable."""

    value: str | None
    """Normalised value; ``""`` when the crop holds no text; ``None`` when no reading is reliable."""
    raw: str
    """The greedy reading, as printed."""
    confidence: float
    """0..1: posterior share of the best reading among all readings of the field, times its fit."""
    alternatives: tuple[str, ...] = ()
    """Other admissible values, best first; the best one itself leads when ``value`` is ``None``."""
    margin: float = 0.0
    """Log odds (nats) of the best reading against the second best."""
    fit: float = 0.0
    """Log probability (nats) per character of the best reading under the lattice: 0 is perfect, -1 is poor."""
    written: str = ""
    """A clearly written number of the right shape that fails its check digit or the calendar."""
    rivals: tuple[tuple[str, float], ...] = ()
    """The most likely values, best first, each with its log odds (nats) below the first."""
    source: Literal["ocr", "repair"] = "ocr"
    """``repair``: a more likely reading failed a check, and this one passes it."""


@dataclass(frozen=True, slots=True)
class _Reading:
    text: str
    log_probability: float
    whole: bool


def decode(lattice: Lattice, grammar: Grammar) -> Decoded:
    """Decode one line under the grammar of its field."""
    raw, _ = greedy(lattice)
    return _decide(raw.strip(), frames_of(lattice, grammar), grammar)


def decode_cells(lattices: Sequence[Lattice], grammar: Grammar) -> Decoded:
    """Decode a row of one-character cells under the grammar of the whole row.

    Each cell is reduced to one time step: the probability of every single character and of an empty cell.
    """
    raw = "".join(greedy(lattice)[0].strip() for lattice in lattices)
    frames: list[Frame] = []
    for lattice in lattices:
        frames += [cell_frame(frames_of(lattice, grammar)), (1.0, [])]
    return _decide(raw, frames, grammar)


def frames_of(lattice: Lattice, grammar: Grammar) -> list[Frame]:
    """Fold a lattice onto the grammar's characters, and merge consecutive steps without candidates."""
    targets: dict[str, int] = {}
    rows, columns, weights, skipped, own = [], [], [], [], set[int]()
    for row, char in enumerate(lattice.characters):
        symbols = grammar.symbols(char) if row != BLANK else ()
        for symbol, share in symbols:
            rows.append(row)
            columns.append(targets.setdefault(symbol, len(targets)))
            weights.append(share)
        if symbols:
            own.add(row)
        elif char in grammar.skip:
            skipped.append(row)
    folding = np.zeros((len(lattice.columns), len(targets)), dtype=np.float32)
    np.add.at(folding, (rows, columns), weights)
    folded = lattice.probs @ folding
    used = lattice.probs[:, sorted(own)].sum(axis=1)
    clear = lattice.probs[:, [BLANK, *skipped]].sum(axis=1)
    blank = clear + grammar.thresholds.leak * np.clip(1.0 - clear - used, 0.0, 1.0)
    return _frames(folded, blank, list(targets))


def _frames(folded: NDArray[np.float32], blank: NDArray[np.float32], symbols: list[str]) -> list[Frame]:
    frames: list[Frame] = []
    for row, empty in zip(folded, blank.tolist(), strict=True):
        candidates = [(symbols[i], float(row[i])) for i in np.flatnonzero(row >= FLOOR)]
        if candidates or not frames or frames[-1][1]:
            frames.append((empty, candidates))
        else:
            frames[-1] = (frames[-1][0] * empty, [])
    return frames


def cell_frame(frames: Sequence[Frame]) -> Frame:
    """Sum the frames of a cell to one: the probability that it is empty, and that it holds exactly one character."""
    before = 1.0
    during: dict[str, float] = {}
    after: dict[str, float] = {}
    for blank, candidates in frames:
        here = dict(candidates)
        for symbol in after.keys() | during.keys() | here.keys():
            inside = during.get(symbol, 0.0)
            after[symbol] = (after.get(symbol, 0.0) + inside) * blank
            during[symbol] = (inside + before) * here.get(symbol, 0.0)
        before *= blank
    sums = {symbol: during.get(symbol, 0.0) + after[symbol] for symbol in after}
    return before, [(symbol, p) for symbol, p in sums.items() if p >= FLOOR]


def beam_search(frames: Sequence[Frame], grammar: Grammar) -> list[_Reading]:
    """Return the final beam, most likely first; incomplete readings are marked."""
    pattern = grammar.pattern
    beam: dict[str, tuple[float, float, int]] = {"": (1.0, 0.0, START)}  # ends in blank, ends in its character, state
    scale = 0.0
    for blank, candidates in frames:
        grown: dict[str, list[float]] = {}
        states: dict[str, int] = {}
        for text, (p_blank, p_char, state) in beam.items():
            total = p_blank + p_char
            cell = grown.setdefault(text, [0.0, 0.0])
            states[text] = state
            cell[0] += total * blank
            last = text[-1:]
            for char, p in candidates:
                if char == last:
                    cell[1] += p_char * p
                carried = (p_blank if char == last else total) * p
                if carried > 0.0 and (after := pattern.step(state, char)) >= 0:
                    longer = text + char
                    states[longer] = after
                    grown.setdefault(longer, [0.0, 0.0])[1] += carried
        ranked = sorted(grown.items(), key=lambda item: -(item[1][0] + item[1][1]))[: grammar.beam]
        best = sum(ranked[0][1])
        if best <= 0.0:
            return []
        scale += math.log(best)
        beam = {t: (a / best, b / best, states[t]) for t, (a, b) in ranked if a + b > PRUNE_RATIO * best}
    readings = ((text, a + b, state) for text, (a, b, state) in beam.items())
    return [_Reading(t, scale + math.log(p), pattern.accepts(s)) for t, p, s in sorted(readings, key=lambda r: -r[1])]


def _decide(raw: str, frames: Sequence[Frame], grammar: Grammar) -> Decoded:
    if not raw:
        return Decoded("", "", math.exp(sum(math.log(max(blank, 1e-9)) for blank, _ in frames)))
    readings = beam_search(frames, grammar)
    values: dict[str, float] = {}
    fits: dict[str, float] = {}
    failing = -math.inf  # most likely reading that is incomplete or fails a check
    invalid: _Reading | None = None  # the most likely of them with the shape of the type
    for reading in readings:
        value = grammar.finish(reading.text) if reading.whole else None
        if value is None:
            failing = max(failing, reading.log_probability)
            invalid = reading if invalid is None and reading.whole else invalid
        else:
            seen = reading.log_probability + grammar.prior(value)
            values[value] = float(np.logaddexp(values.get(value, -math.inf), seen))
            fits.setdefault(value, reading.log_probability / len(reading.text))
    written = _invalid_as_written(invalid, readings, max(values.values(), default=-math.inf))
    if not values:
        return Decoded(None, raw, 0.0, written=written)
    values = _merge_equal(values, grammar)
    ranked = sorted(values, key=lambda value: -values[value])
    best = values[ranked[0]]
    competing = [values[value] for value in ranked[1:]] + [failing + math.log(INVALID_PRIOR)]
    margin = min(best - max(competing), MAX_MARGIN)
    share = float(np.exp(best - np.logaddexp.reduce([best, *competing])))
    fit = min(fits[ranked[0]], 0.0)
    sure = margin >= grammar.thresholds.margin and fit >= grammar.thresholds.fit
    others = ranked[1 : 1 + ALTERNATIVES] if sure else ranked[:ALTERNATIVES]
    source: Literal["ocr", "repair"] = "repair" if failing > best else "ocr"
    value = ranked[0] if sure else None
    rivals = tuple((text, round(best - values[text], 3)) for text in ranked[:N_BEST])
    confidence = share * math.exp(fit)
    return Decoded(value, raw, confidence, tuple(others), margin, fit, "" if sure else written, rivals, source)


def _merge_equal(values: dict[str, float], grammar: Grammar) -> dict[str, float]:
    """Merge values with the same key into the most likely one, with the sum of their probabilities."""
    found: dict[str, tuple[str, float]] = {}
    for value in sorted(values, key=lambda value: -values[value]):
        key = grammar.same(value) or value
        first, sum_ = found.get(key, (value, -math.inf))
        found[key] = first, float(np.logaddexp(sum_, values[value]))
    return dict(found.values())


def _invalid_as_written(invalid: _Reading | None, readings: Sequence[_Reading], best: float) -> str:
    """Text of a reading that fails a check, if no other reading, admissible or not, is close to it."""
    if invalid is None:
        return ""
    competing = [best, *(r.log_probability for r in readings if r is not invalid)]
    ahead = invalid.log_probability - max(competing)
    odds, fit = CLEARLY_INVALID
    clear = ahead >= odds / 4 and invalid.log_probability - best >= odds
    return invalid.text if clear and invalid.log_probability / len(invalid.text) >= fit else ""
