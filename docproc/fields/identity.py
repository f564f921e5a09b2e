"""Rules that the numbers of several identity documents share."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from docproc.fields.check_digits import cid_check_digit
from docproc.fields.result import Checked, bad, good
from docproc.fields.text import compact

Sex = Literal["男", "女"]

EARLIEST_BIRTH = date(1880, 1, 1)
FORMAT_ONLY = "此类证件号码没有校验位，只核对了格式"

_BODY = re.compile(r"[1-9][0-9]{16}[0-9X]")


def cid_birth_sex(number: str) -> tuple[date, Sex]:
    """Return the birth date and sex encoded in a number of 18 characters, without checking its check character.

    Raises:
        ValueError: not 18 characters of such a number, or no real date.
    """
    value = compact(number)
    if not _BODY.fullmatch(value):
        raise ValueError("not a number of 17 digits and a digit or X")
    birth = date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    return birth, "男" if int(value[16]) % 2 else "女"


def person_problem(value: str, name: str, today: date) -> str:
    """Say what is wrong with a number of 18 characters (GB 11643-1999), or return an empty string."""
    if len(value) == 15 and value.isdigit():
        return f"15位旧号码已停用，请填写18位{name}"
    if len(value) != 18:
        return f"{name}应为18位，现为{len(value)}位，请核对"
    if not _BODY.fullmatch(value):
        return f"{name}前17位应为数字，最后一位为数字或X，请核对"
    try:
        birth, _ = cid_birth_sex(value)
    except ValueError:
        return f"{name}中的出生日期{value[6:14]}不存在，请核对"
    if not EARLIEST_BIRTH <= birth <= today:
        return f"{name}中的出生日期{birth.isoformat()}不合理，请核对"
    if cid_check_digit(value[:17]) != value[17]:
        return f"{name}有误（校验码不符），请逐位核对"
    return ""


def by_format(raw: str, pattern: re.Pattern[str], problem: str) -> Checked:
    """Accept a number that has the pattern, for documents whose numbers carry no check digit."""
    value = compact(raw)
    return good(value, FORMAT_ONLY) if pattern.fullmatch(value) else bad(value, problem)
