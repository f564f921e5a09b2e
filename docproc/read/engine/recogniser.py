"""The interface of an OCR engine: text lines, each with the lattice of its CTC posteriors.

An engine is anything that satisfies :class:`Recogniser`; ours runs on OpenVINO
(:mod:`docproc.read.engine.openvino`), the reference is PaddleOCR (:mod:`docproc.read.engine.paddle`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""H×W×3, BGR."""
Quad = NDArray[np.float32]
"""4×2 corners in pixels, clockwise from the text's top-left."""

BLANK = 0
"""Index of the CTC blank in a charset and in :attr:`Lattice.columns`."""
KEEP = 1e-4
"""Minimum posterior, at any time step, of a character that a lattice keeps."""
# Characters of numbers, codes and dates: always kept, because a grammar may need an unlikely one.
CORE = frozenset(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz|/\\-–—.,:;()[]{}!+*#~ 　"
    "年月日号时分元角整万亿仟佰拾千百十零〇○一二三四五六七八九两廿卅壹贰叁肆伍陆柒捌玖至长期起口"
)


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """CTC posteriors of one crop: the probability of each character at each time step."""

    probs: NDArray[np.float32]
    """T×K posteriors of the kept characters; a row sums to at most 1, the remainder belongs to dropped ones."""
    columns: NDArray[np.int32]
    """K ascending indices into :attr:`charset`; the first is :data:`BLANK`."""
    charset: tuple[str, ...]
    """All characters of the model, shared between lattices; index 0 is the blank (an empty string)."""
    width_ratio: float
    """Share of the T steps that lie on the crop (the rest is padding): step ``t`` lies at ``t / (T * ratio)``."""

    @property
    def characters(self) -> list[str]:
        """The K characters of the columns; the blank is ``""``."""
        return [self.charset[i] for i in self.columns]

    def place(self, step: int, width: float) -> float:
        """Return the x of a time step in a crop ``width`` pixels wide."""
        return min((step + 0.5) / (len(self.probs) * self.width_ratio), 1.0) * width


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A detected text line, not yet recognised."""

    quad: Quad
    score: float
    """0..1, mean probability inside the quad."""


@dataclass(frozen=True, slots=True, eq=False)
class TextLine:
    """A recognised text line."""

    text: str
    confidence: float
    """0..1, mean posterior of the characters of the greedy reading; 0 when it is empty."""
    quad: Quad
    lattice: Lattice


class Recogniser(Protocol):
    """An OCR engine."""

    @property
    def name(self) -> str:
        """Engine and model, for logs and benchmarks."""

    def posteriors(self, crops: Sequence[Image]) -> list[Lattice]:
        """Recognise crops of one upright line each; the result has the order of the crops."""

    def quick(self, crops: Sequence[Image]) -> list[Lattice]:
        """As :meth:`posteriors`, with a faster, less exact network where the engine has one; in the same charset."""

    def detect(self, image: Image, letter_px: float = 0.0) -> list[Line]:
        """Detect the text lines of a page, in reading order.

        Args:
            image: the page.
            letter_px: typical letter height, pixels, or 0 if unknown: large print may be detected in a reduced image.
        """

    def read_lines(self, image: Image, letter_px: float = 0.0) -> list[TextLine]:
        """Detect and recognise all lines of a page, in reading order; arguments as of :meth:`detect`."""


def greedy(lattice: Lattice) -> tuple[str, float]:
    """Return the greedy CTC reading (best character per step, repeats and blanks removed) and its mean posterior."""
    if not len(lattice.probs):
        return "", 0.0
    best = lattice.probs.argmax(axis=1)
    fresh = np.ones(len(best), dtype=bool)
    fresh[1:] = best[1:] != best[:-1]
    steps = np.flatnonzero(fresh & (best != BLANK))
    if not len(steps):
        return "", 0.0
    text = "".join(lattice.charset[lattice.columns[best[t]]] for t in steps)
    return text, float(lattice.probs[steps, best[steps]].mean())


def prune(dense: NDArray[np.float32], charset: tuple[str, ...], core: NDArray[np.int32], width_ratio: float) -> Lattice:
    """Keep the relevant columns of a dense T×C posterior: a line of 40 characters then takes 0.3 MB instead of 18.

    Args:
        dense: T×C posteriors, C the length of ``charset``.
        charset: all characters, the blank first.
        core: ascending indices of the columns always kept (see :func:`core_columns`).
        width_ratio: see :attr:`Lattice.width_ratio`.
    """
    keep = dense.max(axis=0) >= KEEP if len(dense) else np.zeros(len(charset), dtype=bool)
    keep[core] = True
    columns = np.flatnonzero(keep).astype(np.int32)
    return Lattice(np.ascontiguousarray(dense[:, columns]), columns, charset, width_ratio)


def in_charset(lattice: Lattice, charset: tuple[str, ...], places: NDArray[np.int32]) -> Lattice:
    """Convert a lattice to the charset of another model.

    Args:
        lattice: of one model.
        charset: of the other.
        places: for each character of the lattice's model its index in ``charset``, -1 where it is not there.
    """
    columns = places[lattice.columns]
    order = np.argsort(columns, kind="stable")
    order = order[columns[order] >= 0]
    return Lattice(np.ascontiguousarray(lattice.probs[:, order]), columns[order], charset, lattice.width_ratio)


def core_columns(charset: tuple[str, ...]) -> NDArray[np.int32]:
    """Return the ascending indices of the blank and of :data:`CORE` in a charset."""
    return np.array([i for i, ch in enumerate(charset) if i == BLANK or ch in CORE], dtype=np.int32)
