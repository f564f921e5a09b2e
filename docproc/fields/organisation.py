"""Numbers of organisations, of their licences and of electronic licences."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import USCC_ALPHABET, mod11_10, mod37_36, org_check_digit, uscc_check_digit
from docproc.fields.identity import UNKNOWN_REGION
from docproc.fields.region import region_known
from docproc.fields.result import Checked, bad, good
from docproc.fields.text import compact

IDENTIFIER_ROOT = "1.2.156.3005.2"
"""Object identifier of electronic licences (GB/T 36904-2018)."""

_USCC = re.compile(f"[{USCC_ALPHABET}]{{2}}[0-9]{{6}}[{USCC_ALPHABET}]{{10}}")
_USCC_OFFICES = "123456789ANY"
_ORG = re.compile(r"([0-9A-Z]{8})-?([0-9X])")
_FOOD = re.compile(r"(JY|SC|YB)[0-9]{14}")
_IDENTIFIER_PARTS = (r"[0-9A-Z]{21}", r"[0-9A-Z]{6,18}", r"[0-9A-Z]{1,32}", r"[0-9]{3}")
_IDENTIFIER = re.compile(
    re.escape(IDENTIFIER_ROOT) + "".join(rf"\.({part})" for part in _IDENTIFIER_PARTS) + r"\.([0-9A-Z])"
)


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


def org_code(raw: str, *, today: date) -> Checked:
    """Organisation code (GB 11714-1997), shown as ``12345678-9``."""
    value = compact(raw)
    found = _ORG.fullmatch(value)
    if not found:
        return bad(value, "组织机构代码应为8位数字或字母加1位校验码，请核对")
    value = f"{found[1]}-{found[2]}"
    return (
        good(value) if org_check_digit(found[1]) == found[2] else bad(value, "组织机构代码有误（校验码不符），请核对")
    )


def regno(raw: str, *, today: date) -> Checked:
    """Registration number of 15 digits from before 2015 (GS 15-2006, ISO 7064 MOD 11,10)."""
    value = compact(raw)
    if not re.fullmatch("[0-9]{15}", value):
        return bad(value, "注册号应为15位数字，请核对")
    if mod11_10(value[:14]) != value[14]:
        return bad(value, "注册号有误（校验码不符），请核对")
    return good(value, "" if region_known(value[:6]) else UNKNOWN_REGION)


def food_licence_no(raw: str, *, today: date) -> Checked:
    """Number of a food licence: JY (business), SC (production) or YB (filing), 14 digits, the last by MOD 11,10."""
    value = compact(raw)
    if not _FOOD.fullmatch(value):
        return bad(value, "食品许可证编号应为JY、SC或YB加14位数字，请核对")
    if mod11_10(value[2:15]) != value[15]:
        return bad(value, "食品许可证编号有误（校验码不符），请核对")
    region = value[5:11] if value.startswith("SC") else value[3:9]
    return good(value, "" if region_known(region) else UNKNOWN_REGION)


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
