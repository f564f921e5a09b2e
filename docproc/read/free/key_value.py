"""Give each piece of writing of a free page to the printed label it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from docproc.read.decoding.glyphs import Glyph
from docproc.read.free.labels import Label

SAME_ROW = 0.65
"""A value's middle lies within so many label heights of its label's middle."""
FOLLOWS = 1.75
"""A line that continues a value lies at most so many of its heights (the larger) below the last one."""
FIRST_FOLLOWS = 2.4
"""The same for a value that starts in the row below its label."""
INDENT = 2.6
"""A continuation starts at most so many heights left or right of where the value started."""
SPLIT = 3.0
"""A gap of so many heights inside a line splits it."""
ALIKE = 1.7
"""Pieces of one value differ in height by at most this factor; a watermark's characters are larger."""
ALIKE_LABEL = 2.2
"""So do a label and what stands beside it: a hand writes larger than print, a watermark is larger still."""
SAME_VALUE, SPACED_VALUE = 2.0, 4.5
"""A piece further right than this (heights) belongs to something else; the second for values that are spaced out."""

BESIDE_LOOSE, BELOW_LOOSE = 6.0, 3.0
"""A piece without a label so many heights right of a value, or below its last line, may be the rest of it."""
FULL = 3.0
"""A line that ends so many heights before the text around it is not full."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of characters of one line that belongs to one label."""

    glyphs: tuple[Glyph, ...]
    row: int

    @property
    def x0(self) -> float:
        """Left edge, pixels."""
        return self.glyphs[0].x - self.glyphs[0].half

    @property
    def x1(self) -> float:
        """Right edge, pixels."""
        return self.glyphs[-1].x + self.glyphs[-1].half

    @property
    def y(self) -> float:
        """Middle at its left end."""
        return self.glyphs[0].y

    @property
    def h(self) -> float:
        """Height of its line."""
        return self.glyphs[0].h


@dataclass(slots=True)
class Value:
    """What stands beside one label, top to bottom, left to right."""

    label: Label
    lines: list[list[Segment]] = field(default_factory=list)

    @property
    def segments(self) -> list[Segment]:
        """All segments in reading order."""
        return [segment for line in self.lines for segment in line]

    @property
    def text(self) -> str:
        """The characters as one string."""
        return "".join(glyph.char for segment in self.segments for glyph in segment.glyphs)


def segments_of(rows: Sequence[Sequence[Glyph]], labels: Sequence[Label]) -> list[Segment]:
    """What is left of the rows when the labels are taken out, cut at line ends and wide gaps."""
    found = []
    for index, row in enumerate(rows):
        label_at = {i for label in labels if label.row == index for i in range(label.start, label.end)}
        run: list[Glyph] = []
        for place, glyph in enumerate(row):
            cut = place in label_at or (run and (glyph.line != run[-1].line or glyph.x - run[-1].x > SPLIT * glyph.h))
            if cut and run:
                found.append(Segment(tuple(run), index))
                run = []
            if place not in label_at and not (not run and glyph.char in ":;,.·、"):
                run.append(glyph)
        if run:
            found.append(Segment(tuple(run), index))
    return sorted(found, key=lambda s: (s.y, s.x0))


def assign_segments(
    labels: Sequence[Label], segments: Sequence[Segment], most_lines: dict[str, int], spaced: frozenset[str]
) -> tuple[list[Value], list[Segment]]:
    """Give segments to labels.

    Args:
        labels: see :func:`docproc.read.free.labels.find_labels`.
        segments: see :func:`segments_of`.
        most_lines: by field name, how many lines a value may take; 1 where it is not named.
        spaced: fields whose values are printed with wide gaps: dates with places left for their numbers.

    Returns:
        One value for each label, and the segments that belong to none.
    """
    values = [Value(label) for label in labels]
    rest = []
    for segment in segments:
        beside = [v for v in values if _beside(v, segment, spaced)]
        if beside:
            owner = max(beside, key=lambda v: v.label.x1)
            _add(owner, segment)
            continue
        above = [v for v in values if _continues(v, segment, most_lines.get(v.label.key, 1), spaced)]
        if above:
            _add(max(above, key=lambda v: (v.label.x0, v.label.y)), segment)
        else:
            rest.append(segment)
    return values, _take_below(values, _take_behind(values, rest, spaced))


def _reach(value: Value, spaced: frozenset[str]) -> float:
    return SPACED_VALUE if value.label.key in spaced else SAME_VALUE


def _beside(value: Value, segment: Segment, spaced: frozenset[str]) -> bool:
    label = value.label
    if segment.x0 < label.x1 - 0.6 * label.h or not _alike(value, segment):
        return False
    level = SAME_ROW * max(label.h, segment.h) + 0.006 * (segment.x0 - label.x1)
    if abs(segment.y - label.y) >= level:
        return False
    end = max((s.x1 for s in value.segments), default=label.x1 + 5 * label.h)
    return segment.x0 - end < _reach(value, spaced) * max(label.h, segment.h)


def _add(value: Value, segment: Segment) -> None:
    for line in value.lines:
        if abs(line[-1].y - segment.y) < 0.6 * segment.h and not _overlaps(line, segment):
            line.append(segment)
            line.sort(key=lambda s: s.x0)
            return
    value.lines.append([segment])
    value.lines.sort(key=lambda line: line[0].y)


def _overlaps(line: Sequence[Segment], segment: Segment) -> bool:
    return any(min(s.x1, segment.x1) - max(s.x0, segment.x0) > 0.5 * segment.h for s in line)


def _alike(value: Value, segment: Segment) -> bool:
    heights = [piece.h for piece in value.segments]
    like, most = (heights[0], ALIKE) if heights else (value.label.h, ALIKE_LABEL)
    return 1 / most < segment.h / max(like, 1.0) < most


def _continues(value: Value, segment: Segment, most: int, spaced: frozenset[str]) -> bool:
    if not value.lines or value.label.y > segment.y or not _alike(value, segment):
        return False
    last, start = value.lines[-1], value.lines[0][0].x0
    tall = max(segment.h, last[0].h)
    if abs(last[-1].y - segment.y) < 0.5 * segment.h:
        return -segment.h < segment.x0 - last[-1].x1 < _reach(value, spaced) * segment.h
    if len(value.lines) >= most or segment.y - last[0].y > FOLLOWS * tall:
        return False
    hangs = value.label.x0 - segment.h < segment.x0 < start < segment.x1
    return hangs or abs(segment.x0 - start) < INDENT * tall


def _take_behind(values: Sequence[Value], rest: Sequence[Segment], spaced: frozenset[str]) -> list[Segment]:
    """A value's last line takes the piece behind it that was looked at before it: it stands a hair higher."""
    left = []
    for segment in rest:
        # As for a value that has all its lines: only what is level with the last one counts.
        behind = [v for v in values if v.lines[1:] and _continues(v, segment, 1, spaced)]
        if behind:
            _add(max(behind, key=lambda v: (v.label.x0, v.label.y)), segment)
        else:
            left.append(segment)
    return left


def may_continue(value: Value, loose: Segment) -> bool:
    """Whether a piece that belongs to no label may be the rest of a value: beside one of its lines, or next below."""
    if not value.lines or not _alike(value, loose) or len(loose.glyphs) < 2:
        return False
    last = value.lines[-1]
    tall = max(loose.h, last[0].h)
    start, end = min(s.x0 for s in value.segments), max(s.x1 for s in value.segments)
    level = [line[-1].x1 for line in value.lines if abs(line[-1].y - loose.y) < SAME_ROW * tall]
    if level:
        return any(-tall < loose.x0 - right < BESIDE_LOOSE * tall for right in level)
    below = 0 < loose.y - last[0].y < BELOW_LOOSE * tall
    # A list goes on right below itself, running text where its line is full: more had room beside a short name.
    full = max(end, loose.x1) - last[-1].x1 < FULL * tall
    return below and (full or abs(loose.x0 - start) < tall) and min(end, loose.x1) - max(start, loose.x0) > 0


def _take_below(values: Sequence[Value], rest: Sequence[Segment]) -> list[Segment]:
    """A label with nothing beside it takes the piece right below it."""
    left = list(rest)
    for value in values:
        if value.lines or not value.label.key:
            continue
        label = value.label
        below = [s for s in left if 0 < s.y - label.y < FIRST_FOLLOWS * max(s.h, label.h) and _under(label, s)]
        if below:
            first = min(below, key=lambda s: s.y)
            value.lines.append([first])
            left.remove(first)
    return left


def _under(label: Label, segment: Segment) -> bool:
    return label.x0 - 1.5 * label.h < segment.x0 < label.x1
