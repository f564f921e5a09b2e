"""Names in certificates compared quickly, with the same result; imported for that.

asn1crypto prepares every part of two names by RFC 4518 each time it compares them, and one examination of a licence
compares the same few names a thousand times.
"""

from __future__ import annotations

from functools import lru_cache

from asn1crypto import x509

_SEQUENCE = 0x30
_LONGEST_NAME = 1024
"""Bytes of a name that is remembered."""
_same_name = x509.Name.__eq__
_name_key = x509.Name.hashable.fget


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


x509.Name.__eq__ = _same_name_quickly
x509.Name.hashable = property(_name_key_quickly)
