"""Check-digit algorithms: pure arithmetic on strings, without knowledge of documents.

Every function takes the characters without the check character and raises
ValueError for a wrong length or a character outside its alphabet.
"""

from __future__ import annotations

from collections.abc import Iterable

DIGITS = "0123456789"
ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015: no I, O, Z, S, V."""

_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CID_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
_MRZ_WEIGHTS = (7, 3, 1)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_VALUES = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True)
)


def uscc_check_digit(body: str) -> str:
    """Return character 18 of a unified social credit code from its first 17 (GB 32100-2015, MOD 31)."""
    return USCC_ALPHABET[-_weighted(body, USCC_ALPHABET, _USCC_WEIGHTS) % 31]


def org_check_digit(body: str) -> str:
    """Return character 9 of an organisation code from its first 8 (GB 11714-1997, MOD 11)."""
    return "0123456789X0"[11 - _weighted(body, ALNUM, _ORG_WEIGHTS) % 11]


def cid_check_digit(body: str) -> str:
    """Return character 18 of a citizen identification number from its first 17 (GB 11643-1999, ISO 7064 MOD 11-2)."""
    return "10X98765432"[_weighted(body, DIGITS, _CID_WEIGHTS) % 11]


def mod11_10(body: str) -> str:
    """Return the check digit of ISO 7064 MOD 11,10 (GB/T 17710) for a string of digits."""
    return _hybrid(body, DIGITS)


def mod37_36(body: str) -> str:
    """Return the check character of ISO 7064 MOD 37,36 (GB/T 17710) for digits and capitals."""
    return _hybrid(body, ALNUM)


def mrz_check_digit(body: str) -> str:
    """Return the check digit of a field of a machine-readable zone (ICAO 9303-3, weights 7 3 1)."""
    weights = [_MRZ_WEIGHTS[place % 3] for place in range(len(body))]
    return str(_weighted(body.replace("<", "0"), ALNUM, weights) % 10)


def vin_check_digit(vin: str) -> str:
    """Return what character 9 of a 17-character vehicle identification number must be (GB 16735-2019, MOD 11)."""
    if len(vin) != len(_VIN_WEIGHTS) or any(char not in _VIN_VALUES for char in vin[:8] + vin[9:]):
        raise ValueError("a VIN has 17 digits and capitals without I, O, Q")
    total = sum(_VIN_VALUES.get(char, 0) * weight for char, weight in zip(vin, _VIN_WEIGHTS, strict=True))
    return "0123456789X"[total % 11]


def luhn_valid(number: str) -> bool:
    """Whether digits, check digit included, satisfy ISO/IEC 7812-1 (Luhn)."""
    if not number or any(char not in DIGITS for char in number):
        raise ValueError("digits only")
    doubled = (DIGITS.index(char) * (1 + place % 2) for place, char in enumerate(reversed(number)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _weighted(body: str, alphabet: str, weights: Iterable[int]) -> int:
    values = [alphabet.find(char) for char in body]
    if -1 in values:
        raise ValueError(f"only characters of {alphabet}")
    return sum(value * weight for value, weight in zip(values, weights, strict=True))


def _hybrid(body: str, alphabet: str) -> str:
    """ISO 7064 hybrid system MOD (M+1, M), M being the size of the alphabet."""
    size = len(alphabet)
    product = size
    for char in body:
        value = alphabet.find(char)
        if value < 0:
            raise ValueError(f"only characters of {alphabet}")
        product = ((product + value) % size or size) * 2 % (size + 1)
    return alphabet[(size + 1 - product) % size]
