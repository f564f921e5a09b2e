"""Outlines and subset fonts from an OpenType (CFF) font file, by fontTools.

Opening a CJK font takes a moment and each glyph a little, so both are kept for
the life of the process; so are compiled glyphs, from which a subset is joined.
Units are the font's own; ``Typeface.scale`` turns them into em.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from docproc.errors import InputError
from docproc.licence.page.cff import Glyph, assemble

Command = tuple[str, tuple[tuple[float, float], ...]]
"""``moveTo``, ``lineTo``, ``curveTo`` or ``closePath`` with its points, in font units, y upwards."""


@dataclass(frozen=True)
class Subset:
    """A font program with a few glyphs; glyph 0 is .notdef and the others follow in the order of ``characters``."""

    name: str
    """PostScript name with the subset tag that PDF asks for (ISO 32000-1, 9.6.4)."""
    program: bytes
    """Bare CFF, for ``/FontFile3 /CIDFontType0C``."""
    characters: str
    widths: tuple[int, ...]
    """Advance of each glyph in 1/1000 em, .notdef first."""


class Typeface:
    """One font file. Use :func:`typeface` to get the kept instance."""

    def __init__(self, path: Path) -> None:
        from fontTools.ttLib import TTFont

        self._font = TTFont(path, lazy=True)
        self._cmap: dict[int, str] = self._font.getBestCmap()
        self._glyphs: Any = self._font.getGlyphSet()
        self.units: int = self._font["head"].unitsPerEm
        self.ascent: int = self._font["OS/2"].sTypoAscender
        self.descent: int = self._font["OS/2"].sTypoDescender
        self.cap_height: int = self._font["OS/2"].sCapHeight
        self.box: tuple[int, int, int, int] = tuple(
            getattr(self._font["head"], key) for key in ("xMin", "yMin", "xMax", "yMax")
        )
        self.name: str = self._font["name"].getDebugName(6)
        self._outlines: dict[str, tuple[Command, ...]] = {}
        self._advances: dict[str, int] = {}
        self._programs: dict[str, Glyph] = {}

    def has(self, character: str) -> bool:
        """Whether the font can draw a character."""
        return ord(character) in self._cmap

    def advance(self, character: str) -> int:
        """Width of a character in font units.

        Raises:
            InputError: the font has no such character.
        """
        found = self._advances.get(character)
        if found is None:
            found = self._advances[character] = int(self._glyphs[self._glyph(character)].width)
        return found

    def width(self, text: str, size: float) -> float:
        """Width of a line of text, in the unit of ``size``."""
        return sum(self.advance(character) for character in text) * size / self.units

    def outline(self, character: str) -> tuple[Command, ...]:
        """Drawing commands of one character.

        Raises:
            InputError: the font has no such character.
        """
        from fontTools.pens.recordingPen import RecordingPen

        if character not in self._outlines:
            pen = RecordingPen()
            self._glyphs[self._glyph(character)].draw(pen)
            self._outlines[character] = tuple((name, tuple(points)) for name, points in pen.value)
        return self._outlines[character]

    def subset(self, characters: str) -> Subset:
        """Make a font with just these characters, sorted; the same characters always give the same bytes."""
        wanted = "".join(sorted(set(characters)))
        return _subset(self, wanted)

    def program(self, character: str) -> Glyph:
        """Glyph program without subroutines or hints; the empty character's is .notdef, which inks nothing."""
        if character not in self._programs:
            self._programs[character] = self._compiled(character)
        return self._programs[character]

    def _compiled(self, character: str) -> Glyph:
        from fontTools.pens.boundsPen import BoundsPen
        from fontTools.pens.t2CharStringPen import T2CharStringPen

        pen, box = T2CharStringPen(self.advance(character) if character else self.units, None), BoundsPen(None)
        for name, points in self.outline(character) if character else ():
            getattr(pen, name)(*points)
            getattr(box, name)(*points)
        made = pen.getCharString()
        made.compile()
        return Glyph(f"u{ord(character):05X}" if character else ".notdef", bytes(made.bytecode), box.bounds)

    def _glyph(self, character: str) -> str:
        name = self._cmap.get(ord(character))
        if name is None:
            point = f"U+{ord(character):04X}"
            raise InputError(
                f"font {self.name} has no glyph for {point}: use a font that has it",
                message_zh=f"字库缺少汉字“{character}”（{point}），请联系管理员补充字库",
            )
        return name


@lru_cache(maxsize=4)
def typeface(path: Path) -> Typeface:
    """Open a font file, once for each process."""
    return Typeface(path)


@lru_cache(maxsize=64)
def _subset(face: Typeface, characters: str) -> Subset:
    advances = [face.units, *(face.advance(character) for character in characters)]
    tag = _tag(face.name + characters)
    program = assemble(f"{tag}+{face.name}", face.name, [face.program(character) for character in ("", *characters)])
    widths = tuple(round(value * 1000 / face.units) for value in advances)
    return Subset(f"{tag}+{face.name}", program, characters, widths)


def _tag(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(chr(ord("A") + value % 26) for value in digest[:6])
