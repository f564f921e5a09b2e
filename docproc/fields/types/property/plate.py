"""Number plate of a vehicle (GA 36-2018)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import capitals, shares
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import BLANKS, Spelling, some
from docproc.fields.text import DASHES, compact

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-HJ-NP-Z](?:(?=[A-HJ-NP-Z0-9]*[0-9])[A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9学警港澳挂超领]"
    r"|[A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[A-HJK])"
)
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without I and O, which plates leave out."""
_HEAD = (some(_PROVINCES, 1), some(_LETTERS, 1))


def plate(raw: str, *, today: date) -> Checked:
    """Number plate (GA 36-2018): province, letter, five characters, or six for new energy vehicles."""
    value = compact(raw, DASHES)
    return good(value) if _PLATE.fullmatch(value) else bad(value, "号牌号码格式不符，请按行驶证填写")


TYPE = FieldType(
    name="plate",
    kind="code",
    validator=plate,
    example="川A12345",
    wrong="川I12345",
    spelling=Spelling(
        shapes=(
            (*_HEAD, some(_LETTERS + DIGITS, 4), some(_LETTERS + DIGITS + "学警港澳挂超领", 1)),
            (*_HEAD, some("ABCDEFGHJK", 1), some(_LETTERS + DIGITS, 1), some(DIGITS, 4)),
            (*_HEAD, some(DIGITS, 5), some("ABCDEFGHJK", 1)),
        ),
        trust="exact",
        confusions=capitals(_LETTERS) | shares(_0="Oo〇○口", _1="Il|丨!i"),
        skip=BLANKS | frozenset("·•・.-"),
        simplify=True,
    ),
    mask=hide_middle,  # 汽车数据安全管理若干规定（试行）第三条: it leads to the keeper
    sensitive=False,
    prefill="papers",
)
