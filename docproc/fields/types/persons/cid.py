"""Citizen identification number (GB 11643-1999)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import DIGIT_CONFUSIONS, seconds, shares
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.identity import person_problem
from docproc.fields.region import UNKNOWN_REGION, region_known
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Spelling, some
from docproc.fields.text import compact

CID_CONFUSIONS = DIGIT_CONFUSIONS | shares(X="x×乂*") | seconds(0.02, X="4")


def cid(raw: str, *, today: date) -> Checked:
    """Citizen identification number (GB 11643-1999), also of residents from Hong Kong, Macao and Taiwan."""
    value = compact(raw)
    if problem := person_problem(value, "公民身份号码", today):
        return bad(value, problem)
    if value[0] == "9":
        return bad(value, "以9开头的是外国人永久居留身份证号码，请在证件类型中改选")
    return good(value, "" if region_known(value[:6]) else UNKNOWN_REGION)


TYPE = FieldType(
    name="cid",
    kind="code",
    validator=cid,
    example="11010519491231002X",
    wrong="110105194912310021",
    spelling=Spelling(
        shapes=((some("123456789", 1), some(DIGITS, 16), some(DIGITS + "X", 1)),),
        trust="checked",
        confusions=CID_CONFUSIONS,
    ),
    within=re.compile(r"[0-9OolI|][0-9OolI|DGQBSZ]{14,18}[0-9XxA-Z×*]"),
    mask=hide_middle,
    sensitive=True,
    prefill="papers",
)
