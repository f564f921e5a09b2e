"""Two things that pyHanko and asn1crypto do slowly and often, done quickly with the same result; imported for that.

A signature stands in a PDF as a hexadecimal string of some ten thousand digits, and pyHanko reads it digit by digit: a
third of the time of examining a licence. asn1crypto prepares every part of two names by RFC 4518 each time it compares
them, and one examination compares the same few names a thousand times.

Whatever is not plain is left to the original functions, errors included.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

from asn1crypto import x509
from pyhanko.pdf_utils import generic

_PLAIN = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
"""All bytes but hexadecimal digits."""
_PORTION = 1 << 16
_SEQUENCE = 0x30
_LONGEST_NAME = 1024
"""Bytes of a name that is remembered."""
_read_hex = generic.read_hex_string_from_stream
_same_name = x509.Name.__eq__
_name_key = x509.Name.hashable.fget


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


def _same_name_quickly(self: x509.Name, other: object) -> bool:
    """Whether two names are the same (RFC 5280, 7.1)."""
    if not isinstance(other, x509.Name):
        return False
    one, two = self.chosen.dump(), other.chosen.dump()
    if max(len(one), len(two)) > _LONGEST_NAME or not one[0] == two[0] == _SEQUENCE:
        return bool(_same_name(self, other))
    return _compared(one, two)


@lru_cache(maxsize=4096)
def _compared(one: bytes, two: bytes) -> bool:
    return bool(x509.RDNSequence.load(one) == x509.RDNSequence.load(two))


def _name_key_quickly(self: x509.Name) -> str:
    """A name as a key of a dictionary."""
    der = self.chosen.dump()
    return _keyed(der) if len(der) <= _LONGEST_NAME and der[0] == _SEQUENCE else str(_name_key(self))


@lru_cache(maxsize=4096)
def _keyed(der: bytes) -> str:
    return str(x509.RDNSequence.load(der).hashable)


generic.read_hex_string_from_stream = _read_hex_quickly
x509.Name.__eq__ = _same_name_quickly
x509.Name.hashable = property(_name_key_quickly)
