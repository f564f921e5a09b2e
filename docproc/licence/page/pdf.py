"""A minimal PDF writer: numbered objects in, bytes out, the same bytes every time (ISO 32000-1)."""

from __future__ import annotations

import zlib
from functools import lru_cache

from docproc.licence.page.glyphs import Subset, Typeface

_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


class PdfFile:
    """Collects objects; object numbers count from 1 in the order of :meth:`reserve`."""

    def __init__(self) -> None:
        self._objects: list[bytes | None] = []

    def reserve(self) -> int:
        """Take the next object number, to be filled by :meth:`put`."""
        self._objects.append(None)
        return len(self._objects)

    def put(self, number: int, body: str | bytes) -> int:
        """Fill an object."""
        self._objects[number - 1] = body.encode("ascii") if isinstance(body, str) else body
        return number

    def add(self, body: str | bytes) -> int:
        """Add an object and return its number."""
        return self.put(self.reserve(), body)

    def stream(self, data: bytes, entries: str = "", *, compress: bool = True, constant: bool = False) -> int:
        """Add a stream; ``entries`` are further dictionary entries, ``constant`` data is compressed once a process."""
        body = data if not compress else _constant(data) if constant else zlib.compress(data, 9)
        method = " /Filter /FlateDecode" if compress else ""
        head = f"<< {entries} /Length {len(body)}{method} >>\nstream\n".encode("ascii")
        return self.add(head + body + b"\nendstream")

    def save(self, root: int, identity: bytes) -> bytes:
        """Write the file with a classic cross-reference table; ``identity`` (16 bytes) becomes the file's /ID."""
        out = bytearray(_HEADER)
        offsets = []
        for number, body in enumerate(self._objects, 1):
            if body is None:
                raise ValueError(f"object {number} was reserved but never filled")
            offsets.append(len(out))
            out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
        out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        mark = identity.hex()
        trailer = f"trailer\n<< /Size {len(offsets) + 1} /Root {root} 0 R /ID [<{mark}> <{mark}>] >>\n"
        return bytes(out) + trailer.encode("ascii") + b"startxref\n%d\n%%%%EOF\n" % start


@lru_cache(maxsize=16)
def _constant(data: bytes) -> bytes:
    return zlib.compress(data, 9)


def text(value: str) -> str:
    """A text string object, UTF-16."""
    return "<FEFF" + value.encode("utf-16-be").hex().upper() + ">"


def embed(pdf: PdfFile, face: Typeface, subset: Subset) -> int:
    """Embed a subset as a composite font with Identity-H encoding: codes are glyph numbers of the subset."""
    program = pdf.stream(subset.program, "/Subtype /CIDFontType0C")
    thousand = 1000 / face.units
    box = " ".join(str(round(value * thousand)) for value in face.box)
    descriptor = pdf.add(
        f"<< /Type /FontDescriptor /FontName /{subset.name} /Flags 4 /FontBBox [{box}] /ItalicAngle 0 "
        f"/Ascent {round(face.ascent * thousand)} /Descent {round(face.descent * thousand)} "
        f"/CapHeight {round(face.cap_height * thousand)} /StemV 80 /FontFile3 {program} 0 R >>"
    )
    widths = " ".join(str(value) for value in subset.widths)
    descendant = pdf.add(
        f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /{subset.name} /FontDescriptor {descriptor} 0 R "
        f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 1000 /W [0 [{widths}]] >>"
    )
    unicode = pdf.stream(_to_unicode(subset.characters))
    return pdf.add(
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{subset.name} /Encoding /Identity-H "
        f"/DescendantFonts [{descendant} 0 R] /ToUnicode {unicode} 0 R >>"
    )


def _to_unicode(characters: str) -> bytes:
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
    ]
    entries = [f"<{code:04X}> <{char.encode('utf-16-be').hex().upper()}>" for code, char in enumerate(characters, 1)]
    for first in range(0, len(entries), 100):  # a block may hold at most 100 (Adobe 5014)
        block = entries[first : first + 100]
        lines += [f"{len(block)} beginbfchar", *block, "endbfchar"]
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(lines).encode("ascii")
