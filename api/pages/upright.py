"""Show a page upright: its picture is the page as submitted, and boxes are measured on that."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from docproc.domain import Box, Turn
from docproc.flow.applications.views import FieldView, ReadingView

_LINES = 1.5
"""Distance, in heights of the lower of two fields, from which the second lies on another line."""


def turn_of_reading(reading: ReadingView) -> Turn:
    """How a page is turned to stand upright: as the reading says, which knew the page's marks or its text."""
    if reading["turn"] is not None:
        return reading["turn"]
    return turn_of([field["box"] for field in reading["fields"] if field["box"]])


def turn_of(boxes: Sequence[Box]) -> Turn:
    """Guess the turn of an older reading, which did not say how the page lay, from where its fields lie.

    Lines of writing are wider than high, and a material names its fields from top to bottom. Fields of one row of a
    table say nothing of the direction: on a page that is a little askew they lie a little higher or lower.

    Args:
        boxes: of the fields, in the order of the material.

    Returns:
        The turn that makes most lines lie flat and their order go down; 0 with fewer than three lines.
    """
    lines = [b for b in boxes if max(_sides(b)) > 1.8 * min(_sides(b)) > 0]
    if len(lines) < 3:
        return 0
    upright = sum(_sides(b)[1] > _sides(b)[0] for b in lines)
    axis = 0 if 2 * upright > len(lines) else 1
    steps = [_step(sooner, later, axis) for sooner, later in pairwise(boxes)]
    onward = sum(step > 0 for step in steps) >= sum(step < 0 for step in steps)
    if axis == 1:
        return 0 if onward else 180
    return 90 if onward else 270


def _step(sooner: Box, later: Box, axis: int) -> float:
    """Distance from one field to the next across the lines; 0 on one line."""
    step = (later[axis] + later[axis + 2] - sooner[axis] - sooner[axis + 2]) / 2
    height = min(b[axis + 2] - b[axis] for b in (sooner, later))
    return step if abs(step) > _LINES * height else 0.0


def shown_box(field: FieldView) -> Box | None:
    """The part of a page that shows a field: its box, and the seals that people pressed across its edge."""
    boxes = [box for box in (field["box"], *(seal["box"] for seal in field["seals"])) if box is not None]
    if not boxes:
        return None
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


class Upright:
    """A picture of a page that is shown as it stands upright, for dataclasses with its size and turn."""

    __slots__ = ()

    width: int
    height: int
    turn: Turn

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright page."""
        return turned_size(self.width, self.height, self.turn)

    @property
    def transform(self) -> str:
        """SVG transform that makes the picture stand upright."""
        return transform(self.width, self.height, self.turn)


def turned_size(width: int, height: int, turn: Turn) -> tuple[int, int]:
    """Width and height after the turn."""
    return (height, width) if turn in (90, 270) else (width, height)


def transform(width: int, height: int, turn: Turn) -> str:
    """SVG transform that turns the page's pixels into its upright place."""
    shift = {0: (0, 0), 90: (height, 0), 180: (width, height), 270: (0, width)}[turn]
    return f"translate({shift[0]} {shift[1]}) rotate({turn})"


def turned_box(box: Box, width: int, height: int, turn: Turn) -> Box:
    """A box of the page as submitted, on the upright page."""
    x0, y0, x1, y1 = box
    if turn == 90:
        return (height - y1, x0, height - y0, x1)
    if turn == 180:
        return (width - x1, height - y1, width - x0, height - y0)
    if turn == 270:
        return (y0, width - x1, y1, width - x0)
    return box


def _sides(box: Box) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]
