"""Files of some hundred bytes to some hundred kilobytes that are dear to open, each by another part of its parser."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence

MEDIA = b"[0 0 595 842]"


def pdf_of(objects: Sequence[bytes]) -> bytes:
    """A PDF of numbered objects, of which the first is its catalogue."""
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + head + table + end


def stream(dictionary: bytes, body: bytes, packed: bool = False) -> bytes:
    """A stream object."""
    data = zlib.compress(body, 9) if packed else body
    how = b" /Filter /FlateDecode" if packed else b""
    return b"<< %s%s /Length %d >>\nstream\n%s\nendstream" % (dictionary, how, len(data), data)


def page_of(content: bytes, resources: bytes, more: Sequence[bytes] = (), pages: int = 1) -> bytes:
    """Pages that share a content (object 4) and resources; ``more`` are the objects from 5 on."""
    first = 5 + len(more)
    kids = b" ".join(b"%d 0 R" % number for number in (3, *range(first, first + pages - 1)))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R /Resources << %s >> >>" % (MEDIA, resources)
    tree = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages)
    return pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", tree, page, content, *more, *[page] * (pages - 1)])


def nested_forms(depth: int = 9, fan: int = 10, pages: int = 1) -> bytes:
    """Forms that each draw the next one ten times: 10^9 rectangles in about a kilobyte."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842]"
    calls = b"/X Do " * fan
    forms = [
        stream(form + b" /Resources << /XObject << /X %d 0 R >> >>" % (6 + level), calls) for level in range(depth - 1)
    ]
    forms.append(stream(form, b"0 0 500 800 re f"))
    return page_of(stream(b"", calls), b"/XObject << /X 5 0 R >>", forms, pages)


def nested_patterns(depth: int = 4, step: float = 0.5) -> bytes:
    """Tiling patterns of half a point whose tiles are filled with the next pattern."""
    made = []
    for level in range(depth):
        last = level == depth - 1
        inner = b"0 0 1 1 re f" if last else b"/Pattern cs /P scn 0 0 595 842 re f"
        resources = b"" if last else b"/Pattern << /P %d 0 R >>" % (6 + level)
        head = b"/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 595 842] /XStep %f /YStep %f" % (step, step)
        made.append(stream(head + b" /Resources << %s >>" % resources, inner))
    return page_of(stream(b"", b"/Pattern cs /P scn 0 0 595 842 re f"), b"/Pattern << /P 5 0 R >>", made)


def calculated_shading(steps: int = 40_000) -> bytes:
    """A shading whose colour a long PostScript program calculates for every point."""
    program = stream(
        b"/FunctionType 4 /Domain [0 1 0 1] /Range [0 1 0 1 0 1]", b"{ " + b"sin cos " * steps + b"dup }", packed=True
    )
    shading = b"<< /ShadingType 1 /ColorSpace /DeviceRGB /Matrix [595 0 0 842 0 0] /Function 6 0 R >>"
    return page_of(stream(b"", b"/S sh " * 50), b"/Shading << /S 5 0 R >>", [shading, program])


def deep_groups(depth: int = 12, fan: int = 3) -> bytes:
    """Transparency groups of the whole page inside one another, each with a soft mask."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Group << /S /Transparency /I true /K true >>"
    calls = b"/G gs " + b"/X Do " * fan
    state = b"/ExtGState << /G << /ca 0.5 /BM /Luminosity >> >>"
    forms = [
        stream(form + b" /Resources << %s /XObject << /X %d 0 R >> >>" % (state, 6 + level), calls)
        for level in range(depth - 1)
    ]
    forms.append(stream(form, b"0.5 g 0 0 500 800 re f"))
    return page_of(stream(b"", calls), state + b" /XObject << /X 5 0 R >>", forms)


def drawn_glyphs(count: int = 400_000) -> bytes:
    """A Type 3 font whose one glyph is a drawing of a hundred curves, set a hundred thousand times."""
    glyph = stream(b"", b"1000 0 d0 " + b"0 0 m 900 900 10 20 400 500 c 3 w S " * 100, packed=True)
    font = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.5 0 0 0.5 0 0] /FirstChar 97 "
        b"/LastChar 97 /Widths [1] /Encoding << /Differences [97 /a] >> /CharProcs << /a 6 0 R >> /Resources << >> >>"
    )
    text = b"BT /F 1 Tf (" + b"a" * count + b") Tj ET"
    return page_of(stream(b"", text, packed=True), b"/Font << /F 5 0 R >>", [font, glyph])


def repeated_picture(side: int = 7000, times: int = 3000) -> bytes:
    """A picture of 49 million pixels in some kilobytes, drawn again and again at another angle."""
    head = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceGray"
    image = stream(head % (side, side) + b" /Interpolate true", bytes(side * side), packed=True)
    calls = b"".join(b"q 500 %d %d 800 0 0 cm /X Do Q " % (turn % 97, turn % 89) for turn in range(times))
    return page_of(stream(b"", calls, packed=True), b"/XObject << /X 5 0 R >>", [image])


def long_content(megabytes: int = 60) -> bytes:
    """A page whose drawing, unpacked, is hundreds of megabytes of strokes."""
    line = b"0 0 m 595 842 l S\n"
    return page_of(stream(b"", line * (megabytes * 2**20 // len(line)), packed=True), b"")


def dashed_lines(lines: int = 4000) -> bytes:
    """Lines of millions of dashes each."""
    return page_of(stream(b"", b"[0.0005] 0 d 0.1 w " + b"0 0 m 595 842 l S " * lines, packed=True), b"")


def bilevel_tiff(pages: int = 200, side: int = 1090) -> bytes:
    """A TIFF of many blank black-and-white pages that share their packed bits: 22 kB, 240 million pixels."""
    row = (side + 7) // 8
    bits = zlib.compress(bytes(row * side), 9)
    out = b"II*\0" + struct.pack("<I", 8 + len(bits)) + bits
    for page in range(pages):
        tags = (
            *((256, 4, side), (257, 4, side), (258, 3, 1), (259, 3, 8), (262, 3, 1)),
            *((273, 4, 8), (277, 3, 1), (278, 4, side), (279, 4, len(bits))),
        )
        after = len(out) + 2 + 12 * len(tags) + 4
        fields = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
        out += struct.pack("<H", len(tags)) + fields + struct.pack("<I", after if page < pages - 1 else 0)
    return out


def blank_png(width: int = 7700, height: int = 7700) -> bytes:
    """59 million white pixels with transparency in some hundred kilobytes."""
    packer = zlib.compressobj(9)
    row = b"\0" + b"\xff" * (width * 4)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


ENDLESS: dict[str, Callable[[], bytes]] = {
    "nested forms": nested_forms,
    "nested patterns": nested_patterns,
    "calculated shading": calculated_shading,
    "deep groups": deep_groups,
    "drawn glyphs": drawn_glyphs,
    "repeated picture": repeated_picture,
    "long content": long_content,
    "dashed lines": dashed_lines,
}
"""Files that no page's budget is enough for."""
