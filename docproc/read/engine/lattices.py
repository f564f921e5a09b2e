"""Cut and join lattices, so that a value can be decoded apart from the rest of its line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from docproc.read.engine.recogniser import BLANK, Lattice


def cut(lattice: Lattice, first: int, last: int) -> Lattice:
    """Return the time steps ``first`` to ``last`` (exclusive), with a width ratio of 1."""
    return Lattice(lattice.probs[first:last], lattice.columns, lattice.charset, 1.0)


def join(lattices: Sequence[Lattice]) -> Lattice:
    """Concatenate lattices, with a step of certain blank between them.

    Args:
        lattices: at least one, of one engine (the same charset).
    """
    if len(lattices) == 1:
        return lattices[0]
    columns = np.unique(np.concatenate([item.columns for item in lattices])).astype(np.int32)
    blank = np.zeros((1, len(columns)), dtype=np.float32)
    blank[0, BLANK] = 1.0
    parts = []
    for item in lattices:
        part = np.zeros((len(item.probs), len(columns)), dtype=np.float32)
        part[:, np.searchsorted(columns, item.columns)] = item.probs
        parts += [blank, part]
    return Lattice(np.concatenate(parts[1:]), columns, lattices[0].charset, 1.0)
