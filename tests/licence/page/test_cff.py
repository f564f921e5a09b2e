"""Font programs are joined from compiled glyphs: the same bytes as fontTools writes when it compiles everything."""

from __future__ import annotations

import io
import random

import pytest
from fontTools.cffLib import CFFFontSet
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen

from docproc.assets.paths import SANS, SERIF, font
from docproc.licence.page.glyphs import Typeface, typeface


def by_font_tools(face: Typeface, name: str, characters: str) -> bytes:
    """The subset as fontTools makes it from outlines."""
    programs = {".notdef": T2CharStringPen(face.units, None).getCharString()}
    for character in characters:
        pen = T2CharStringPen(face.advance(character), None)
        for command, points in face.outline(character):
            getattr(pen, command)(*points)
        programs[f"u{ord(character):05X}"] = pen.getCharString()
    builder = FontBuilder(face.units, isTTF=False)
    builder.setupGlyphOrder(list(programs))
    builder.setupCFF(name, {"FullName": face.name}, programs, {})
    out = io.BytesIO()
    builder.font["CFF "].cff.compile(out, builder.font)
    return out.getvalue()


@pytest.mark.parametrize("which", [SERIF, SANS])
@pytest.mark.parametrize("count", [1, 2, 7, 60, 256, 257, 700])
def test_a_subset_is_what_font_tools_would_write(which: str, count: int) -> None:
    face = typeface(font(which))
    rng = random.Random(f"{which}/{count}")
    drawn = [chr(point) for point in (*range(0x21, 0x7F), *range(0x4E00, 0x9F00), 0x20000) if face.has(chr(point))]
    made = face.subset("".join(rng.sample(drawn, count)))
    assert made.program == by_font_tools(face, made.name, made.characters)


def test_blank_characters_alone_and_among_others() -> None:
    face = typeface(font(SERIF))
    for characters in (" ", " 证"):
        made = face.subset(characters)
        assert made.program == by_font_tools(face, made.name, characters)


def test_a_subset_is_read_back_glyph_by_glyph() -> None:
    face = typeface(font(SANS))
    made = face.subset("电子证照 2026")
    read = CFFFontSet()
    read.decompile(io.BytesIO(made.program), None)
    (top,) = read.topDictIndex
    assert read.fontNames == [made.name] and top.charset[1:] == [f"u{ord(one):05X}" for one in made.characters]
    assert {top.CharStrings[name].calcBounds(None) is None for name in (".notdef", "u00020")} == {True}
