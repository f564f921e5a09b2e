"""Putting a CFF font program together (Adobe Technical Note 5176) from glyph programs that are compiled already.

The same bytes as fontTools writes (tested), which compiles every glyph again for each font: a page's fonts then cost a
third of the whole licence. Here a glyph is compiled once a process, and a font is a matter of joining bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STANDARD_STRINGS = 391
"""Strings that CFF numbers by itself (appendix A); a font's own ones come after them."""
_FULL_NAME, _FONT_BOX, _CHARSET, _CHAR_STRINGS, _PRIVATE = b"\x02", b"\x05", b"\x0f", b"\x11", b"\x12"
"""Operators of a top DICT (table 9)."""
_NO_SUBROUTINES = b"\x00\x00"
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Glyph:
    """A glyph program by itself: it needs no subroutines."""

    name: str
    program: bytes
    """Type 2 charstring."""
    box: Box | None
    """What it inks, in font units; ``None`` for a blank one."""


def assemble(name: str, full_name: str, glyphs: Sequence[Glyph]) -> bytes:
    """A font with these glyphs.

    Args:
        name: PostScript name.
        full_name: of the font that it is taken from.
        glyphs: at least one; the first is .notdef.
    """
    own = [glyph.name for glyph in glyphs[1:]]
    strings = _index([item.encode("latin-1") for item in (*own, full_name)])
    head = _index([name.encode("latin-1")])
    charset = _charset(len(own))
    programs = _index([glyph.program for glyph in glyphs])
    fixed = _integer(_STANDARD_STRINGS + len(own)) + _FULL_NAME + _box(glyphs)
    places, length = (0, 0, 0), -1
    while True:  # the offsets stand in a DICT whose length depends on them
        top = _index([fixed + _places(*places)])
        if len(top) == length:
            break
        length = len(top)
        start = 4 + len(head) + length + len(strings) + len(_NO_SUBROUTINES)
        places = (start, start + len(charset), start + len(charset) + len(programs))
    whole = head + top + strings + _NO_SUBROUTINES + charset + programs
    return bytes((1, 0, 4, _offset_size(4 + len(whole)))) + whole


def _places(charset: int, programs: int, private: int) -> bytes:
    """Where the parts are; the private DICT is empty."""
    parts = (charset, _CHARSET), (0, b""), (private, _PRIVATE), (programs, _CHAR_STRINGS)
    return b"".join(_integer(value) + operator for value, operator in parts)


def _box(glyphs: Sequence[Glyph]) -> bytes:
    boxes = [glyph.box for glyph in glyphs if glyph.box is not None]
    if not boxes:
        return b""
    left, bottom, right, top = zip(*boxes, strict=True)
    sides = math.floor(min(left)), math.floor(min(bottom)), math.ceil(max(right)), math.ceil(max(top))
    return b"".join(map(_integer, sides)) + _FONT_BOX if any(sides) else b""


def _charset(count: int) -> bytes:
    """Glyph names are the first of the font's own strings, in order: one range (tables 17 to 20)."""
    if count < 2:
        return b"\x00" + _STANDARD_STRINGS.to_bytes(2, "big") * count
    wide = count > 256
    first = _STANDARD_STRINGS.to_bytes(2, "big")
    return (b"\x02" if wide else b"\x01") + first + (count - 1).to_bytes(2 if wide else 1, "big")


def _index(items: Sequence[bytes]) -> bytes:
    """An INDEX (section 5) of at least one item."""
    offsets = [1]
    for item in items:
        offsets.append(offsets[-1] + len(item))
    size = _offset_size(offsets[-1])
    table = b"".join(offset.to_bytes(size, "big") for offset in offsets)
    return len(items).to_bytes(2, "big") + bytes((size,)) + table + b"".join(items)


def _offset_size(largest: int) -> int:
    return max(1, (largest.bit_length() + 7) // 8)


def _integer(value: int) -> bytes:
    """An operand of a DICT (table 3)."""
    if -107 <= value <= 107:
        return bytes((value + 139,))
    if 108 <= value <= 1131:
        high, low = divmod(value - 108, 256)
        return bytes((high + 247, low))
    if -1131 <= value <= -108:
        high, low = divmod(-value - 108, 256)
        return bytes((high + 251, low))
    if -32768 <= value <= 32767:
        return b"\x1c" + value.to_bytes(2, "big", signed=True)
    return b"\x1d" + value.to_bytes(4, "big", signed=True)
