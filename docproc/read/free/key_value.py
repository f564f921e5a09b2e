"""Key-value association: assign each text segment of a free page to its printed label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from docproc.read.decoding.glyphs import Glyph
from docproc.read.free.labels import Label

SAME_ROW = 0.65
"""Maximum vertical offset of a value from its label, in heights."""
FOLLOWS = 1.75
"""Maximum line spacing inside a value, in heights of the larger line."""
FIRST_FOLLOWS = 2.4
"""Maximum line spacing between a label and a value below it, in heights."""
INDENT = 2.6
"""Maximum horizontal offset between the first line of a value and a continuation, in heights."""
SPLIT = 3.0
"""Minimum gap, in heights, that splits a line into segments."""
MAX_HEIGHT_RATIO = 1.7
"""Maximum ratio of the heights of segments of one value; a watermark's characters are larger."""
MAX_LABEL_RATIO = 2.2
"""Maximum ratio of the heights of label and value: handwriting is larger than print, a watermark larger still."""
SAME_VALUE, SPACED_VALUE = 2.0, 4.5
"""Maximum gap, in heights, between segments of one value; the second for spaced values."""

LOOSE_BESIDE, LOOSE_BELOW = 6.0, 3.0
"""Maximum distance, in heights, beside a value or below its last line, of a loose segment that may continue it."""
FULL = 3.0
"""Minimum distance, in heights, from a line's end to the right edge of the text for the line not to be full."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive characters of one line, without wide gaps."""

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
        """Vertical centre at its left end, pixels."""
        return self.glyphs[0].y

    @property
    def h(self) -> float:
        """Height of its line, pixels."""
        return self.glyphs[0].h


@dataclass(slots=True)
class Value:
    """The segments of one label, top to bottom, left to right."""

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
    """Cut the rows without their labels into segments, at line ends and wide gaps."""
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
    """Assign segments to labels.

    Args:
        labels: see :func:`docproc.read.free.labels.find_labels`.
        segments: see :func:`segments_of`.
        most_lines: maximum number of lines of a value by field name; 1 for all others.
        spaced: fields whose values are printed with wide gaps: dates with blanks for their numbers.

    Returns:
        One value for each label, and the segments without label.
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
    return values, _assign_below(values, _append_behind(values, rest, spaced))


def _reach(value: Value, spaced: frozenset[str]) -> float:
    return SPACED_VALUE if value.label.key in spaced else SAME_VALUE


def _beside(value: Value, segment: Segment, spaced: frozenset[str]) -> bool:
    label = value.label
    if segment.x0 < label.x1 - 0.6 * label.h or not _similar_height(value, segment):
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


def _similar_height(value: Value, segment: Segment) -> bool:
    heights = [piece.h for piece in value.segments]
    like, most = (heights[0], MAX_HEIGHT_RATIO) if heights else (value.label.h, MAX_LABEL_RATIO)
    return 1 / most < segment.h / max(like, 1.0) < most


def _continues(value: Value, segment: Segment, most: int, spaced: frozenset[str]) -> bool:
    if not value.lines or value.label.y > segment.y or not _similar_height(value, segment):
        return False
    last, start = value.lines[-1], value.lines[0][0].x0
    tall = max(segment.h, last[0].h)
    if abs(last[-1].y - segment.y) < 0.5 * segment.h:
        return -segment.h < segment.x0 - last[-1].x1 < _reach(value, spaced) * segment.h
    if len(value.lines) >= most or segment.y - last[0].y > FOLLOWS * tall:
        return False
    hangs = value.label.x0 - segment.h < segment.x0 < start < segment.x1
    return hangs or abs(segment.x0 - start) < INDENT * tall


def _append_behind(values: Sequence[Value], rest: Sequence[Segment], spaced: frozenset[str]) -> list[Segment]:
    """Append segments behind the last line of a value that were processed before it, being slightly higher."""
    left = []
    for segment in rest:
        # As for a value with all its lines: only segments level with the last one count.
        behind = [v for v in values if v.lines[1:] and _continues(v, segment, 1, spaced)]
        if behind:
            _add(max(behind, key=lambda v: (v.label.x0, v.label.y)), segment)
        else:
            left.append(segment)
    return left


def may_continue(value: Value, loose: Segment) -> bool:
    """Whether a segment without label may continue a value: beside one of its lines, or as the next line."""
    if not value.lines or not _similar_height(value, loose) or len(loose.glyphs) < 2:
        return False
    last = value.lines[-1]
    tall = max(loose.h, last[0].h)
    start, end = min(s.x0 for s in value.segments), max(s.x1 for s in value.segments)
    level = [line[-1].x1 for line in value.lines if abs(line[-1].y - loose.y) < SAME_ROW * tall]
    if level:
        return any(-tall < loose.x0 - right < LOOSE_BESIDE * tall for right in level)
    below = 0 < loose.y - last[0].y < LOOSE_BELOW * tall
    # A list continues directly below, running text only below a full line: a short name had room for more.
    full = max(end, loose.x1) - last[-1].x1 < FULL * tall
    return below and (full or abs(loose.x0 - start) < tall) and min(end, loose.x1) - max(start, loose.x0) > 0


def _assign_below(values: Sequence[Value], rest: Sequence[Segment]) -> list[Segment]:
    """Assign the segment directly below a label that has none beside it."""
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
