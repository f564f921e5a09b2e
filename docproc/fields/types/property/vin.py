"""Vehicle identification number (GB 16735-2019)."""

from __future__ import annotations

from datetime import date

from docproc.fields.check_digits import DIGITS, vin_check_digit
from docproc.fields.confusions import capitals, seconds, shares
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Spelling, some
from docproc.fields.text import compact

_ALPHABET = "ABCDEFGHJKLMNPRSTUVWXYZ" + DIGITS
"""Without I, O and Q."""
_CONFUSIONS = (
    capitals(_ALPHABET)
    | shares(_0="OoQ〇○口", _1="Il|丨!i")
    | seconds(0.02, _2="Z", Z="2", _5="S", S="5", _8="B", B="8", D="0", _6="G", G="6")
)


def vin(raw: str, *, today: date) -> Checked:
    """Vehicle identification number (GB 16735-2019): 17 characters without I, O, Q; the ninth is a check digit."""
    value = compact(raw)
    try:
        expected = vin_check_digit(value)
    except ValueError:
        return bad(value, "车辆识别代号应为17位数字和字母，不含I、O、Q，请核对")
    return good(value) if value[8] == expected else bad(value, "车辆识别代号有误（校验码不符），请逐位核对")


TYPE = FieldType(
    name="vin",
    kind="code",
    validator=vin,
    example="1M8GDM9AXKP042788",
    wrong="1M8GDM9A1KP042788",
    spelling=Spelling(shapes=((some(_ALPHABET, 17),),), trust="checked", confusions=_CONFUSIONS),
    mask=hide_middle,  # 汽车数据安全管理若干规定（试行）第三条: it leads to the keeper
    sensitive=False,
    prefill="papers",
)
