"""Fonts are checked, merged, and their absence is told clearly."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph

from docproc.errors import SetupError
from samples.fonts import checked, merge, unpack


def square() -> Glyph:
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((0, 500))
    pen.lineTo((500, 500))
    pen.lineTo((500, 0))
    pen.closePath()
    return pen.glyph()


def subset_of(characters: str) -> bytes:
    names = [".notdef", *(f"uni{ord(c):04X}" for c in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): f"uni{ord(c):04X}" for c in characters})
    builder.setupGlyf({name: square() for name in names})
    builder.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Sample", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.font.flavor = "woff2"
    out = io.BytesIO()
    builder.font.save(out)
    return out.getvalue()


def test_subsets_become_one_font(tmp_path: Path) -> None:
    archive = tmp_path / "fonts.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        for number, characters in enumerate(("样例", "字体")):
            data = subset_of(characters)
            info = tarfile.TarInfo(f"package/files/sample-{number}-400-normal.woff2")
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    with TTFont(merge(unpack(archive, tmp_path), tmp_path / "merged.ttf")) as merged:
        assert {chr(c) for c in merged.getBestCmap()} == set("样例字体")


def test_another_archive_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "fonts.tgz"
    archive.write_bytes(b"something else")
    with pytest.raises(SetupError, match="do not use it"):
        checked(archive, "0" * 64)


def test_without_npm_the_message_says_what_to_do(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from samples.fonts import fetch; fetch(Path({str(tmp_path / 'fonts')!r}))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": str(tmp_path), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "install Node.js" in done.stderr
