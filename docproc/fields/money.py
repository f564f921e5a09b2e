"""Amounts of money: in capitals, in digits, and both side by side (银发〔1997〕393号, annex, and 会计基础工作规范)."""

from __future__ import annotations

import re
from decimal import Decimal

from docproc.fields.chinese import TO_FORMAL, cn_int
from docproc.fields.text import compact

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_LIMIT = Decimal(10) ** 16
_CENT = Decimal("0.01")
_LONGEST = 20
_CODES = {
    "": "人民币 RMB CNY ¥",
    "USD": "USD 美元 $",
    "HKD": "HKD 港元 港币",
    "EUR": "EUR 欧元 €",
    "JPY": "JPY 日元",
    "GBP": "GBP 英镑",
}
_CURRENCIES = {word: code for code, words in _CODES.items() for word in words.split()}
_CURRENCY = "|".join(re.escape(word) for word in sorted(_CURRENCIES, key=len, reverse=True))
_FIGURES = re.compile(
    rf"(?P<before>{_CURRENCY})?:?(?P<number>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?P<scale>千万|百万|十万|万|亿)?(?:元)?(?P<after>{_CURRENCY})?(?:元)?整?",
    re.ASCII,
)
_SCALES = {None: 1, "万": 10**4, "十万": 10**5, "百万": 10**6, "千万": 10**7, "亿": 10**8}
_CAPITALS = re.compile(
    f"(?:(?P<yuan>[{_DIGITS}拾佰仟万亿]+)元)?零?(?:(?P<jiao>[{_DIGITS}])角)?零?(?:(?P<fen>[{_DIGITS}])分)?[整正]?"
)
_NAMED = re.compile(rf"(?P<capitals>.+?)元?(?P<currency>{_CURRENCY})元?整?")
_LABELS = re.compile(r"^(?:人民币|大写|RMB|¥|:|\((?:大写|人民币)\)|金额|注册资本)+")
_FIGURE_PART = r"(?P<two>(?:¥|RMB|人民币)?:?\d[\d,.]*(?:千万|百万|十万|万|亿)?(?:元整?)?)"
_BOTH = (
    re.compile(rf"(?P<one>\D*?)[(,;/]?(?:\(?小写\)?:?)?{_FIGURE_PART}\)?"),
    re.compile(rf"(?:\(?小写\)?:?)?{_FIGURE_PART}[(,;/]?(?P<one>\D+?)\)?"),
)


def rmb_capitals(amount: Decimal) -> str:
    """Write an amount of yuan in capitals, for example 壹拾万柒仟元伍角叁分.

    Args:
        amount: 0 <= amount < 10**16, at most two decimals.

    Raises:
        ValueError: out of range, or finer than a fen.
    """
    return "".join(word for word, needed in _spelling(amount) if needed)


def parse_rmb(text: str) -> Decimal:
    """Read an amount of yuan in capitals; everyday numerals (一百万元) are read too.

    The result is converted back to capitals and must match: a missing zero, a doubled
    word or a misplaced unit is an error. Zeros that the rule makes optional may be
    present or not, and so may the 壹 of a leading 拾, which registries leave out; 整
    never follows 分.

    Raises:
        ValueError: not an amount in capitals.
    """
    plain = re.sub("^[十拾]", "壹拾", _LABELS.sub("", compact(text))).translate(TO_FORMAL)
    plain = plain.replace("圆", "元").replace("圓", "元")
    found = _CAPITALS.fullmatch(plain)
    if not found or not any(found.groups()):
        raise ValueError("not an amount in capitals")
    yuan = cn_int(found["yuan"]) if found["yuan"] else 0
    cents = 10 * _DIGITS.index(found["jiao"] or "零") + _DIGITS.index(found["fen"] or "零")
    amount = Decimal(yuan) + Decimal(cents) * _CENT
    pattern = "".join(word if needed else f"(?:{word})?" for word, needed in _spelling(amount, lenient=True))
    if not re.fullmatch(pattern, plain):
        raise ValueError("the capitals are not well formed")
    return amount


def parse_amount(text: str) -> tuple[Decimal, str]:
    """Parse an amount in capitals, in digits, or in both, as ``(amount, currency)``.

    Digits may carry a scale (100万元), thousands commas and a currency; the currency
    is ``""`` for yuan, else its ISO 4217 code. Capitals and digits must agree.

    Raises:
        ValueError: not an amount, or the capitals and the digits differ.
    """
    plain = compact(text).replace("圆", "元").replace("圓", "元")
    figures = _FIGURES.fullmatch(plain)
    if figures:
        return _figures(figures)
    for pattern in _BOTH:
        both = pattern.fullmatch(plain)
        if both and both["one"]:
            return _agreed(both["one"], both["two"])
    named = _NAMED.fullmatch(plain)
    if named:
        return parse_rmb(named["capitals"] + "元"), _CURRENCIES[named["currency"]]
    return parse_rmb(plain), ""


class AmountsDifferError(ValueError):
    """The capitals and the digits of one amount differ."""


def plain_decimal(amount: Decimal) -> str:
    """Write a number without exponent, thousands commas or trailing zeros."""
    text = format(amount, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _agreed(capitals: str, figures: str) -> tuple[Decimal, str]:
    found = _FIGURES.fullmatch(figures)
    if found is None:
        raise ValueError("not an amount")
    amount, currency = _figures(found)
    if parse_rmb(capitals) != amount:
        raise AmountsDifferError("the capitals and the figures differ")
    return amount, currency


def _figures(found: re.Match[str]) -> tuple[Decimal, str]:
    names = {_CURRENCIES[word] for word in (found["before"], found["after"]) if word}
    if len(names) > 1:
        raise ValueError("two currencies")
    number = found["number"].replace(",", "")
    if len(number) > _LONGEST:
        raise ValueError("more figures than an amount has")
    return Decimal(number) * _SCALES[found["scale"]], names.pop() if names else ""


def _spelling(amount: Decimal, *, lenient: bool = False) -> list[tuple[str, bool]]:
    """Give the words of an amount, each with whether it is needed; with ``lenient`` as a pattern of all spellings."""
    if not 0 <= amount < _LIMIT or amount != amount.quantize(_CENT):
        raise ValueError("from 0 to below 10**16 yuan, at most two decimals")
    yuan, cents = divmod(int(amount * 100), 100)
    jiao, fen = divmod(cents, 10)
    words: list[tuple[str, bool]] = []
    if yuan or not cents:
        words += [*(_integer(yuan) if yuan else [("零", True)]), ("元", True)]
    elif lenient:
        words.append(("零元", False))
    if not cents:
        end = "(?:零角)?(?:零分)?[整正]" if lenient else "整"
        return [*words, (end, not lenient)]
    if jiao:
        words += [("零", False), (_DIGITS[jiao] + "角", True)]
    elif words:
        words.append(("零(?:角零?)?" if lenient else "零", bool(yuan)))
    if fen:
        return [*words, (_DIGITS[fen] + "分", True)]
    return [*words, ("(?:零分)?[整正]" if lenient else "整", not lenient)]


def _integer(number: int) -> list[tuple[str, bool]]:
    """Spell a whole number above 0: sections of 10**8, 10**4 and 1 with the zeros between them."""
    for size, mark in ((10**8, "亿"), (10**4, "万")):
        if number >= size:
            high, low = divmod(number, size)
            words = [*_integer(high), (mark, True)]
            if low:
                gap = low < size // 10
                words += [("零", gap)] if gap or high % 10 == 0 else []
                words += _integer(low)
            return words
    return _four(number)


def _four(number: int) -> list[tuple[str, bool]]:
    """Spell 1 to 9999."""
    words: list[tuple[str, bool]] = []
    skipped = False
    for size, mark in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        digit = number // size % 10
        if digit:
            words += [("零", True)] if skipped and words else []
            words.append((_DIGITS[digit] + mark, True))
        skipped = not digit
    return words
