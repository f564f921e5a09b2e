"""What a field of a type can say: its shape, the look-alikes of its characters, and how sure a reading must be.

``grammar_for("cid")`` and so on; :mod:`docproc.read.decode` searches a lattice under it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from docproc.read import values
from docproc.read.pattern import HAN, HAN_RANGES, Pattern, Ranges, Slot
from docproc.validators.digits import DIGITS, USCC_ALPHABET

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What recognition makes of hand-written digits: first-hand confusions of PP-OCRv6 small and tiny on generated lines in
# four handwriting-like fonts. Several targets share the posterior.
DIGIT_LOOKS: dict[str, str] = {
    **dict.fromkeys("|lIi!丨｜[]LJtf/\\丿亅」「¦", "1"),
    **dict.fromkeys("OoDQU〇○口CcaΟОо", "0"),
    **dict.fromkeys("Ss$", "5"),
    **dict.fromkeys("Zz乙之", "2"),
    **dict.fromkeys("gqP", "9"),
    **dict.fromkeys("AYyH", "4"),
    **dict.fromkeys("TＴ7ワつ", "7"),
    **dict.fromkeys("E3ヨ", "3"),
    "G": "60",
    "b": "6",
    "B": "8",
    "R": "8",
    "e": "0",
    "&": "8",
}
USCC_LOOKS: dict[str, str] = {"I": "1", "|": "1", "丨": "1", "!": "1", "O": "0", "〇": "0", "○": "0", "口": "0"}
USCC_LOOKS |= {"l": "1", "i": "1", "o": "0", "Z": "2", "z": "2", "S": "5", "s": "5", "V": "UY", "v": "UY", "×": "X"}
NUMERALS = "零〇○一二三四五六七八九十廿卅壹贰叁肆伍陆柒捌玖拾元"
ETHNICITIES = (
    "汉", "蒙古", "回", "藏", "维吾尔", "苗", "彝", "壮", "布依", "朝鲜", "满",
    "侗", "瑶", "白", "土家", "哈尼", "哈萨克", "傣", "黎", "傈僳", "佤", "畲",
    "高山", "拉祜", "水", "东乡", "纳西", "景颇", "柯尔克孜", "土", "达斡尔", "仫佬", "羌",
    "布朗", "撒拉", "毛南", "仡佬", "锡伯", "阿昌", "普米", "塔吉克", "怒", "乌孜别克", "俄罗斯",
    "鄂温克", "德昂", "保安", "裕固", "京", "塔塔尔", "独龙", "鄂伦春", "赫哲", "门巴", "珞巴",
    "基诺",
)  # fmt: skip
"""The 56 of GB/T 3304-1991."""
SEXES = ("男", "女")

BLANKS = frozenset(" 　")
NAME_MARKS = "·•"
FIRM = Ranges(*HAN_RANGES, also="〇（）()·&-—－、" + DIGITS + CAPITALS + CAPITALS.lower())
PLACE = Ranges(*HAN_RANGES, also="〇（）()·-—－、，,./#＃：:~～" + DIGITS + CAPITALS + CAPITALS.lower())
ANY = Ranges((0x21, 0x7E), (0xA0, 0x2FFF), (0x3001, 0xFFFF), (0x10000, 0x10FFFF))
SPACED = Ranges((0x20, 0x7E), (0xA0, 0x2FFF), (0x3000, 0xFFFF), (0x10000, 0x10FFFF))


@dataclass(frozen=True, slots=True)
class Limits:
    """How sure a reading must be; below either the field is left to a person."""

    margin: float
    """Least log odds (nats) against the next reading."""
    fit: float
    """Least log probability (nats) a character."""


CHECKED = Limits(margin=2.3, fit=-0.8)
SHAPED = Limits(margin=1.6, fit=-0.5)
CHOSEN = Limits(margin=2.3, fit=-2.0)
FREE = Limits(margin=0.4, fit=-0.5)


@dataclass(frozen=True, slots=True)
class Grammar:
    """Everything admissible for one type of field."""

    name: str
    pattern: Pattern
    finish: Callable[[str], str | None]
    """From a reading that has the pattern's shape to the normalised value, or ``None`` when a check refuses it."""
    limits: Limits
    looks: Mapping[str, str] = field(default_factory=dict)
    """Look-alike read by the engine to the characters it may stand for."""
    skip: frozenset[str] = BLANKS
    """Characters that mean nothing here and count as blank."""

    def symbols(self, char: str) -> tuple[tuple[str, float], ...]:
        """Return the admissible characters a read character may stand for, each with its share of the posterior."""
        if char in self.pattern:
            return ((char, 1.0),)
        targets = self.looks.get(char, "")
        return tuple((target, 1.0 / len(targets)) for target in targets)


def grammar_for(type_name: str, options: Sequence[str] | None = None) -> Grammar:
    """Return the grammar of a field type.

    Args:
        type_name: a key of :data:`GRAMMARS`, ``digits:N`` for N digits, or ``enum`` with ``options``.
        options: for ``enum`` the texts to choose from.

    Raises:
        ValueError: there is no such type, or ``enum`` without options.
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


@cache
def _enum(options: tuple[str, ...]) -> Grammar:
    return Grammar("enum", Pattern(*(_word(option) for option in options)), values.same, CHOSEN)


@cache
def _digits(count: int) -> Grammar:
    return Grammar(f"digits:{count}", Pattern((_some(DIGITS, count),)), values.same, SHAPED, DIGIT_LOOKS)


def _word(text: str) -> tuple[Slot, ...]:
    return tuple(Slot(char) for char in text)


def _some(chars: str, least: int, most: int | None = None) -> Slot:
    return Slot(frozenset(chars), least, least if most is None else most)


def _maybe(chars: str) -> Slot:
    return Slot(frozenset(chars), 0, 1)


_YEAR = _some(DIGITS, 4)
_ONE_TWO = _some(DIGITS, 1, 2)
_DAYS: tuple[tuple[Slot, ...], ...] = (
    (_YEAR, Slot("年"), _ONE_TWO, Slot("月"), _ONE_TWO, _maybe("日号")),
    *((_YEAR, Slot(mark), _ONE_TWO, Slot(mark), _ONE_TWO) for mark in "-./"),
    (_YEAR, _some(DIGITS, 2), _some(DIGITS, 2)),
    (_some(NUMERALS, 4), Slot("年"), _some(NUMERALS, 1, 3), Slot("月"), _some(NUMERALS, 1, 4), _maybe("日号")),
)
_LONG = _word("长期")
_TERMS = [
    (_maybe("自从"), *a, _maybe("起"), Slot("至到"), *b, _maybe("止")) for a in _DAYS[:5] for b in (*_DAYS[:5], _LONG)
]
_TERMS += [(*a, _some("-—~－～", 1, 2), *b) for a in _DAYS[:5] for b in (*_DAYS[:5], _LONG)]
_FIGURES = (Slot(frozenset(DIGITS + ",."), 1, 18), _maybe("百千十"), _maybe("万亿"), _maybe("元圆"), _maybe("整"))
_SPELLED = Slot(frozenset("零壹贰叁肆伍陆柒捌玖拾佰仟万亿元圆角分整正"), 2, 30)
_CURRENCY = tuple(Slot(char, 0, 1) for char in "人民币")
_PHONES = (
    (_maybe("+"), Slot(frozenset(DIGITS), 5, 13)),
    (_maybe("("), _some(DIGITS, 3, 4), Slot(frozenset(")-"), 0, 1), _some(DIGITS, 7, 8)),
    (_some(DIGITS, 3, 4), _maybe("-"), _some(DIGITS, 7, 8), Slot("-"), _some(DIGITS, 1, 6)),
)
_USCC = (
    _some(USCC_ALPHABET, 2),
    _some(DIGITS, 6),
    _some(USCC_ALPHABET, 8),
    Slot(frozenset(USCC_ALPHABET)),
    _some(USCC_ALPHABET, 1),
)
_MOBILE = (Slot("1"), _some("3456789", 1), _some(DIGITS, 9))
_UNITS = BLANKS | frozenset("平方米㎡人名个座间台套件")
_LETTERS = frozenset(CAPITALS + CAPITALS.lower() + " .'-")


def _grammars() -> dict[str, Grammar]:
    name = Pattern(
        (Slot(HAN, 2, 4), Slot(Ranges(*HAN_RANGES, also=NAME_MARKS + "〇"), 0, 11)), (Slot(_LETTERS, 2, 40),)
    )
    cid = Pattern((_some("123456789", 1), _some(DIGITS, 16), _some(DIGITS + "X", 1)))
    licence = Pattern(*((*_word(kind), _some(DIGITS, 14)) for kind in ("JY", "SC", "YB")))
    free = Pattern((Slot(SPACED, 1, None),))
    ids = {**DIGIT_LOOKS, **dict.fromkeys("x×乂*", "X")}
    dates = {look: to for look, to in DIGIT_LOOKS.items() if look not in "/○〇乙"}
    either = Pattern(_USCC, (_some(DIGITS, 15),))
    found = [
        Grammar("cid", cid, values.cid, CHECKED, ids),
        Grammar("uscc", Pattern(_USCC), values.uscc, CHECKED, USCC_LOOKS),
        Grammar("regno", Pattern((_some(DIGITS, 15),)), values.regno, CHECKED, DIGIT_LOOKS),
        Grammar("regno_or_uscc", either, values.regno_or_uscc, CHECKED, USCC_LOOKS),
        Grammar("licence_no", licence, values.food_licence_no, CHECKED, DIGIT_LOOKS),
        Grammar("food_licence_no", licence, values.food_licence_no, CHECKED, DIGIT_LOOKS),
        Grammar("mobile", Pattern(_MOBILE), values.mobile, SHAPED, DIGIT_LOOKS, BLANKS | {"-"}),
        Grammar("phone", Pattern(*_PHONES), values.phone, SHAPED, DIGIT_LOOKS | {"（": "(", "）": ")", "—": "-"}),
        Grammar("post_code", Pattern((_some(DIGITS, 6),)), values.same, SHAPED, DIGIT_LOOKS),
        Grammar("date", Pattern(*_DAYS), values.calendar_day, SHAPED, dates | {"—": "-", "–": "-"}),
        Grammar("period", Pattern(*_TERMS, _LONG), values.period, SHAPED, dates | {"–": "-"}),
        Grammar(
            "amount",
            Pattern((_maybe("¥￥"), *_FIGURES), (*_CURRENCY, *_FIGURES), (*_CURRENCY, _SPELLED)),
            values.amount,
            SHAPED,
        ),
        Grammar("int", Pattern((_some(DIGITS, 1, 9),)), values.integer, SHAPED, DIGIT_LOOKS, _UNITS),
        Grammar(
            "number", Pattern((Slot(frozenset(DIGITS + ",."), 1, 14),)), values.number, SHAPED, DIGIT_LOOKS, _UNITS
        ),
        Grammar("person_name", name, values.plain, FREE, {"一": "一"}),
        Grammar("cn_name", Pattern((Slot(FIRM, 2, 60),)), values.plain, FREE),
        Grammar("address", Pattern((Slot(PLACE, 2, 120),)), values.plain, FREE),
        Grammar("text", free, values.plain, FREE, skip=frozenset()),
        Grammar("scope", Pattern((Slot(ANY, 1, None),)), values.plain, FREE),
        Grammar("sex", Pattern(*(_word(sex) for sex in SEXES)), values.same, CHOSEN, skip=BLANKS | frozenset("性别")),
        Grammar("ethnicity", Pattern(*((*_word(e), _maybe("族")) for e in ETHNICITIES)), _ethnicity, CHOSEN),
    ]
    return {grammar.name: grammar for grammar in found}


def _ethnicity(text: str) -> str | None:
    return text.removesuffix("族")


GRAMMARS: dict[str, Grammar] = _grammars()
"""Every type but ``enum`` and ``digits:N``."""
