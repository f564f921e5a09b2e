"""Telephone numbers, post codes, bank cards, vehicles."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import luhn_valid, vin_check_digit
from docproc.fields.result import Checked, bad, good
from docproc.fields.text import compact

_DASHES = "-‐‑–—.·"
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")
_ACCOUNT = re.compile(r"[0-9]{8,32}")
_SHORT_PHONE = re.compile(r"[48]00[0-9]{7}|95[0-9]{3,6}|96[0-9]{3,4}|1[0-2][0-9]{1,3}")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-HJ-NP-Z](?:(?=[A-HJ-NP-Z0-9]*[0-9])[A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9学警港澳挂超领]"
    r"|[A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[A-HJK])"
)


def mobile(raw: str, *, today: date) -> Checked:
    """Mobile number of the mainland, with or without +86: eleven digits from 13 to 19 on."""
    value = compact(raw, _DASHES)
    found = _MOBILE.fullmatch(value)
    return good(found[1]) if found else bad(value, "手机号码应为11位数字，以13至19开头，请核对")


def phone(raw: str, *, today: date) -> Checked:
    """Any telephone number of China by its area code tree: mobile, landline with area code, 400, 95xxx."""
    value = compact(raw)
    digits = compact(raw, _DASHES)
    if found := _MOBILE.fullmatch(digits):
        return good(found[1])
    if _SHORT_PHONE.fullmatch(digits):
        return good(digits)
    landline = _landline(re.sub(f"[{_DASHES}转]", "-", value))
    return good(landline) if landline else bad(value, "电话号码有误，固定电话请写区号，例如028-85000000")


def post_code(raw: str, *, today: date) -> Checked:
    """Post code: six digits (GB/T 18894), the first two naming a province."""
    value = compact(raw)
    if re.fullmatch("[0-9]{6}", value) and value[:2] not in ("00", "98", "99"):
        return good(value)
    return bad(value, "邮政编码应为6位数字，请核对")


def bank_card(raw: str, *, today: date) -> Checked:
    """Card number: 13 to 19 digits with a Luhn check digit (ISO/IEC 7812-1, JR/T 0008); not for company accounts."""
    value = compact(raw, _DASHES)
    if not re.fullmatch("[0-9]{13,19}", value) or len(set(value)) == 1:
        return bad(value, "银行卡号应为13至19位数字，请核对")
    return good(value) if luhn_valid(value) else bad(value, "银行卡号有误（校验码不符），请逐位核对")


def bank_account(raw: str, *, today: date) -> Checked:
    """Company account: 8 to 32 digits; such numbers carry no common check digit."""
    value = compact(raw, _DASHES)
    if _ACCOUNT.fullmatch(value) and len(set(value)) > 1:
        return good(value)
    return bad(value, "银行账号应为8至32位数字，请核对")


def vin(raw: str, *, today: date) -> Checked:
    """Vehicle identification number (GB 16735-2019): 17 characters without I, O, Q; the ninth is a check digit."""
    value = compact(raw)
    try:
        expected = vin_check_digit(value)
    except ValueError:
        return bad(value, "车辆识别代号应为17位数字和字母，不含I、O、Q，请核对")
    return good(value) if value[8] == expected else bad(value, "车辆识别代号有误（校验码不符），请逐位核对")


def plate(raw: str, *, today: date) -> Checked:
    """Number plate (GA 36-2018): province, letter, five characters, or six for new energy vehicles."""
    value = compact(raw, _DASHES)
    return good(value) if _PLATE.fullmatch(value) else bad(value, "号牌号码格式不符，请按行驶证填写")


def _landline(value: str) -> str:
    """Return ``0512-62345678`` or ``0512-62345678-12``, or nothing when the area code tree has no such number."""
    import phonenumbers  # 0.1 s to import; most runs never need it

    parts = re.fullmatch(r"\(?(\+?[0-9]{2,4})\)?-?([0-9]{2,4}-)?([0-9]{6,9})(?:-([0-9]{1,6}))?", value)
    if parts is None:
        return ""
    try:
        number = phonenumbers.parse(re.sub("[()-]", "", parts[1] + (parts[2] or "") + parts[3]), "CN")
    except phonenumbers.NumberParseException:
        return ""
    if number.country_code != 86 or not phonenumbers.is_valid_number(number):
        return ""
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    area, _, subscriber = national.partition(" ")
    shown = f"{area}-{subscriber.replace(' ', '')}"
    return f"{shown}-{parts[4]}" if parts[4] else shown
