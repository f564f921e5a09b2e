"""Numbers of persons' documents."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from docproc.fields.check_digits import cid_check_digit
from docproc.fields.region import region_known
from docproc.fields.result import Checked, bad, good
from docproc.fields.text import compact

Sex = Literal["男", "女"]

EARLIEST_BIRTH = date(1880, 1, 1)
UNKNOWN_REGION = "行政区划代码不在对照表中，请核对"
FORMAT_ONLY = "此类证件号码没有校验位，只核对了格式"

_BODY = re.compile(r"[1-9][0-9]{16}[0-9X]")
_PRCARD_2017 = re.compile(r"[A-Z]{3}[0-9]{12}")
_HKMO = re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?")
_TAIWAN = re.compile(r"[0-9]{8}(?:[0-9]{2}(?:\(?[A-Z0-9]\)?)?)?")
_CHINESE_PASSPORT = re.compile(r"E[0-9A-HJ-NP-Z][0-9]{7}|[GDSP][0-9]{8}|[DSP]E[0-9]{7}|1[45][0-9]{7}")
_ANY_PASSPORT = re.compile(r"(?=[A-Z]*[0-9])[A-Z0-9]{6,15}")


def cid(raw: str, *, today: date) -> Checked:
    """Citizen identification number (GB 11643-1999), also of residents from Hong Kong, Macao and Taiwan."""
    value = compact(raw)
    if problem := _person_problem(value, "公民身份号码", today):
        return bad(value, problem)
    if value[0] == "9":
        return bad(value, "以9开头的是外国人永久居留身份证号码，请在证件类型中改选")
    return good(value, "" if region_known(value[:6]) else UNKNOWN_REGION)


def prcard(raw: str, *, today: date) -> Checked:
    """Foreigner's permanent residence card: 18 digits from 9 on since 2023-12-01, 3 letters and 12 digits before."""
    value = compact(raw)
    if _PRCARD_2017.fullmatch(value):
        return good(value, "2017版永久居留身份证，" + FORMAT_ONLY)
    if problem := _person_problem(value, "外国人永久居留身份证号码", today):
        return bad(value, problem)
    return good(value) if value[0] == "9" else bad(value, "外国人永久居留身份证号码应以9开头，请核对")


def cid_birth_sex(number: str) -> tuple[date, Sex]:
    """Return birth date and sex that a number of 18 characters carries, without looking at its check character.

    Raises:
        ValueError: not 18 characters of such a number, or no real date.
    """
    value = compact(number)
    if not _BODY.fullmatch(value):
        raise ValueError("not a number of 17 digits and a digit or X")
    birth = date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    return birth, "男" if int(value[16]) % 2 else "女"


def hkmo_permit(raw: str, *, today: date) -> Checked:
    """Mainland travel permit of Hong Kong and Macao residents: H or M, 8 digits, on older cards the issue count."""
    return _by_format(raw, _HKMO, "港澳居民来往内地通行证号码应为H或M加8位数字，请核对")


def tw_permit(raw: str, *, today: date) -> Checked:
    """Mainland travel permit of Taiwan residents: 8 digits, on older cards followed by the issue count and a check."""
    return _by_format(raw, _TAIWAN, "台湾居民来往大陆通行证号码应为8位数字，请核对")


def passport(raw: str, *, today: date) -> Checked:
    """Passport number: Chinese series, or 6 to 15 letters and digits of another country."""
    value = compact(raw)
    if _CHINESE_PASSPORT.fullmatch(value):
        return good(value, FORMAT_ONLY)
    if _ANY_PASSPORT.fullmatch(value):
        return good(value, "不是中国护照号码的格式，请与护照核对")
    return bad(value, "护照号码应为字母和数字，请按护照填写")


def _person_problem(value: str, name: str, today: date) -> str:
    """Say what is wrong with a number of 18 characters, or return an empty string."""
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


def _by_format(raw: str, pattern: re.Pattern[str], problem: str) -> Checked:
    value = compact(raw)
    return good(value, FORMAT_ONLY) if pattern.fullmatch(value) else bad(value, problem)
