"""Read an image's size from its header and check that the file is complete, without decoding it.

A file of a few kilobytes can claim an image of many gigabytes, and decoders silently fill the missing part of a
truncated file with grey; both are detected here.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from docproc.errors import UnsupportedFileError

_PNG_CHUNK_LIMIT = 100_000
_TIFF_PAGE_LIMIT = 10_000
_CM_PER_INCH = 2.54
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}
"""Size in bytes of the field types in use: byte, text, short, long, rational."""
_TIFF_PACKINGS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946})
"""Values of Compression (tag 259) that scanners write; of an unknown one the decoder makes a black page."""
_DAMAGED_ZH = "文件不完整或已损坏，可能上传时中断，请重新扫描或重新上传"


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one image."""

    width: int
    height: int
    dpi: float | None
    """Scan resolution, where the file states it."""


def damaged(what: str) -> UnsupportedFileError:
    """Return the error for a truncated or corrupt file."""
    return UnsupportedFileError(what, message_zh=_DAMAGED_ZH, code="damaged_file")


def jpeg(data: bytes) -> Header:
    """Walk a JPEG's segments (ITU-T T.81 annex B) to its end-of-image marker.

    Raises:
        UnsupportedFileError: no frame header, or the file ends too early.
    """
    position, size, dpi = 2, None, None
    while True:
        start = data.find(b"\xff", position)
        while start >= 0 and data[start + 1 : start + 2] == b"\xff":
            start += 1
        marker = data[start + 1] if 0 <= start < len(data) - 1 else None
        if marker is None:
            raise damaged("JPEG ends before its end-of-image marker")
        position = start + 2
        if marker == 0xD9:
            break
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        segment = data[position + 2 : position + length]
        if length < 2 or len(segment) < length - 2:
            raise damaged("JPEG segment is cut off")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if size is not None or len(segment) < 6:
                raise damaged("JPEG has a broken frame header")
            size = struct.unpack(">HH", segment[1:5])
        elif marker == 0xE0 and segment[:5] == b"JFIF\0" and len(segment) >= 12:
            unit, density = segment[7], float(int.from_bytes(segment[8:10], "big"))
            dpi = {1: density, 2: density * _CM_PER_INCH}.get(unit, dpi)
        position += length
    if size is None:
        raise damaged("JPEG has no frame header")
    return Header(size[1], size[0], dpi or None)


def png(data: bytes) -> Header:
    """Walk a PNG's chunks (ISO/IEC 15948), checking each checksum, to its end chunk.

    Raises:
        UnsupportedFileError: a chunk is truncated or corrupt, or the end chunk is missing.
    """
    position, header, dpi = 8, None, None
    for _ in range(_PNG_CHUNK_LIMIT):
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        check = data[position + 8 + length : position + 12 + length]
        if len(check) < 4 or zlib.crc32(kind + body) != int.from_bytes(check, "big"):
            raise damaged("PNG chunk is cut off or broken")
        if header is None:
            if kind != b"IHDR" or length != 13:
                raise damaged("PNG does not begin with its header")
            header = struct.unpack(">II", body[:8])
        elif kind == b"pHYs" and length == 9 and body[8] == 1:
            dpi = int.from_bytes(body[:4], "big") * _CM_PER_INCH / 100
        elif kind == b"IEND":
            return Header(header[0], header[1], dpi or None)
        position += 12 + length
    raise damaged("PNG has no end")


def gif(data: bytes) -> Header:
    """Read the canvas size of a GIF and check its trailer.

    Raises:
        UnsupportedFileError: the file is truncated.
    """
    if len(data) < 14 or b";" not in data[-16:]:
        raise damaged("GIF is cut off")
    width, height = struct.unpack("<HH", data[6:10])
    return Header(width, height, None)


def webp(data: bytes) -> Header:
    """Read the canvas of a WebP file (RFC 9649) and check that it is complete; of a moving one the first frame counts.

    Raises:
        UnsupportedFileError: the file is truncated, or its first chunk is no picture.
    """
    length = int.from_bytes(data[4:8], "little")
    kind, body = data[12:16], data[20:30]
    if length + 8 > len(data) or len(body) < 10:
        raise damaged("WebP is cut off")
    if kind == b"VP8X":
        return Header(1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"), None)
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return Header(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), None)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return Header(width & 0x3FFF, height & 0x3FFF, None)
    raise damaged("WebP begins with no picture")


def tiff(data: bytes) -> tuple[Header, ...]:
    """Read the header of every page of a TIFF 6.0 file; all image data must lie inside the file.

    Raises:
        UnsupportedFileError: the file is truncated, its directories form a loop, or it has no page.
    """
    order = "<" if data[:2] == b"II" else ">"
    pages: list[Header] = []
    seen: set[int] = set()
    offset = int(struct.unpack(order + "I", data[4:8])[0]) if len(data) >= 8 else 0
    while offset:
        if offset in seen or len(seen) >= _TIFF_PAGE_LIMIT or offset + 2 > len(data):
            raise damaged("TIFF directory is cut off or loops")
        seen.add(offset)
        fields, offset = _directory(data, offset, order)
        if not fields.get(256) or not fields.get(257):
            raise damaged("TIFF page has no size")
        if int((fields.get(259) or (1,))[0]) not in _TIFF_PACKINGS:
            raise damaged("TIFF is packed in a way that is not known")
        for places, lengths in ((273, 279), (324, 325)):
            ends = (
                place + length for place, length in zip(fields.get(places, ()), fields.get(lengths, ()), strict=False)
            )
            if any(end > len(data) for end in ends):
                raise damaged("TIFF picture data is cut off")
        unit = {2: 1.0, 3: _CM_PER_INCH}.get(int((fields.get(296) or (2,))[0]), 0.0)
        dpi = float((fields.get(282) or (0,))[0]) * unit
        pages.append(Header(int(fields[256][0]), int(fields[257][0]), dpi or None))
    if not pages:
        raise damaged("TIFF has no page")
    return tuple(pages)


def _directory(data: bytes, offset: int, order: str) -> tuple[dict[int, tuple[float, ...]], int]:
    """Return the values of one TIFF directory by tag, and the offset of the next directory."""
    count = struct.unpack_from(order + "H", data, offset)[0]
    end = offset + 2 + 12 * count
    if end + 4 > len(data):
        raise damaged("TIFF directory is cut off")
    fields: dict[int, tuple[float, ...]] = {}
    for index in range(count):
        entry = offset + 2 + 12 * index
        tag, kind, number = struct.unpack_from(order + "HHI", data, entry)
        if kind not in _TIFF_SIZES or tag not in (256, 257, 259, 273, 279, 282, 296, 324, 325):
            continue
        size = _TIFF_SIZES[kind] * number
        place = entry + 8 if size <= 4 else struct.unpack_from(order + "I", data, entry + 8)[0]
        if number == 0 or place + size > len(data):
            raise damaged("TIFF field is cut off")
        if kind == 5:
            over, under = struct.unpack_from(order + "II", data, place)
            fields[tag] = (over / under if under else 0.0,)
        else:
            letter = {1: "B", 2: "B", 3: "H", 4: "I"}[kind]
            fields[tag] = struct.unpack_from(f"{order}{number}{letter}", data, place)
    return fields, int(struct.unpack_from(order + "I", data, end)[0])
