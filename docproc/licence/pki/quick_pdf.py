"""What pyHanko reads slowly and often in a PDF, read quickly with the same result; imported for that.

A signature stands in a PDF as a hexadecimal string of some ten thousand digits, and pyHanko reads it digit by digit: a
third of the time of examining a licence. It reads names and numbers byte by byte too.

Whatever is not plain is left to the original functions, errors included.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from pyhanko.pdf_utils import generic, misc

_PLAIN = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
"""All bytes but hexadecimal digits."""
_PORTION = 1 << 16
_WORD = 64
"""Bytes that a word in a PDF rarely exceeds."""
_NEEDS_CARE = misc.PDF_WHITESPACE + b"%"
_PLAIN_NAME = re.compile(rb"[A-Za-z0-9_.+-]{1,64}")
_read_until: Callable[..., tuple[bytes, bool]] = misc._read_until_class
_read_past_blanks: Callable[..., bytes] = misc.read_non_whitespace
_decode_name = generic._decode_name
_read_hex = generic.read_hex_string_from_stream


def _read_hex_quickly(stream: Any) -> Any:
    """A hexadecimal string at the place of a stream."""
    if not isinstance(stream, io.BytesIO):
        return _read_hex(stream)
    start = stream.tell()
    digits, size = b"", _PORTION
    while b">" not in digits:
        part = stream.read(size)
        if not part:
            break
        digits += part
        size *= 2
    end = digits.find(b">")
    digits = digits[1:end]
    if end < 0 or len(digits) % 2 or digits.translate(None, _PLAIN) != digits:
        stream.seek(start)
        return _read_hex(stream)
    stream.seek(start + end + 1)
    return generic.pdf_string(bytes.fromhex(digits.decode("ascii")))


@cache
def _any_of(characters: bytes) -> re.Pattern[bytes]:
    return re.compile(b"[" + re.escape(characters) + b"]")


def _read_until_quickly(class_chars: bytes, stream: Any, maxchars: int | None = None) -> tuple[bytes, bool]:
    """Bytes up to one of a class, which is passed, and whether the stream ended before there was one."""
    if maxchars or not isinstance(stream, io.BytesIO):
        return _read_until(class_chars, stream, maxchars=maxchars)
    start = stream.tell()
    found = _any_of(class_chars).search(word := stream.read(_WORD))
    if found is None:
        stream.seek(start)
        return _read_until(class_chars, stream, maxchars=maxchars)
    stream.seek(start + found.end())
    return word[: found.start()], False


def _read_past_blanks_quickly(stream: Any, seek_back: bool = False, allow_eof: bool = False) -> bytes:
    """The next byte that is not blank, comments left out."""
    byte: bytes = stream.read(1)
    if byte and byte not in _NEEDS_CARE:
        if seek_back:
            stream.seek(-1, io.SEEK_CUR)
        return byte
    stream.seek(-len(byte), io.SEEK_CUR)
    return _read_past_blanks(stream, seek_back, allow_eof)


def _decode_name_quickly(name_bytes: bytes) -> generic.NameObject:
    """A name, its escapes resolved; a new object each time, for it is told where it stands."""
    if _PLAIN_NAME.fullmatch(name_bytes):
        return generic.NameObject("/" + name_bytes.decode("ascii"))
    return _decode_name(name_bytes)


misc._read_until_class = _read_until_quickly
generic._decode_name = _decode_name_quickly
setattr(generic, "read_non_whitespace", _read_past_blanks_quickly)  # noqa: B010  (imported there, not exported)
generic.read_hex_string_from_stream = _read_hex_quickly
