"""Electronic licence identifier (GB/T 36904-2018)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import ALNUM, DIGITS, mod37_36
from docproc.fields.confusions import capitals
from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Slot, Spelling, some, word
from docproc.fields.text import compact

IDENTIFIER_ROOT = "1.2.156.3005.2"
"""Object identifier of electronic licences (GB/T 36904-2018)."""

_IDENTIFIER_PARTS = (r"[0-9A-Z]{21}", r"[0-9A-Z]{6,18}", r"[0-9A-Z]{1,32}", r"[0-9]{3}")
_IDENTIFIER = re.compile(
    re.escape(IDENTIFIER_ROOT) + "".join(rf"\.({part})" for part in _IDENTIFIER_PARTS) + r"\.([0-9A-Z])"
)


def ecert(raw: str, *, today: date) -> Checked:
    """Electronic licence identifier (GB/T 36904-2018)."""
    value = compact(raw)
    found = _IDENTIFIER.fullmatch(value)
    if not found:
        return bad(value, "电子证照标识的格式不符，应以1.2.156.3005.2开头并由五段组成，请核对")
    if mod37_36("".join(found.groups()[:4])) != found[5]:
        return bad(value, "电子证照标识有误（校验码不符），请核对")
    return good(value)


def make_identifier(kind: str, issuer: str, serial: str, version: int = 1) -> str:
    """Compose an electronic licence identifier (GB/T 36904-2018).

    Args:
        kind: Licence type code, 21 digits and capitals.
        issuer: Unified social credit code of the issuing body (6 to 18 digits and capitals).
        serial: 1 to 32 digits and capitals, unique within kind and issuer.
        version: 1 to 999, counted up with every change of the licence.

    Raises:
        ValueError: a part does not fit its place.
    """
    parts = (kind, issuer, serial, f"{version:03d}")
    for part, pattern in zip(parts, _IDENTIFIER_PARTS, strict=True):
        if not re.fullmatch(pattern, part):
            raise ValueError(f"{part!r} is not {pattern}")
    return ".".join((IDENTIFIER_ROOT, *parts, mod37_36("".join(parts))))


TYPE = FieldType(
    name="ecert",
    kind="code",
    validator=ecert,
    example="1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    wrong="1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000404.001.U",
    spelling=Spelling(
        shapes=(
            (
                *word(IDENTIFIER_ROOT + "."),
                *(some(ALNUM, 21), Slot("."), some(ALNUM, 6, 18), Slot("."), some(ALNUM, 1, 32), Slot(".")),
                *(some(DIGITS, 3), Slot("."), some(ALNUM, 1)),
            ),
        ),
        trust="checked",
        confusions=capitals(ALNUM) | {"．": ((".", 1.0),), "。": ((".", 1.0),)},
    ),
    lines=2,
    mask=None,
    sensitive=False,
    prefill="never",
)
