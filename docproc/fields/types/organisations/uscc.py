"""Unified social credit code (GB 32100-2015)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS, USCC_ALPHABET, org_check_digit, uscc_check_digit
from docproc.fields.confusions import capitals, seconds, shares
from docproc.fields.field_type import FieldType, Older
from docproc.fields.region import UNKNOWN_REGION, region_known
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Spelling, some
from docproc.fields.text import compact

_USCC = re.compile(f"[{USCC_ALPHABET}]{{2}}[0-9]{{6}}[{USCC_ALPHABET}]{{10}}")
_USCC_OFFICES = "123456789ANY"
_CONFUSIONS = {
    **capitals(USCC_ALPHABET),
    **shares(_0="Oo〇○口", _1="Il|丨!i", _2="Zz", _5="Ss", U="Vvμ", Y="Vv", X="×"),
    **seconds(0.02, F="79", G="6", H="4", X="4P", J="F5", A="4", Q="0", Y="U4", D="0", L="1", B="8"),
}
_CONFUSIONS |= {"H": (("4", 0.1), ("F", 0.02)), "G": (("6", 0.05), ("F", 0.05))}


def uscc(raw: str, *, today: date) -> Checked:
    """Unified social credit code (GB 32100-2015) with the organisation code inside it (GB 11714-1997)."""
    value = compact(raw)
    if len(value) != 18:
        return bad(value, f"统一社会信用代码应为18位，现为{len(value)}位，请核对")
    wrong = sorted(set(value) - set(USCC_ALPHABET))
    if wrong:
        return bad(value, f"统一社会信用代码不使用“{'、'.join(wrong)}”，请核对（数字0、1与字母O、I易混）")
    if not _USCC.fullmatch(value):
        return bad(value, "统一社会信用代码第3至8位应为数字，请核对")
    if uscc_check_digit(value[:17]) != value[17]:
        return bad(value, "统一社会信用代码有误（校验码不符），请对照营业执照逐位核对")
    if org_check_digit(value[8:16]) != value[16]:
        return bad(value, "统一社会信用代码第9至17位有误（主体标识码校验不符），请对照营业执照逐位核对")
    office = "" if value[0] in _USCC_OFFICES else "登记管理部门代码少见，请核对"
    return good(value, office, "" if region_known(value[2:8]) else UNKNOWN_REGION)


TYPE = FieldType(
    name="uscc",
    kind="code",
    validator=uscc,
    example="91110000600037341L",
    wrong="91110000600037341M",
    spelling=Spelling(
        shapes=((some(USCC_ALPHABET, 2), some(DIGITS, 6), some(USCC_ALPHABET, 10)),),
        trust="checked",
        confusions=_CONFUSIONS,
    ),
    within=re.compile(r"[0-9A-Z]{17,19}|[0-9]{13,15}"),
    alone=re.compile(r"(?<![0-9A-Z])(?:[0-9A-HJ-NPQRTUWXY]{18}|[0-9]{15})(?![0-9A-Z])"),
    older=Older("regno", length=15, instead_of=18),
    mask=None,
    sensitive=False,
    prefill="always",
)
