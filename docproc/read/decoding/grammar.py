"""The grammar of each field type: its shape, its confusable characters, and the thresholds of its readings.

``grammar_for("cid")`` and so on; :mod:`docproc.read.decoding.decode` searches a lattice under it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from docproc.fields import fold
from docproc.fields.check_digits import DIGITS, USCC_ALPHABET
from docproc.fields.nations import NATIONS
from docproc.read.decoding import values
from docproc.read.decoding.pattern import HAN, HAN_RANGES, Pattern, Ranges, Slot

Shares = Mapping[str, tuple[tuple[str, float], ...]]
"""Character read -> characters that may have been written, each with its share of the posterior."""

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = CAPITALS + CAPITALS.lower()
BLANKS = frozenset(" 　")
UNITS = BLANKS | frozenset("平方米㎡人名个座间台套件")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Acceptance thresholds of a reading (below them a reviewer decides), and the cost of a skipped character."""

    margin: float
    """Minimum log odds (nats) against the second-best reading."""
    fit: float
    """Minimum log probability (nats) per character."""
    leak: float
    """Share of the posterior of inadmissible characters that counts as blank."""


# Tuned on 5,000 generated lines in six fonts (four handwriting fonts, one of them hardly legible), blurred and noisy,
# read by PP-OCRv6 small. Undetected errors on 10,000 others: none in numbers with check digits, dates, periods, phone
# numbers and amounts; 4 in 1,000 plain numbers (a decimal point lost completely); 15 in 1,000 legible names.
CHECKED = Thresholds(margin=2.3, fit=-1.5, leak=0.05)
SHAPED = Thresholds(margin=2.3, fit=-0.4, leak=0.005)
EXACT = Thresholds(margin=2.3, fit=-0.4, leak=0.0005)
CHOSEN = Thresholds(margin=2.3, fit=-2.0, leak=0.05)
NAMED = Thresholds(margin=1.5, fit=-0.1, leak=0.005)
FREE = Thresholds(margin=1.0, fit=-0.2, leak=0.005)


@dataclass(frozen=True, slots=True)
class Grammar:
    """What one field type admits."""

    name: str
    pattern: Pattern
    finish: Callable[[str], str | None]
    """Maps a reading of the pattern's shape to the normalised value, or to ``None`` when a check rejects it."""
    thresholds: Thresholds
    confusions: Shares = field(default_factory=dict)
    """Confusable characters: those the type does not contain, and rare second meanings of those it contains."""
    skip: frozenset[str] = BLANKS
    """Characters without meaning in this type; they count as blank."""
    prior: Callable[[str], float] = values.no_prior
    """Log prior (nats) of a value."""
    same: Callable[[str], str] = values.unchanged
    """Key of a value: readings with equal keys count as one, so that punctuation and spaces do not split them."""
    simplify: bool = False
    """Whether character variants become the standard form (通用规范汉字表) and full-width marks half-width ones."""
    beam: int = 128
    """Beam width of the search."""
    _known: dict[str, tuple[tuple[str, float], ...]] = field(default_factory=dict, repr=False, compare=False)
    """Cache of :meth:`symbols`, at most one entry for each character of the engine's charset."""

    def symbols(self, char: str) -> tuple[tuple[str, float], ...]:
        """Return the admissible characters that a read character may stand for, with their shares of the posterior."""
        known = self._known.get(char)
        if known is None:
            plain = nfkc_char(standard_form(char)) if self.simplify else char
            own = ((plain, 1.0),) if plain in self.pattern else ()
            known = self._known[char] = own + self.confusions.get(char, ())
        return known


def grammar_for(type_name: str, options: Sequence[str] | None = None) -> Grammar:
    """Return the grammar of a field type.

    Args:
        type_name: a key of :data:`GRAMMARS`, ``digits:N`` for N digits, or ``enum`` with ``options``.
        options: the admissible texts of an ``enum``.

    Raises:
        ValueError: unknown type, or ``enum`` without options.
    """
    if type_name == "enum":
        if not options:
            raise ValueError("an enum needs options")
        return _enum(tuple(options))
    if type_name.startswith("digits:") and type_name[7:].isdigit():
        return _digits(int(type_name[7:]))
    if type_name not in GRAMMARS:
        raise ValueError(f"no grammar for fields of type {type_name!r}; known: {', '.join(sorted(GRAMMARS))}, enum")
    return GRAMMARS[type_name]


def standard_form(char: str) -> str:
    """Return the standard form (通用规范汉字表) of a traditional or variant character; others are unchanged."""
    plain = fold(char) if char in HAN else char
    return plain if len(plain) == 1 else char


@cache
def nfkc_char(char: str) -> str:
    """Return the NFKC form where it is one character (full width becomes half width), else the character itself."""
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 else char


@cache
def _enum(options: tuple[str, ...]) -> Grammar:
    return Grammar("enum", Pattern(*(_word(option) for option in options)), values.unchanged, CHOSEN, simplify=True)


@cache
def _digits(count: int) -> Grammar:
    return Grammar(f"digits:{count}", Pattern((_some(DIGITS, count),)), values.unchanged, SHAPED, DIGIT_CONFUSIONS)


def _word(text: str) -> tuple[Slot, ...]:
    return tuple(Slot(char) for char in text)


def _some(chars: str, least: int, most: int | None = None) -> Slot:
    return Slot(frozenset(chars), least, least if most is None else most)


def _maybe(chars: str) -> Slot:
    return Slot(frozenset(chars), 0, 1)


def _shares(**groups: str) -> dict[str, tuple[tuple[str, float], ...]]:
    """Build shares from ``_1="|l"``: | and l stand for 1; a character named twice is shared equally."""
    targets: dict[str, str] = {}
    for target, chars in groups.items():
        for char in chars:
            targets[char] = targets.get(char, "") + target.removeprefix("_")
    return {char: tuple((t, 1 / len(found)) for t in found) for char, found in targets.items()}


def _seconds(share: float, **groups: str) -> dict[str, tuple[tuple[str, float], ...]]:
    """As :func:`_shares`, with the same small share for each target, in addition to the character itself."""
    return {char: tuple((t, share) for t, _ in found) for char, found in _shares(**groups).items()}


# What PP-OCRv6 small and tiny read for handwritten digits and capitals, observed on the generated lines.
DIGIT_CONFUSIONS = _shares(
    _0="OoDQ〇○口Ccae",
    _1="|lIi!丨｜[]LJtf\\丿亅」「¦",
    _2="Zz乙之",
    _3="Eヨ",
    _4="AYyHh",
    _5="Ss$",
    _6="Gba",
    _7="Tつワ",
    _8="B&eR",
    _9="gqPp",
)
USCC_CONFUSIONS = {
    **{char.lower(): ((char, 1.0),) for char in USCC_ALPHABET if char.isalpha()},
    **_shares(_0="Oo〇○口", _1="Il|丨!i", _2="Zz", _5="Ss", U="Vvμ", Y="Vv", X="×"),
    **_seconds(0.02, F="79", G="6", H="4", X="4P", J="F5", A="4", Q="0", Y="U4", D="0", L="1", B="8"),
}
USCC_CONFUSIONS |= {"H": (("4", 0.1), ("F", 0.02)), "G": (("6", 0.05), ("F", 0.05))}
CID_CONFUSIONS = DIGIT_CONFUSIONS | _shares(X="x×乂*") | _seconds(0.02, X="4")
DATE_CONFUSIONS = {char: to for char, to in DIGIT_CONFUSIONS.items() if char not in "〇○乙"} | {
    "—": (("-", 1.0),),
    "–": (("-", 1.0),),
}
# A printed 〇 in a year is read as a digit: 二0一0年. The pattern keeps it out of dates in digits.
DATE_CONFUSIONS |= {char: (*DATE_CONFUSIONS.get(char, ()), ("〇", 1.0)) for char in "0Oo口○"}
AMOUNT_CONFUSIONS = {char: to for char, to in DIGIT_CONFUSIONS.items() if char not in "〇○Yy"}
AMOUNT_CONFUSIONS |= {"萬": (("万", 1.0),), "億": (("亿", 1.0),), "参": (("叁", 1.0),), "Y": (("¥", 0.5), ("4", 0.5))}
AMOUNT_CONFUSIONS |= {old: ((new, 1.0),) for old, new in zip("參叄貳貮陸圆圓漆伯", "叁叁贰贰陆元元柒佰", strict=True)}
# A ¥ is often read as 4; this is ambiguous only before an amount that ends in cents and names no unit.
AMOUNT_CONFUSIONS |= {"4": ((values.DOUBTFUL_CURRENCY, 0.2),)}
LICENCE_NO_CONFUSIONS = DIGIT_CONFUSIONS | {"F": (("J", 0.5),), "y": (("Y", 1.0), ("4", 0.5)), "U": (("Y", 0.5),)}
# Between Han characters a 1 is read as any vertical stroke; an address has letters, strokes and brackets too.
ADDRESS_CONFUSIONS = _shares(_1="|丨｜!") | _seconds(0.5, _1="lI[]/", _0="Oo", _6="G") | _seconds(0.1, _1="(（")
PHONE_CONFUSIONS = DIGIT_CONFUSIONS | {"（": (("(", 1.0),), "）": ((")", 1.0),), ">": ((")", 0.5),), "—": (("-", 1.0),)}

_NUMERALS = "零〇○一二三四五六七八九十廿卅壹贰叁肆伍陆柒捌玖拾元"
_YEAR = _some(DIGITS, 4)
_ONE_TWO = _some(DIGITS, 1, 2)
_DAYS: tuple[tuple[Slot, ...], ...] = (
    (_YEAR, Slot("年"), _ONE_TWO, Slot("月"), _ONE_TWO, _maybe("日号")),
    *((_YEAR, Slot(mark), _ONE_TWO, Slot(mark), _ONE_TWO) for mark in "-./"),
    (_YEAR, _some(DIGITS, 2), _some(DIGITS, 2)),
    (_some(_NUMERALS, 4), Slot("年"), _some(_NUMERALS, 1, 3), Slot("月"), _some(_NUMERALS, 1, 4), _maybe("日号")),
)
_LONG = _word("长期")
_ENDS = (*_DAYS[:5], _LONG)
_CN_DAY = _DAYS[5]
_TERMS = (
    *((_maybe("自从"), *a, _maybe("起"), Slot("至到"), *b, _maybe("止")) for a in _DAYS[:5] for b in _ENDS),
    *((*a, _some("-—~－～", 1, 2), *b) for a in _DAYS[:5] for b in _ENDS),
    *((_maybe("自从"), *_CN_DAY, _maybe("起"), Slot("至到"), *b, _maybe("止")) for b in (_CN_DAY, _LONG)),
    (*_LONG,),
)
_SCALE = (_maybe("百千十"), _maybe("万亿"), _maybe("元"), _maybe("整"))
_FIGURES = (Slot(frozenset(DIGITS + ",."), 1, 18), *_SCALE)
_CURRENCY = tuple(Slot(char, 0, 1) for char in "人民币")
_MONEY = (
    (_maybe("¥￥"), *_FIGURES),
    (*_CURRENCY, *_FIGURES),
    (Slot(values.DOUBTFUL_CURRENCY), _some(DIGITS, 1, 12), Slot("."), _some(DIGITS, 2)),
    (*_CURRENCY, Slot(frozenset("零壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整正"), 2, 30)),
)
_PHONES = (
    (_maybe("+"), Slot(frozenset(DIGITS), 5, 13)),
    (_maybe("("), _some(DIGITS, 3, 4), Slot(frozenset(")-"), 0, 1), _some(DIGITS, 7, 8)),
    (_some(DIGITS, 3, 4), _maybe("-"), _some(DIGITS, 7, 8), Slot("-"), _some(DIGITS, 1, 6)),
)
_USCC = (_some(USCC_ALPHABET, 2), _some(DIGITS, 6), _some(USCC_ALPHABET, 10))
_REGNO = (_some(DIGITS, 15),)
_MOBILE = (Slot("1"), _some("3456789", 1), _some(DIGITS, 9))
_LICENCES = tuple((*_word(kind), _some(DIGITS, 14)) for kind in ("JY", "SC", "YB"))
_CID = (_some("123456789", 1), _some(DIGITS, 16), _some(DIGITS + "X", 1))
_NAMES = (
    (Slot(HAN, 2, 15),),
    (Slot(HAN, 1, 10), Slot("·"), Slot(Ranges(*HAN_RANGES, also="·"), 1, 14)),
    (Slot(frozenset(LETTERS), 2, 20), Slot(frozenset(LETTERS + " .'-,"), 0, 30)),
)
_FIRM = Ranges(*HAN_RANGES, also="〇（）()·&-—－、" + DIGITS + LETTERS)
_PLACE = Ranges(*HAN_RANGES, also="〇（）()·-—－、，,./#＃：:~～" + DIGITS + LETTERS)
_ANY = Ranges((0x21, 0x7E), (0xA1, 0x2FFF), (0x3001, 0xFFFF), (0x10000, 0x10FFFF))
_SPACED = Ranges((0x20, 0x7E), (0xA0, 0x2FFF), (0x3000, 0xFFFF), (0x10000, 0x10FFFF))


def _number_grammars() -> list[Grammar]:
    licence = Pattern(*_LICENCES)
    decimal = Pattern((Slot(frozenset(DIGITS + ",."), 1, 14),))
    return [
        Grammar("cid", Pattern(_CID), values.checked("cid"), CHECKED, CID_CONFUSIONS),
        Grammar("uscc", Pattern(_USCC), values.checked("uscc"), CHECKED, USCC_CONFUSIONS),
        Grammar("regno", Pattern(_REGNO), values.checked("regno"), CHECKED, DIGIT_CONFUSIONS),
        Grammar("regno_or_uscc", Pattern(_USCC, _REGNO), values.regno_or_uscc, CHECKED, USCC_CONFUSIONS),
        Grammar("licence_no", licence, values.checked("food_licence_no"), CHECKED, LICENCE_NO_CONFUSIONS),
        Grammar("food_licence_no", licence, values.checked("food_licence_no"), CHECKED, LICENCE_NO_CONFUSIONS),
        Grammar("mobile", Pattern(_MOBILE), values.checked("mobile"), SHAPED, DIGIT_CONFUSIONS, BLANKS | {"-"}),
        Grammar("phone", Pattern(*_PHONES), values.phone, SHAPED, PHONE_CONFUSIONS),
        Grammar("post_code", Pattern((_some(DIGITS, 6),)), values.checked("post_code"), SHAPED, DIGIT_CONFUSIONS),
        Grammar("date", Pattern(*_DAYS), values.calendar_day, SHAPED, DATE_CONFUSIONS),
        Grammar("date_or_long", Pattern(*_DAYS, _LONG), values.day_or_long, SHAPED, DATE_CONFUSIONS),
        Grammar("period", Pattern(*_TERMS), values.period, SHAPED, DATE_CONFUSIONS),
        Grammar("amount", Pattern(*_MONEY), values.amount, EXACT, AMOUNT_CONFUSIONS),
        Grammar("int", Pattern((_some(DIGITS, 1, 9),)), values.checked("int"), EXACT, DIGIT_CONFUSIONS, UNITS),
        Grammar("number", decimal, values.checked("number"), EXACT, DIGIT_CONFUSIONS, UNITS),
    ]


def _text_grammars() -> list[Grammar]:
    sex, nation = Pattern(*map(_word, "男女")), Pattern(*((*_word(n), _maybe("族")) for n in sorted(NATIONS)))
    dots = dict.fromkeys(".•・．", (("·", 1.0),))
    return [
        Grammar(
            "person_name",
            Pattern(*_NAMES),
            values.checked("person_name"),
            NAMED,
            dots,
            prior=values.person_prior,
            simplify=True,
            beam=16,
        ),
        Grammar(
            "cn_name",
            Pattern((Slot(_FIRM, 2, 60),)),
            values.checked("cn_name"),
            NAMED,
            prior=values.firm_prior,
            same=fold,
            simplify=True,
            beam=32,
        ),
        Grammar(
            "address",
            Pattern((Slot(_PLACE, 2, 120),)),
            values.plain,
            FREE,
            ADDRESS_CONFUSIONS,
            prior=values.address_prior,
            same=fold,
            simplify=True,
            beam=16,
        ),
        Grammar("scope", Pattern((Slot(_ANY, 1, None),)), values.plain, FREE, same=fold, simplify=True, beam=8),
        Grammar(
            "text",
            Pattern((Slot(_SPACED, 1, None),)),
            values.plain,
            FREE,
            skip=frozenset(),
            same=fold,
            simplify=True,
            beam=8,
        ),
        Grammar("sex", sex, values.unchanged, CHOSEN, skip=BLANKS | frozenset("性别")),
        Grammar("ethnicity", nation, values.checked("ethnicity"), CHOSEN, skip=BLANKS | frozenset("民"), simplify=True),
    ]


GRAMMARS: dict[str, Grammar] = {grammar.name: grammar for grammar in (*_number_grammars(), *_text_grammars())}
"""Grammars by type name; ``enum`` and ``digits:N`` are built on demand."""
