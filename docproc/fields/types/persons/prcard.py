"""Number of a foreigner's permanent residence card."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.identity import FORMAT_ONLY, person_problem
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import CAPITALS, Slot, Spelling, some
from docproc.fields.text import compact
from docproc.fields.types.persons.cid import CID_CONFUSIONS

_PRCARD_2017 = re.compile(r"[A-Z]{3}[0-9]{12}")


def prcard(raw: str, *, today: date) -> Checked:
    """Permanent residence card: 18 digits that begin with 9 since 2023-12-01, before that 3 letters and 12 digits."""
    value = compact(raw)
    if _PRCARD_2017.fullmatch(value):
        return good(value, "2017版永久居留身份证，" + FORMAT_ONLY)
    if problem := person_problem(value, "外国人永久居留身份证号码", today):
        return bad(value, problem)
    return good(value) if value[0] == "9" else bad(value, "外国人永久居留身份证号码应以9开头，请核对")


TYPE = FieldType(
    name="prcard",
    kind="code",
    validator=prcard,
    example="931840198408010035",
    wrong="931840198408010034",
    spelling=Spelling(
        shapes=(
            (Slot("9"), some(DIGITS, 16), some(DIGITS + "X", 1)),
            (some(CAPITALS, 3), some(DIGITS, 12)),
        ),
        trust="shaped",  # the older cards have no check digit
        confusions=CID_CONFUSIONS,
    ),
    mask=hide_middle,
    sensitive=True,
    prefill="papers",
)
