"""250 hostile inputs, made by code with fixed seeds: what each is sent to, and what must be answered.

Nothing here comes from a real attack or holds anybody's data; each input is the smallest that has its kind of fault.
"""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import pillow_heif
import pymupdf

Surface = Literal["scan", "verify", "report", "photo", "matter", "json", "part", "path"]

SEED = 20261201
GIF_HEAD = b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0x80, 0, 0)
SIZE = (420, 300)
"""Height and width of the small page that most pictures here show."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One input."""

    name: str
    surface: Surface
    data: bytes
    expected: str
    """Of a scan: the code of its problem, or `read`. Of a file to verify: `reason`, or the integrity where a reason is
    none. Of the rest: the status, and the problem's code after a space. Alternatives stand between `|`."""
    type: str = "application/octet-stream"
    """The body's media type."""
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers of the request."""


def small_page() -> np.ndarray:
    """A page with a few strokes on it: nothing that anybody could read."""
    page = np.full((*SIZE, 3), 250, np.uint8)
    for row in range(40, 380, 30):
        page[row : row + 8, 30 : 270 - row % 70] = 60
    return page


def encoded(kind: str) -> bytes:
    return cv2.imencode(kind, small_page())[1].tobytes()


def heic() -> bytes:
    made = io.BytesIO()
    pillow_heif.from_bytes("RGB", SIZE[::-1], small_page().tobytes()).save(made)
    return made.getvalue()


def gif(width: int = 3, height: int = 2, body: bytes = b"\x02\x02\x84\x51\x00") -> bytes:
    """A GIF of one picture with four colours."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xA1, 0, 0) + bytes(range(12))
    return head + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + body + b"\x3b"


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1, the first its catalogue, with a cross-reference table that is right."""
    out, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (count, trailer, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table) + end


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def page_pdf(content: bytes, resources: bytes = b"", box: bytes = b"0 0 300 420", *more: bytes) -> bytes:
    """One page with this content; objects of ``more`` are numbered from 5."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R /Resources << %s >> >>" % (box, resources)
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return pdf(b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, stream(content), *more)


def flate(data: bytes, times: int = 1) -> tuple[bytes, bytes]:
    """Data packed so many times, and the filter that unpacks it."""
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data, b"/Filter [%s]" % (b" /FlateDecode" * times)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, packed: bytes, depth: int = 8, colour: int = 2, extra: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def tiff(*pages: tuple[tuple[int, int, int, int], ...], data: bytes = b"\0" * 64, loop: bool = False) -> bytes:
    """A TIFF of directories with (tag, kind, count, value) entries; ``data`` stands behind its header."""
    out = bytearray(b"II*\0\0\0\0\0" + data)
    link = 4
    for fields in pages:
        struct.pack_into("<I", out, link, len(out))
        out += struct.pack("<H", len(fields)) + b"".join(struct.pack("<HHII", *field) for field in fields)
        link = len(out)
        out += b"\0\0\0\0"
    if loop:
        struct.pack_into("<I", out, link, 8 + len(data))
    return bytes(out)


def tiff_page(
    width: int, height: int, offset: int = 8, length: int = 64, packing: int = 1
) -> tuple[tuple[int, int, int, int], ...]:
    """A grey page of one strip."""
    sizes = ((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, packing), (262, 3, 1, 1))
    return (*sizes, (273, 4, 1, offset), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, length))


def cut_off() -> Iterator[Hostile]:
    """Every kind of scan, cut where an interrupted upload would cut it."""
    kinds = {"jpeg": encoded(".jpg"), "png": encoded(".png"), "tiff": encoded(".tiff"), "webp": encoded(".webp")}
    for kind, data in {**kinds, "heic": heic()}.items():
        for share in (0.04, 0.2, 0.5, 0.8, 0.97):
            length = max(16, int(len(data) * share))
            yield Hostile(f"{kind} cut at {share:.0%}", "scan", data[:length], "damaged_file")
    for kind, magic in (
        ("jpeg", b"\xff\xd8\xff"),
        ("png", b"\x89PNG\r\n\x1a\n"),
        ("tiff", b"MM\0*"),
        ("gif", b"GIF87a"),
    ):
        yield Hostile(f"{kind} of its first bytes alone", "scan", magic, "damaged_file")
        yield Hostile(f"{kind} of zeros", "scan", magic + bytes(5000), "damaged_file")
    for share in (0.02, 0.1):
        data = page_pdf(b"0 0 m 9 9 l S")
        yield Hostile(
            f"pdf cut at {share:.0%}", "scan", data[: max(12, int(len(data) * share))], "damaged_file|no_pages"
        )


def not_scans() -> Iterator[Hostile]:
    """Files that are no scans, whatever their name says."""
    bombs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg>&b;</svg>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(10**6))
    kinds = {
        "nothing": (b"", "empty_file"),
        "zeros": (bytes(100_000), "unsupported_file"),
        "a program": (b"\x7fELF\x02\x01\x01" + bytes(200), "unsupported_file"),
        "a script": (b"#!/bin/sh\nrm -rf /\n", "unsupported_file"),
        "words": ("请审批".encode(), "unsupported_file"),
        "words in UTF-16": ("请审批".encode("utf-16"), "unsupported_file"),
        "a drawing": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "markup_file"),
        "entities that grow": (bombs, "markup_file"),
        "entities of files": (
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>',
            "markup_file",
        ),
        "a web page": (b"<!doctype html><html><script>fetch('/v1/keys')</script></html>", "markup_file"),
        "an archive": (packed.getvalue(), "office_file"),
        "an old document": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "office_file"),
        "a film": (b"\0\0\0\x18ftypmp42" + bytes(100), "unsupported_file"),
        "avif": (b"\0\0\0\x18ftypavif" + bytes(100), "heic_file"),
        "a sound": (b"RIFF\x40\0\0\0WAVEfmt " + bytes(100), "unsupported_file"),
        "postscript": (b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file", "unsupported_file"),
        "a bitmap": (b"BM" + bytes(200), "unsupported_file"),
        "jpeg 2000": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(200), "unsupported_file"),
        "sun raster": (b"\x59\xa6\x6a\x95" + bytes(200), "unsupported_file"),
        "openexr": (b"\x76\x2f\x31\x01" + bytes(200), "unsupported_file"),
        "radiance": (b"#?RADIANCE\n\n-Y 9 +X 9\n", "unsupported_file"),
    }
    for name, (data, code) in kinds.items():
        yield Hostile(name, "scan", data, code)
    chance = random.Random(SEED)
    for turn in range(6):
        yield Hostile(f"noise {turn}", "scan", b"\x01" + chance.randbytes(3000), "unsupported_file")


def lying_pictures() -> Iterator[Hostile]:
    """Pictures whose headers claim what is not there."""
    jpeg = encoded(".jpg")
    frame = jpeg.index(b"\xff\xc0")

    def sized(height: int, width: int) -> bytes:
        return jpeg[: frame + 5] + struct.pack(">HH", height, width) + jpeg[frame + 9 :]

    zeros = zlib.compress(bytes(10**6), 9)
    webp = encoded(".webp")
    huge_webp = (
        b"RIFF"
        + struct.pack("<I", 30)
        + b"WEBPVP8X"
        + struct.pack("<I", 10)
        + bytes(4)
        + b"\xff\xff\xff" * 2
        + bytes(8)
    )
    kinds = {
        "jpeg of 65535 x 65535": (sized(65535, 65535), "too_many_pixels"),
        "jpeg of no height": (sized(0, 300), "damaged_file"),
        "jpeg with two frames": (jpeg[:2] + jpeg[frame : frame + 19] + jpeg[2:], "damaged_file"),
        "jpeg of 30000 empty segments": (b"\xff\xd8" + b"\xff\xe5\0\x02" * 30_000 + b"\xff\xd9", "damaged_file"),
        "jpeg whose segment is longer than it": (b"\xff\xd8\xff\xe1\xff\xff" + bytes(60) + b"\xff\xd9", "damaged_file"),
        "png of 60000 x 60000": (png(60_000, 60_000, zeros), "too_many_pixels"),
        "png of 2^31 x 2^31": (png(2**31, 2**31, zeros), "too_many_pixels|damaged_file"),
        "png of no width": (png(0, 100, zeros), "damaged_file"),
        "png of depth 3": (png(100, 100, zeros, depth=3), "damaged_file"),
        "png of colour 9": (png(100, 100, zeros, colour=9), "damaged_file"),
        "png of no pixels behind its header": (png(7000, 7000, zlib.compress(b"")), "damaged_file|read"),
        "png whose stream is no stream": (png(100, 100, b"\x78\x9c" + bytes(90)), "damaged_file|read"),
        "png of 90000 chunks": (png(10, 10, zeros[:900], extra=chunk(b"tEXt", b"a\0b") * 90_000), "damaged_file|read"),
        "png of 110000 chunks": (png(10, 10, zeros, extra=chunk(b"tEXt", b"") * 110_000), "damaged_file"),
        "png with text that unpacks to 100 MB": (
            png(
                64, 64, zlib.compress(bytes(64 * 193)), extra=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8), 9))
            ),
            "read|damaged_file",
        ),
        "png with a profile that unpacks to 100 MB": (
            png(
                64, 64, zlib.compress(bytes(64 * 193)), extra=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**8), 9))
            ),
            "read|damaged_file",
        ),
        "gif of 65535 x 65535": (gif(65535, 65535), "too_many_pixels"),
        "gif of no size": (gif(0, 0), "damaged_file"),
        "gif whose code size is 255": (gif(body=b"\xff\x02\x84\x51\0"), "damaged_file|too_small"),
        "gif of no picture": (GIF_HEAD + bytes(6) + b";", "damaged_file|too_small"),
        "webp of 16777216 x 16777216": (huge_webp, "too_many_pixels"),
        "webp longer than the file": (webp[:4] + b"\xff\xff\xff\x7f" + webp[8:], "damaged_file"),
        "webp of noise": (webp[:30] + random.Random(SEED).randbytes(len(webp) - 30), "damaged_file|read"),
        "heic of boxes that contain themselves": (
            heic()[:28] + b"\0\0\0\x01meta" + b"\xff" * 8 + heic()[44:],
            "damaged_file",
        ),
        "heic of a box of no length": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\0meta" * 500, "damaged_file"),
        "heic of 100000 small boxes": (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x08free" * 100_000,
            "damaged_file",
        ),
        "tiff that loops": (tiff(tiff_page(8, 8), loop=True), "damaged_file"),
        "tiff of 2^31 x 2^31": (tiff(tiff_page(2**31, 2**31)), "too_many_pixels"),
        "tiff of no width": (tiff(tiff_page(0, 8)), "damaged_file"),
        "tiff whose strip lies outside": (tiff(tiff_page(8, 8, offset=10**6)), "damaged_file"),
        "tiff of 9999 directories": (tiff(*[tiff_page(1, 1, length=1)] * 9999), "too_many_pages"),
        "tiff of 31 pages": (tiff(*[tiff_page(8, 8)] * 31), "too_many_pages|too_small"),
        "tiff of an unknown packing": (tiff(tiff_page(8, 8, packing=31337)), "damaged_file"),
        "tiff whose deflate is none": (tiff(tiff_page(32, 32, packing=8), data=b"\xff" * 64), "damaged_file|read"),
        "tiff that unpacks to 60 megapixels": (
            tiff(tiff_page(7700, 7700, length=len(zeros), packing=8), data=zeros),
            "damaged_file|read",
        ),
        "tiff of a field with 2^31 values": (tiff(((256, 4, 2**31, 8),)), "damaged_file"),
        "tiff of a directory with 65535 entries": (b"II*\0\x08\0\0\0\xff\xff" + bytes(400), "damaged_file"),
    }
    for name, (data, expected) in kinds.items():
        yield Hostile(name, "scan", data, expected)


def _loops() -> dict[str, tuple[bytes, str]]:
    """PDFs that refer to themselves."""
    catalogue, form = b"<< /Type /Catalog /Pages 2 0 R >>", b"/Type /XObject /Subtype /Form /BBox [0 0 300 420]"
    itself = page_pdf(
        b"/A Do",
        b"/XObject << /A 5 0 R >>",
        b"0 0 300 420",
        stream(b"/A Do", form + b" /Resources << /XObject << /A 5 0 R >> >>"),
    )
    glyph = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /FirstChar 65 "
        b"/LastChar 65 /Widths [9] /Encoding << /Differences [65 /A] >> /CharProcs << /A 6 0 R >> /Resources << "
        b"/Font << /F 5 0 R >> >> >>"
    )
    return {
        "pages that are their own parent": (
            pdf(catalogue, b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
            "damaged_file|no_pages",
        ),
        "kids that loop": (
            pdf(
                catalogue,
                b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 1 >>",
            ),
            "damaged_file|no_pages",
        ),
        "a catalogue that is a reference to itself": (pdf(b"1 0 R"), "damaged_file|no_pages"),
        "a form that draws itself": (itself, "read|damaged_file"),
        "a glyph that draws itself": (
            page_pdf(
                b"BT /F 9 Tf (A) Tj ET",
                b"/Font << /F 5 0 R >>",
                b"0 0 300 420",
                glyph,
                stream(b"9 0 d0 BT /F 9 Tf (A) Tj ET"),
            ),
            "read|damaged_file",
        ),
        "a pattern that paints itself": (
            page_pdf(
                b"/Pattern cs /P scn 0 0 300 420 re f",
                b"/Pattern << /P 5 0 R >>",
                b"0 0 300 420",
                stream(
                    b"/Pattern cs /P scn 0 0 9 9 re f",
                    b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep "
                    b"9 /Resources << /Pattern << /P 5 0 R >> >>",
                ),
            ),
            "read|damaged_file",
        ),
        "a length that refers to its own stream": (
            page_pdf(b"S", b"", b"0 0 300 420", b"<< /Length 5 0 R >>\nstream\n\nendstream"),
            "read|damaged_file",
        ),
        "a colour space of itself": (
            page_pdf(
                b"/C cs 1 sc 0 0 9 9 re f",
                b"/ColorSpace << /C 5 0 R >>",
                b"0 0 300 420",
                b"[/Indexed 5 0 R 255 (aaaa)]",
            ),
            "read|damaged_file",
        ),
        "a mask of itself": (
            page_pdf(
                b"/I Do",
                b"/XObject << /I 5 0 R >>",
                b"0 0 300 420",
                stream(
                    b"a",
                    b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace "
                    b"/DeviceGray /SMask 5 0 R",
                ),
            ),
            "read|damaged_file",
        ),
        "a table that goes on in itself": (
            page_pdf(b"S").replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev 9"),
            "read|damaged_file",
        ),
    }


def bad_pdfs() -> Iterator[Hostile]:
    """PDFs that loop, swell, nest or claim."""
    for name, (data, expected) in _loops().items():
        yield Hostile(f"pdf of {name}", "scan", data, expected)
    image = b"/Type /XObject /Subtype /Image /BitsPerComponent 8 /ColorSpace /DeviceRGB"
    zeros, once = flate(bytes(30_000_000))
    thrice, filters = flate(bytes(60_000_000), 3)
    locked = pymupdf.open("pdf", page_pdf(b"S")).tobytes(
        encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="x", owner_pw="y"
    )
    many = pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 9000 /Kids [%s] >>" % (b"3 0 R " * 9000),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
    )
    kinds: dict[str, tuple[bytes, str]] = {
        "no pages": (
            pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"),
            "no_pages|damaged_file",
        ),
        "9000 pages": (many, "too_many_pages|damaged_file"),
        "a count of 2^31": (
            page_pdf(b"S").replace(b"/Count 1", b"/Count 2147483647"),
            "read|too_many_pages|damaged_file",
        ),
        "a password": (locked, "encrypted_pdf"),
        "a page of 14400 inches": (page_pdf(b"S", b"", b"0 0 1036800 1036800"), "too_many_pixels|read"),
        "a page of a millionth of a point": (page_pdf(b"S", b"", b"0 0 0.000001 0.000001"), "damaged_file|too_small"),
        "a page of negative size": (page_pdf(b"S", b"", b"300 420 0 0"), "read"),
        "a page box of words": (page_pdf(b"S", b"", b"(a) (b) (c) (d)"), "read"),
        "numbers of 400 digits": (page_pdf(b"9" * 400 + b" 0 m 9 9 l S"), "read"),
        "a million operators": (page_pdf(b"q Q " * 250_000), "read"),
        "a hundred thousand saved states": (page_pdf(b"q " * 100_000), "read|damaged_file"),
        "arrays nested 100000 deep": (page_pdf(b"[" * 100_000 + b"]" * 100_000 + b" TJ"), "read|damaged_file"),
        "dictionaries nested 50000 deep": (
            pdf(
                b"<< /Type /Catalog /Pages 2 0 R /X " + b"<< /X " * 50_000 + b">>" * 50_000 + b" >>",
                b"<< /Type /Pages /Kids [] /Count 0 >>",
            ),
            "no_pages|damaged_file",
        ),
        "content that unpacks to 30 MB": (
            pdf(
                b"<< /Type /Catalog /Pages 2 0 R >>",
                b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 420] /Contents 4 0 R >>",
                stream(zeros, once),
            ),
            "read|damaged_file",
        ),
        "content packed three times": (
            pdf(
                b"<< /Type /Catalog /Pages 2 0 R >>",
                b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 420] /Contents 4 0 R >>",
                stream(thrice, filters),
            ),
            "read|damaged_file|too_slow|too_much_memory",
        ),
        "a picture of 60000 x 60000": (
            page_pdf(
                b"300 0 0 420 0 0 cm /I Do",
                b"/XObject << /I 5 0 R >>",
                b"0 0 300 420",
                stream(zeros, image + b" /Width 60000 /Height 60000 " + once),
            ),
            "too_many_pixels|read|damaged_file|too_much_memory",
        ),
        "a picture with too few bytes": (
            page_pdf(
                b"300 0 0 420 0 0 cm /I Do",
                b"/XObject << /I 5 0 R >>",
                b"0 0 300 420",
                stream(b"abc", image + b" /Width 900 /Height 900"),
            ),
            "read|damaged_file",
        ),
        "a broken jpeg within": (
            page_pdf(
                b"300 0 0 420 0 0 cm /I Do",
                b"/XObject << /I 5 0 R >>",
                b"0 0 300 420",
                stream(encoded(".jpg")[:300], image + b" /Width 300 /Height 420 /Filter /DCTDecode"),
            ),
            "read|damaged_file",
        ),
        "jbig2 of noise": (
            page_pdf(
                b"300 0 0 420 0 0 cm /I Do",
                b"/XObject << /I 5 0 R >>",
                b"0 0 300 420",
                stream(
                    random.Random(SEED).randbytes(900),
                    b"/Type /XObject /Subtype /Image /BitsPerComponent 1 /ColorSpace /DeviceGray /Width 300 "
                    b"/Height 420 /Filter /JBIG2Decode",
                ),
            ),
            "read|damaged_file",
        ),
        "jpeg 2000 of noise": (
            page_pdf(
                b"300 0 0 420 0 0 cm /I Do",
                b"/XObject << /I 5 0 R >>",
                b"0 0 300 420",
                stream(
                    b"\0\0\0\x0cjP  \r\n\x87\n" + random.Random(SEED).randbytes(900),
                    b"/Type /XObject /Subtype /Image /Width 300 /Height 420 /Filter /JPXDecode",
                ),
            ),
            "read|damaged_file",
        ),
        "a fax of noise": (
            page_pdf(
                b"300 0 0 420 0 0 cm /I Do",
                b"/XObject << /I 5 0 R >>",
                b"0 0 300 420",
                stream(
                    random.Random(SEED).randbytes(900),
                    b"/Type /XObject /Subtype /Image /BitsPerComponent 1 /ColorSpace /DeviceGray /Width 9000 "
                    b"/Height 9000 /Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 9000 /Rows 9000 >>",
                ),
            ),
            "read|damaged_file",
        ),
        "a font of noise": (
            page_pdf(
                b"BT /F 30 Tf 30 30 Td (AAAA) Tj ET",
                b"/Font << /F << /Type /Font /Subtype /TrueType /BaseFont /X /FontDescriptor 5 0 R >> >>",
                b"0 0 300 420",
                b"<< /Type /FontDescriptor /FontName /X /Flags 4 /FontFile2 6 0 R >>",
                stream(b"\0\1\0\0\0\x0f" + random.Random(SEED).randbytes(3000)),
            ),
            "read|damaged_file",
        ),
        "a script that opens": (
            page_pdf(b"S").replace(
                b"/Pages 2 0 R", b"/OpenAction << /S /JavaScript /JS (app.launchURL) >> /Pages 2 0 R"
            ),
            "read|damaged_file",
        ),
        "a program that it launches": (
            page_pdf(b"S").replace(b"/Pages 2 0 R", b"/OpenAction << /S /Launch /F (/bin/sh) >> /Pages 2 0 R"),
            "read|damaged_file",
        ),
        "a file of the server as its stream": (
            page_pdf(b"S", b"", b"0 0 300 420", b"<< /Length 0 /F (/etc/passwd) >>\nstream\n\nendstream"),
            "read",
        ),
        "an archive behind it": (page_pdf(b"S") + b"PK\x03\x04" + bytes(900), "read"),
        "a web page before it": (b"<html><script>1</script>\n" + page_pdf(b"S"), "read|damaged_file"),
        "a header alone": (b"%PDF-1.7\n", "damaged_file|no_pages"),
        "noise behind its header": (b"%PDF-1.7\n" + random.Random(SEED).randbytes(9000), "damaged_file|no_pages"),
        "100000 empty objects": (
            b"%PDF-1.4\n" + b"".join(b"%d 0 obj\n<<>>\nendobj\n" % n for n in range(1, 100_001)),
            "damaged_file|no_pages",
        ),
        "an object number of 2^60": (
            b"%PDF-1.4\n1152921504606846976 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root "
            b"1152921504606846976 0 R >>",
            "damaged_file|no_pages",
        ),
    }
    for name, (data, expected) in kinds.items():
        yield Hostile(f"pdf of {name}", "scan", data, expected)


def der(tag: int, body: bytes) -> bytes:
    length = len(body)
    if length < 128:
        return bytes([tag, length]) + body
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def signed(cms: bytes, byte_range: bytes | None = None, room: int = 4000) -> bytes:
    """A PDF whose signature field holds these bytes, over everything else or over what is said."""
    holes = b"0000000000 0000000000 0000000000 0000000000"
    value = (
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [%s] /Contents <%s> >>"
        % (
            holes,
            cms.hex().encode().ljust(2 * max(room, len(cms)), b"0"),
        )
    )
    form = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /SigFlags 3 /Fields [4 0 R] >> >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 420] /Annots [4 0 R] >>"
    field = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (S) /Rect [0 0 9 9] /P 3 0 R /V 5 0 R >>"
    data = pdf(form, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, field, value)
    start, end = data.index(b"/Contents <") + 10, data.index(b">", data.index(b"/Contents <")) + 1
    told = byte_range or b"0 %d %d %d" % (start, end, len(data) - end)
    return data.replace(holes, told.ljust(len(holes))[: len(holes)])


NO_OURS = "not-ours|no-signature|unreadable|altered|unknown"
"""A file that bears a signature of sorts, none of ours."""


def bad_signatures() -> Iterator[Hostile]:
    """Files for the verifier; none may be called good."""
    chance = random.Random(SEED + 1)
    nested = b""
    for _ in range(3000):
        nested = der(0x30, nested)
    oid = der(0x06, bytes.fromhex("2a864886f70d010702"))
    set_of = der(
        0x30, oid + der(0xA0, der(0x30, der(0x02, b"\x01") + der(0x31, b"") + der(0x30, oid) + der(0x31, b"")))
    )
    certs = der(
        0x30,
        oid
        + der(
            0xA0,
            der(
                0x30,
                der(0x02, b"\x01")
                + der(0x31, b"")
                + der(0x30, oid)
                + der(0xA0, der(0x30, b"\x05\0") * 40_000)
                + der(0x31, b""),
            ),
        ),
    )
    kinds: dict[str, tuple[bytes, str]] = {
        "nothing": (b"", "not-a-pdf"),
        "words": (b"not a licence", "not-a-pdf"),
        "noise": (chance.randbytes(5000), "not-a-pdf"),
        "a header alone": (b"%PDF-1.7\n", "unreadable|not-a-pdf|no-signature"),
        "no signature": (page_pdf(b"S"), "no-signature"),
        "a picture": (encoded(".jpg"), "not-a-pdf"),
        "an archive": (b"PK\x03\x04" + bytes(400), "not-a-pdf"),
        "a seal of no bytes": (signed(b""), NO_OURS),
        "a seal of zeros": (signed(bytes(900)), NO_OURS),
        "a seal of noise": (signed(chance.randbytes(1500)), NO_OURS),
        "a seal nested 3000 deep": (signed(nested), NO_OURS),
        "a seal without signers": (signed(set_of), NO_OURS),
        "a seal with 40000 certificates": (signed(certs), NO_OURS + "|limit"),
        "a seal of endless length": (signed(b"\x30\x80" * 2000), NO_OURS),
        "a seal that claims 2^32 bytes": (signed(b"\x30\x84\xff\xff\xff\xff" + bytes(90)), NO_OURS),
        "a range that is negative": (signed(set_of, b"-5 100 200 300"), NO_OURS),
        "a range beyond the file": (signed(set_of, b"0 100 200 999999999"), NO_OURS),
        "a range that overlaps itself": (signed(set_of, b"0 900 100 900"), NO_OURS),
        "a range of nothing": (signed(set_of, b"0 0 0 0"), NO_OURS),
        "a range of words": (signed(set_of, b"(a) (b) (c) (d)"), NO_OURS),
        "a range of two numbers": (signed(set_of, b"0 100"), NO_OURS),
        "a range of 20 digits": (signed(set_of, b"0 99999999999999999999 1 1"), NO_OURS),
        "100000 words /ByteRange": (b"%PDF-1.7\n" + b"/ByteRange [0 1 2 3]\n" * 100_000, NO_OURS + "|limit|not-a-pdf"),
        "2000 revisions": (page_pdf(b"S") + b"1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n" * 2000, NO_OURS + "|limit"),
        "revisions that point at themselves": (page_pdf(b"S").replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev 9"), NO_OURS),
        "kids that loop": (
            pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
            NO_OURS,
        ),
        "dictionaries nested 50000 deep": (
            pdf(b"<< /Type /Catalog /Pages 2 0 R /X " + b"<< /X " * 50_000 + b">>" * 50_000 + b" >>"),
            NO_OURS + "|limit",
        ),
        "arrays nested 50000 deep": (
            pdf(b"<< /Type /Catalog /Pages 2 0 R /X " + b"[" * 50_000 + b"]" * 50_000 + b" >>"),
            NO_OURS + "|limit",
        ),
        "fields that loop": (
            pdf(
                b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [3 0 R] >> >>",
                b"<< /Type /Pages /Kids [] /Count 0 >>",
                b"<< /FT /Sig /T (a) /Kids [3 0 R] >>",
            ),
            NO_OURS + "|limit",
        ),
        "a field name of 1 MB": (
            pdf(
                b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [3 0 R] >> >>",
                b"<< /Type /Pages /Kids [] /Count 0 >>",
                b"<< /FT /Sig /T (%s) >>" % (b"a" * 10**6),
            ),
            NO_OURS,
        ),
        "a string that never ends": (b"%PDF-1.7\n1 0 obj\n(" + b"(" * 9000, NO_OURS + "|not-a-pdf"),
        "a password": (
            pymupdf.open("pdf", page_pdf(b"S")).tobytes(
                encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="x", owner_pw="y"
            ),
            "encrypted",
        ),
        "a table packed to swell": (swelling_table(), NO_OURS + "|limit"),
        "objects packed in themselves": (_packed_in_itself(), NO_OURS + "|limit"),
        "a page tree of 9000": (
            pdf(
                b"<< /Type /Catalog /Pages 2 0 R >>",
                b"<< /Type /Pages /Count 9000 /Kids [%s] >>" % (b"3 0 R " * 9000),
                b"<< /Type /Page /Parent 2 0 R >>",
            ),
            NO_OURS + "|limit",
        ),
    }
    for name, (data, expected) in kinds.items():
        yield Hostile(f"file of {name}", "verify", data, expected)
        if name in ("nothing", "noise", "a seal of noise", "a seal nested 3000 deep", "kids that loop", "a password"):
            yield Hostile(f"report on a file of {name}", "report", data, "200")


def swelling_table() -> bytes:
    """A cross-reference stream of 60 MB in 60 kB."""
    packed = zlib.compress(bytes(60_000_000), 9)
    entries = b"/Type /XRef /Size 20000000 /W [1 1 1] /Root 1 0 R /Filter /FlateDecode /Length %d" % len(packed)
    head = b"%PDF-1.7\n"
    return head + b"1 0 obj\n<< %s >>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (
        entries,
        packed,
        len(head),
    )


def _packed_in_itself() -> bytes:
    """An object stream that extends itself and holds its own number."""
    inner = b"5 0 << /Type /Catalog >>"
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [] /Count 0 >>",
        b"5 0 R",
        b"<<>>",
        stream(inner, b"/Type /ObjStm /N 1 /First 4 /Extends 5 0 R"),
    )


def bad_photos() -> Iterator[Hostile]:
    """Photographs for the check of printed licences."""
    kinds: dict[str, tuple[bytes, str]] = {
        "nothing": (b"", "415 empty_file|422 empty_file|422 unreadable_photo|415 unsupported_file"),
        "words": (b"a licence", "415 unsupported_file"),
        "a drawing": (b"<svg/>", "415 markup_file"),
        "a cut jpeg": (encoded(".jpg")[:900], "415 damaged_file|422 damaged_file"),
        "a png of 60000 x 60000": (png(60_000, 60_000, zlib.compress(bytes(1000))), "413 too_many_pixels"),
        "9000 pages": (tiff(*[tiff_page(1, 1, length=1)] * 9000), "413 too_many_pages"),
        "a locked pdf": (
            pymupdf.open("pdf", page_pdf(b"S")).tobytes(
                encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="x", owner_pw="y"
            ),
            "415 encrypted_pdf",
        ),
        "a blank page": (encoded(".png"), "200"),
        "a pdf of loops": (_loops()["a form that draws itself"][0], "200|415 damaged_file"),
    }
    for name, (data, expected) in kinds.items():
        yield Hostile(f"photograph of {name}", "photo", data, expected)


def multipart(name: bytes, data: bytes) -> tuple[bytes, str]:
    head = b'--frame\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n' % name
    return head + data + b"\r\n--frame--\r\n", "multipart/form-data; boundary=frame"


def bad_matters() -> Iterator[Hostile]:
    """Matter files that an administrator, or somebody with their key, uploads."""

    def archive(write: Callable[[zipfile.ZipFile], None]) -> bytes:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
            write(opened)
        return made.getvalue()

    plain = archive(lambda opened: opened.writestr("a.toml", b"x = 1\n" * 50))
    place = plain.index(b"a.toml") + 6
    broken = plain[:place] + b"\xff" * 6 + plain[place + 6 :]
    kinds: dict[str, tuple[bytes, bytes]] = {
        "no toml": (b"a.toml", b"this is = = no toml"),
        "toml of noise": (b"a.toml", random.Random(SEED).randbytes(900)),
        "toml in UTF-16": (b"a.toml", "id = 'x'".encode("utf-16")),
        "arrays nested 50000 deep": (b"a.toml", b"x = " + b"[" * 50_000 + b"]" * 50_000),
        "tables nested 20000 deep": (b"a.toml", b"[" + b".".join([b"a"] * 20_000) + b"]"),
        "inline tables nested 20000 deep": (b"a.toml", b"x = " + b"{a = " * 20_000 + b"1" + b"}" * 20_000),
        "a number of 100000 digits": (b"a.toml", b"x = " + b"9" * 100_000),
        "a date of the year 0": (b"a.toml", b"x = 0000-01-01"),
        "300000 keys": (b"a.toml", b"".join(b"k%d = 1\n" % n for n in range(300_000))),
        "a name of bad UTF-8": (b"\xff\xfe.toml", b"id = 'x'"),
        "a path out of its folder": (b"../../etc/x.toml", b"id = 'x'"),
        "a name of zeros": (b"a\0b.toml", b"id = 'x'"),
        "a deflate that is none": (b"m.zip", broken),
        "a zip that is cut": (b"m.zip", plain[: len(plain) // 2]),
        "a zip that swells to 100 MB": (b"m.zip", archive(lambda opened: opened.writestr("a.toml", bytes(10**8)))),
        "a zip of 20000 files": (
            b"m.zip",
            archive(lambda opened: [opened.writestr(f"{n}.toml", b"") for n in range(20_000)] and None),
        ),
        "a zip of paths out of it": (
            b"m.zip",
            archive(lambda opened: opened.writestr("../../../etc/cron.d/x.toml", b"id = 'x'")),
        ),
        "a zip of bad names": (b"m.zip", plain.replace(b"a.toml", b"\xff\xfe\xfd\xfcml")),
        "a zip in a zip": (b"m.zip", archive(lambda opened: opened.writestr("m.zip", plain))),
        "a zip of zeros": (b"m.zip", b"PK\x03\x04" + bytes(500)),
        "no file": (b"", b""),
        "a layout of noise": (b"layout.toml", b"page = [[[1,2],[3"),
    }
    for name, (filename, data) in kinds.items():
        body, kind = multipart(filename, data)
        yield Hostile(
            f"matter of {name}", "matter", body, "413|422" if len(data) > 10**6 or "zip that" in name else "422", kind
        )
    many = b"".join(
        b'--frame\r\nContent-Disposition: form-data; name="files"; filename="%d.toml"\r\n\r\nx\r\n' % n
        for n in range(5000)
    )
    yield Hostile(
        "matter of 5000 parts", "matter", many + b"--frame--\r\n", "400|413|422", "multipart/form-data; boundary=frame"
    )
    yield Hostile("matter without a frame", "matter", b"x", "400|422", "multipart/form-data")
    yield Hostile(
        "matter of a frame that never ends",
        "matter",
        b"--frame\r\nContent-Disposition: form-data",
        "400|422",
        "multipart/form-data; boundary=frame",
    )


def bad_json() -> Iterator[Hostile]:
    """Bodies of a request to open an application."""
    kinds: dict[str, tuple[bytes, str]] = {
        "nothing": (b"", "422"),
        "no json": (b"{matter: 1}", "400|422"),
        "arrays nested 100000 deep": (b"[" * 100_000 + b"]" * 100_000, "400|422"),
        "objects nested 100000 deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "400|422"),
        "bad UTF-8": (b'{"matter":"\xff\xfe"}', "400|422"),
        "UTF-16": ('{"matter":"sole_trader"}'.encode("utf-16"), "201|400|422"),
        "a lone surrogate": (b'{"matter":"\\ud800"}', "400|404|422"),
        "a zero in a name": (b'{"matter":"sole\\u0000trader"}', "404|422"),
        "a number of 5000 digits": (b'{"matter":' + b"9" * 5000 + b"}", "400|422"),
        "not a number": (b'{"matter":NaN}', "400|422"),
        "a matter of 100000 letters": (json.dumps({"matter": "a" * 100_000}).encode(), "404|422"),
        "a path for a matter": (b'{"matter":"../../../etc/passwd"}', "404|422"),
        "sql for a matter": (b'{"matter":"x\'; DROP TABLE applications; --"}', "404|422"),
        "a template for a matter": (b'{"matter":"{{7*7}}${7*7}"}', "404|422"),
        "a list": (b"[]", "422"),
        "null": (b"null", "422"),
        "keys that nobody knows": (b'{"matter":"sole_trader","is_admin":true}', "422"),
        "2 MB": (b'{"matter":"' + b"a" * 2**21 + b'"}', "413"),
        "100000 keys": (b"{" + b",".join(b'"k%d":1' % n for n in range(60_000)) + b"}", "422|413"),
    }
    for name, (data, expected) in kinds.items():
        yield Hostile(f"json of {name}", "json", data, expected, "application/json")
    yield Hostile("json that calls itself xml", "json", b"<matter>sole_trader</matter>", "415|422", "application/xml")


def bad_paths() -> Iterator[Hostile]:
    """Words in addresses."""
    kinds: dict[str, tuple[bytes, str]] = {
        "a number with a zero": (b"/v1/licences/a%00b", "404|422"),
        "a number of bad UTF-8": (b"/v1/licences/%ff%fe", "404|422"),
        "a number of 61 letters": (b"/v1/licences/" + b"a" * 61, "422"),
        "a number that is a path": (b"/v1/licences/..%2f..%2fetc%2fpasswd", "404"),
        "a code that is a path": (b"/v/..%2f..%2f..%2fetc%2fpasswd", "404"),
        "a static file outside": (b"/static/..%2f..%2fapp.py", "404"),
        "a static file with a zero": (b"/static/a%00.css", "404|422"),
        "10000 parameters": (b"/v1/matters?" + b"&".join(b"a%d=1" % n for n in range(2000)), "422|414|431|400"),
        "a page size of 2^63": (b"/v1/applications?limit=9223372036854775808", "422"),
        "a page that is no number": (b"/v1/applications?limit=NaN", "422"),
        "a code that is a template": (b"/v/%7B%7B7*7%7D%7D", "404"),
        "a code of emoji": (b"/v/%F0%9F%92%A9", "404"),
    }
    for name, (data, expected) in kinds.items():
        yield Hostile(f"path of {name}", "path", data, expected)


def bad_parts() -> Iterator[Hostile]:
    """Announcements of uploads in parts (tus 1.0.0)."""
    kinds: dict[str, tuple[dict[str, str], str]] = {
        "no length": ({}, "400|422"),
        "a length of words": ({"Upload-Length": "many"}, "400|422"),
        "a negative length": ({"Upload-Length": "-1"}, "400|422"),
        "2^63 bytes": ({"Upload-Length": str(2**63)}, "400|413|422"),
        "10^400 bytes": ({"Upload-Length": "9" * 400}, "413|422|400"),
        "names that are no base64": ({"Upload-Length": "9", "Upload-Metadata": "filename !!!"}, "400|422"),
        "names of bad UTF-8": ({"Upload-Length": "9", "Upload-Metadata": "filename /////w=="}, "400|422|201"),
        "another version": ({"Upload-Length": "9", "Tus-Resumable": "0.2.2"}, "412"),
    }
    for name, (headers, expected) in kinds.items():
        told = {"Tus-Resumable": "1.0.0", **headers}
        yield Hostile(f"part of {name}", "part", b"", expected, headers=tuple(told.items()))


def everything() -> list[Hostile]:
    """All inputs, in a fixed order; names are unique."""
    makers = (
        cut_off,
        not_scans,
        lying_pictures,
        bad_pdfs,
        bad_signatures,
        bad_photos,
        bad_matters,
        bad_json,
        bad_parts,
        bad_paths,
    )
    return [item for make in makers for item in make()]
