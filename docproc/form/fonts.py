"""Font subsetting: embed only the characters in use.

MuPDF's own subsetter fails on the CID-keyed outlines of the Noto CJK fonts (it keeps all 23 MB), so fontTools subsets
the font before it is embedded.
"""

from __future__ import annotations

import io
import string
from functools import lru_cache
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ALWAYS = frozenset(string.ascii_letters + string.digits + string.punctuation + " ")
"""Part of every subset, so that a form with another serial needs no new one."""


def subset_font(path: Path, text: str) -> bytes:
    """Subset a font to the glyphs of ``text`` and of ASCII; the same bytes for the same characters."""
    return _cut(path, frozenset(text) | ALWAYS)


@lru_cache(maxsize=16)
def _cut(path: Path, characters: frozenset[str]) -> bytes:
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE"]
    with TTFont(str(path), lazy=True, recalcTimestamp=False) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(text="".join(sorted(characters)))
        cutter.subset(font)
        small = _saved(font)
        return _number_cids(small) if "CFF " in font else small


def _saved(font: TTFont) -> bytes:
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def _number_cids(data: bytes) -> bytes:
    """Renumber each CID to its glyph id: PyMuPDF writes glyph ids where a CID-keyed font expects CIDs."""
    font = TTFont(io.BytesIO(data), lazy=False, recalcTimestamp=False)
    top = font["CFF "].cff.topDictIndex[0]
    if not hasattr(top, "ROS"):
        return data
    names = {old: f"cid{gid:05d}" if gid else ".notdef" for gid, old in enumerate(font.getGlyphOrder())}
    for table in font["cmap"].tables:
        if hasattr(table, "cmap"):
            table.cmap = {code: names[name] for code, name in table.cmap.items()}
    font["hmtx"].metrics = {names[name]: metric for name, metric in font["hmtx"].metrics.items()}
    strings = top.CharStrings
    strings.charStrings = {names[name]: index for name, index in strings.charStrings.items()}
    top.charset = list(names.values())
    font.setGlyphOrder(top.charset)
    return _saved(font)
