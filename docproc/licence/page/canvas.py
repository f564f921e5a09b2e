"""Drawing on one page in millimetres from its top left corner, as a PDF content stream."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from docproc.licence.page.glyphs import Subset, Typeface

PT = 72 / 25.4
"""Points in a millimetre."""
Colour = tuple[float, float, float]
_PIECES = re.compile(r"[A-Za-z0-9]+|.")  # numbers and words stay on one line where they can
_NO_END = "（《“("
_NO_START = "，。；：、！？）》”’％%),.;:"


@dataclass(frozen=True)
class _TextRun:
    """A line of text whose glyph codes are not known yet."""

    key: str
    before: str
    value: str


class Canvas:
    """Collects drawing; text is encoded at the end, when all characters are known and the fonts are subset."""

    def __init__(self, width: float, height: float) -> None:
        """Take the page size in mm."""
        self.width, self.height = width, height
        self._parts: list[str | _TextRun] = []
        self._faces: dict[str, Typeface] = {}
        self._used: dict[str, set[str]] = {}

    def face(self, key: str, face: Typeface) -> None:
        """Name a font for :meth:`text`; ``key`` becomes its resource name."""
        self._faces[key], self._used[key] = face, set()

    def raw(self, operators: str) -> None:
        """Add content stream operators as they are (points from the lower left corner)."""
        self._parts.append(operators)

    def text(
        self, x: float, y: float, value: str, size: float, *, key: str, colour: Colour, align: str = "left"
    ) -> None:
        """Write one line with its baseline at ``y``; ``size`` in points, ``align`` left, centre or right of ``x``."""
        width = self.measure(value, size, key)
        left = x - {"left": 0.0, "centre": width / 2, "right": width}[align]
        self._show(left, y, value, size, key, colour, 0.0)

    def spread(self, x: float, y: float, width: float, value: str, size: float, *, key: str, colour: Colour) -> None:
        """Write one line whose characters are spread evenly over ``width``, as labels of a form are."""
        natural = self.measure(value, size, key)
        gap = (width - natural) / (len(value) - 1) if len(value) > 1 else 0.0
        self._show(x, y, value, size, key, colour, max(gap, 0.0))

    def measure(self, value: str, size: float, key: str) -> float:
        """Width of a line in mm."""
        return self._faces[key].width(value, size) / PT

    def wrap(self, value: str, size: float, width: float, key: str) -> list[str]:
        """Break text into lines of at most ``width`` mm; none starts with closing or ends with opening punctuation."""
        lines: list[str] = []
        for paragraph in value.split("\n"):
            line = ""
            for piece in _PIECES.findall(paragraph):
                for part in [piece] if self.measure(piece, size, key) <= width else piece:
                    if line and self.measure(line + part, size, key) > width and part not in _NO_START:
                        kept = line.rstrip(_NO_END) or line
                        lines.append(kept)
                        line = line[len(kept) :]
                    line += part
            lines.append(line)
        return lines

    def line(self, points: Sequence[tuple[float, float]], width: float, colour: Colour) -> None:
        """Stroke a polyline; ``width`` in mm."""
        path = " ".join(f"{self._at(x, y)} {'l' if index else 'm'}" for index, (x, y) in enumerate(points))
        self.raw(f"q {_rgb(colour)} RG {number(width * PT)} w {path} S Q")

    def frame(self, inset: float, width: float, colour: Colour) -> None:
        """Stroke a rectangle ``inset`` mm from the page's edge."""
        size = f"{number((self.width - 2 * inset) * PT)} {number((self.height - 2 * inset) * PT)}"
        self.raw(f"q {_rgb(colour)} RG {number(width * PT)} w {self._at(inset, self.height - inset)} {size} re S Q")

    def squares(self, x: float, y: float, module: float, rows: Sequence[Sequence[int]]) -> None:
        """Fill the dark modules of a matrix in black; ``module`` in mm, (x, y) its top left corner."""
        out = ["q 0 0 0 rg"]
        for row, cells in enumerate(rows):
            for column, length in _runs(cells):
                corner = self._at(x + column * module, y + (row + 1) * module)
                out.append(f"{corner} {number(length * module * PT)} {number(module * PT)} re")
        self.raw("\n".join([*out, "f Q"]))

    def fonts(self) -> dict[str, tuple[Typeface, Subset]]:
        """Subsets of the fonts that were used, by key."""
        return {
            key: (self._faces[key], self._faces[key].subset("".join(used))) for key, used in self._used.items() if used
        }

    def content(self) -> bytes:
        """The content stream, for fonts embedded as :meth:`fonts` gives them."""
        glyphs = {
            key: {character: f"{code:04X}" for code, character in enumerate(subset.characters, 1)}
            for key, (_, subset) in self.fonts().items()
        }
        out = []
        for part in self._parts:
            if isinstance(part, _TextRun):
                codes = "".join(glyphs[part.key][character] for character in part.value)
                out.append(f"{part.before} <{codes}> Tj ET")
            else:
                out.append(part)
        return "\n".join(out).encode("ascii")

    def _show(self, x: float, y: float, value: str, size: float, key: str, colour: Colour, gap: float) -> None:
        self._used[key].update(value)
        head = f"BT {_rgb(colour)} rg /{key} {number(size)} Tf {number(gap * PT)} Tc {self._at(x, y)} Td"
        self._parts.append(_TextRun(key, head, value))

    def _at(self, x: float, y: float) -> str:
        return f"{number(x * PT)} {number((self.height - y) * PT)}"


def number(value: float) -> str:
    """A PDF number with two decimals and no needless tail."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _rgb(colour: Colour) -> str:
    return " ".join(f"{part:g}" for part in colour)


def _runs(cells: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for column, dark in enumerate(cells):
        if not dark:
            continue
        if runs and sum(runs[-1]) == column:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((column, 1))
    return runs
