from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pymupdf
import pytest
import zxingcpp
from fontTools.cffLib import CFFFontSet
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader

from docproc.assets.paths import SERIF, font
from docproc.domain import Licence
from docproc.errors import InputError
from docproc.licence.page.canvas import Canvas
from docproc.licence.page.glyphs import typeface
from docproc.licence.page.icc import srgb
from docproc.licence.page.layout import load_layout
from docproc.licence.page.record import licence_json
from docproc.licence.page.render import chinese_date, render
from tests.judges.tools import qpdf_check

KINDS = ("food_business", "sole_trader", "social_insurance")


def test_the_same_licence_is_the_same_bytes(licence: Licence) -> None:
    layout = load_layout("food_business")
    first = render(licence, layout)
    assert first == render(licence, layout)
    other = render(replace(licence, holder="示例市另一样例餐饮店（样例）"), layout)
    assert other != first
    assert identity(first) != identity(other)


def identity(pdf: bytes) -> bytes:
    found = re.search(rb"/ID \[<([0-9a-f]{32})>", pdf)
    assert found
    return found[1]


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_the_licence_says_is_on_the_page(licence: Licence, kind: str) -> None:
    words = pymupdf.open(stream=render(licence, load_layout(kind)))[0].get_text().replace("\n", "")
    for _, _, value in licence.fields:
        assert value in words
    for value in (licence.number, licence.authority, chinese_date(licence.issued_on), licence.identifier):
        assert value in words


def test_the_data_are_attached_byte_for_byte(licence: Licence, pdf: bytes) -> None:
    document = pymupdf.open(stream=pdf)
    assert document.embfile_names() == ["licence.json"]
    assert document.embfile_get("licence.json") == licence_json(licence)
    root = PdfFileReader(io.BytesIO(pdf)).root
    spec = root["/AF"][0]
    assert spec["/AFRelationship"] == "/Data"
    assert spec["/EF"]["/F"]["/Subtype"] == "/application/json"


def test_the_qr_code_leads_to_verification(licence: Licence, pdf: bytes) -> None:
    pixels = pymupdf.open(stream=pdf)[0].get_pixmap(dpi=150)
    codes = zxingcpp.read_barcodes(Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples))
    assert [code.text for code in codes] == [licence.verify_url]


def test_pdf_a_parts_are_there(pdf: bytes) -> None:
    reader = PdfFileReader(io.BytesIO(pdf))
    root = reader.root
    intent = root["/OutputIntents"][0]
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].data == srgb()
    metadata = root["/Metadata"].data.decode()
    assert "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>" in metadata
    assert "食品经营许可证 JY29900990000015" in metadata
    assert "/Info" not in reader.trailer, "nothing that could contradict the metadata"


def test_fonts_are_embedded_subsets(licence: Licence, pdf: bytes) -> None:
    reader = PdfFileReader(io.BytesIO(pdf))
    fonts = reader.root["/Pages"]["/Kids"][0]["/Resources"]["/Font"]
    assert set(fonts) == {"/serif", "/sans"}
    for name in fonts:
        descendant = fonts[name]["/DescendantFonts"][0]
        program = descendant["/FontDescriptor"]["/FontFile3"].data
        assert re.fullmatch(r"/[A-Z]{6}\+Noto.*", str(descendant["/BaseFont"]))
        assert len(program) < 60_000
        cff = CFFFontSet()
        cff.decompile(io.BytesIO(program), None)
        assert len(cff[0].charset) == len(descendant["/W"][1]), "a width for every glyph"


@pytest.mark.parametrize("kind", KINDS)
def test_qpdf_finds_no_fault(licence: Licence, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "licence.pdf"
    path.write_bytes(render(licence, load_layout(kind)))
    assert qpdf_check(path) == ""


def test_long_text_is_set_smaller_and_nothing_is_lost(licence: Licence) -> None:
    scope = "；".join(f"样例经营项目第{index}项（不含须经批准的项目）" for index in range(14))
    long = replace(licence, fields=(*licence.fields[:3], ("items", "经营项目", scope)))
    words = pymupdf.open(stream=render(long, load_layout("food_business")))[0].get_text().replace("\n", "")
    assert scope in words


def test_text_that_cannot_fit_is_refused(licence: Licence) -> None:
    long = replace(licence, holder="示例市样例餐饮店（样例）" * 60)
    with pytest.raises(InputError, match="does not fit"):
        render(long, load_layout("food_business"))


def test_a_character_without_a_glyph_is_refused_not_dropped(licence: Licence) -> None:
    with pytest.raises(InputError, match="no glyph"):
        render(replace(licence, fields=(("x", "标签", "\U0010fffd"),)), load_layout("food_business"))


def test_fields_that_the_layout_does_not_name_are_printed_too(licence: Licence) -> None:
    more = replace(licence, fields=(*licence.fields, ("remark", "备注", "仅限样例使用")))
    words = pymupdf.open(stream=render(more, load_layout("food_business")))[0].get_text()
    assert "备注" in words.replace("\n", "")
    assert "仅限样例使用" in words


def test_dates_are_printed_in_chinese() -> None:
    assert chinese_date(date(2026, 1, 2)) == "2026年01月02日"
    assert chinese_date(None) == "长期"


def test_icc_profile_is_one_that_colour_managers_accept() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(io.BytesIO(srgb()))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    standard = ImageCms.createProfile("sRGB")
    convert = ImageCms.buildTransform(profile, standard, "RGB", "RGB")
    for colour in ((255, 0, 0), (12, 200, 90), (128, 128, 128)):
        picture = ImageCms.applyTransform(Image.new("RGB", (1, 1), colour), convert)
        assert picture is not None
        assert max(abs(a - b) for a, b in zip(picture.getpixel((0, 0)), colour, strict=True)) <= 1


def test_rendering_does_not_depend_on_what_was_rendered_before(licence: Licence, pdf: bytes) -> None:
    render(replace(licence, holder="前一份"), load_layout("sole_trader"))
    again = render(licence, load_layout("food_business"))
    assert hashlib.sha256(again).digest() == hashlib.sha256(pdf).digest()


def test_lines_break_where_they_may(licence: Licence) -> None:
    canvas = Canvas(297, 210)
    canvas.face("serif", typeface(font(SERIF)))
    text = "示例市示例区样例路100号一层101、102室（样例大厦北门）销售（不含须经批准的项目）。"
    for width in range(20, 90, 3):
        lines = canvas.wrap(text, 12, width, "serif")
        assert "".join(lines) == text
        assert all(canvas.measure(line, 12, "serif") <= width + 10 for line in lines)
        assert not any(line[0] in "，。；、）" or line[-1] in "（" for line in lines)
        assert not any(a[-1].isdigit() and b[0].isdigit() for a, b in pairwise(lines)), "numbers stay whole"
