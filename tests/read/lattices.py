"""Lattices with given posteriors, as an engine would return them for a line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from docproc.read.engine.recogniser import BLANK, Lattice

Step = dict[str, float]
"""Posterior of each character at one time step; the remainder is the blank's."""


def lattice(steps: Sequence[Step]) -> Lattice:
    """One step for each character, a sure blank after it; what a step leaves over is the blank's."""
    charset = ("", *sorted({char for step in steps for char in step}))
    probs = np.zeros((2 * len(steps), len(charset)), dtype=np.float32)
    for t, step in enumerate(steps):
        for char, p in step.items():
            probs[2 * t, charset.index(char)] = p
        probs[2 * t, BLANK] = max(0.0, 1.0 - sum(step.values()))
        probs[2 * t + 1, BLANK] = 1.0
    return Lattice(probs, np.arange(len(charset), dtype=np.int32), charset, 1.0)


def written(text: str, p: float = 0.995) -> list[Step]:
    return [{char: p} for char in text]
