"""Normal forms of text, and what counts as the same text, name or option."""

from __future__ import annotations

import re
import unicodedata

# Controls, soft hyphens, zero-width and direction marks, variation selectors, halves of surrogate pairs.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"\s+")
_SPACE_AT_HAN = re.compile(r"(?<=[^\x00-\u02ff]) (?=\S)|(?<=\S) (?=[^\x00-\u02ff])")
_DOTS = re.compile("[•‧∙⋅・·﹒]")
_DASHES = re.compile("[‐‑‒–—―−﹘ー─]+")
_QUOTES = re.compile("[“”‘’「」『』《》〈〉\"'`]")
_BRACKETS = str.maketrans("〔〕[]【】{}﹝﹞", "()()()()()")

_VARIANTS = str.maketrans(
    # Glyph variants and traditional forms of characters that are common in names and addresses. Characters that the
    # standard list keeps apart (喆 and 哲, 堃 and 坤) are different names and stay apart.
    "髙戸呂吳黃產産強麗峯羣濶靑曽眞値徳溫錄內兪戶裡裏牀冊冨亙兌説說査毎硏淸敎顏顔巻兎緖緒鄕鄉國華東車馬陳"
    "張劉楊趙孫鄭馮蔣許龍鳳鳥魚門關開閆閻長廣廠區縣縂總號樓層業興鎮鄰單樹橋灣島園衛衞爲為與舊學寶寳實賓偉"
    "傑鋒銳鐵鋼錢銀錦鍾鐘鴻鵬鶴齊齋龐龔韓韋顧項頌順須領頭飛駿騰驗蘭蘇葉萬藝蓮薩藍榮樂標楓權歐歡歷歸涼淵湯"
    "溝滬漢潔濟濤瀟瑩瓊環瑋畫發盧盡監碩禮穎穩競筆節簡紀紅紹絲維綠綿縱績繼續義習聖聞聯聰職膽臨艷蕭補規覺觀"
    "計訓記訪設評詩話詳誠誼諾謝證譚議讓豐貝財貴費賀賢質贊趕躍軍軒輝輪轉辦農連進運達遠適遲選還邊鄧鄒鄔酈釗"
    "鎖鏡閔闊隊陽陰隨險雙雲電靈靜韜響館餘馳驛魯鮑鶯麥黨點龜",
    "高户吕吴黄产产强丽峰群阔青曾真值德温录内俞户里里床册富亘兑说说查每研清教颜颜卷兔绪绪乡乡国华东车马陈"
    "张刘杨赵孙郑冯蒋许龙凤鸟鱼门关开闫阎长广厂区县总总号楼层业兴镇邻单树桥湾岛园卫卫为为与旧学宝宝实宾伟"
    "杰锋锐铁钢钱银锦钟钟鸿鹏鹤齐斋庞龚韩韦顾项颂顺须领头飞骏腾验兰苏叶万艺莲萨蓝荣乐标枫权欧欢历归凉渊汤"
    "沟沪汉洁济涛潇莹琼环玮画发卢尽监硕礼颖稳竞笔节简纪红绍丝维绿绵纵绩继续义习圣闻联聪职胆临艳萧补规觉观"
    "计训记访设评诗话详诚谊诺谢证谭议让丰贝财贵费贺贤质赞赶跃军轩辉轮转办农连进运达远适迟选还边邓邹邬郦钊"
    "锁镜闵阔队阳阴随险双云电灵静韬响馆余驰驿鲁鲍莺麦党点龟",
)


def normalise_text(raw: str) -> str:
    """Return NFKC without invisible characters, white space as single blanks, none at the ends or beside Han text.

    Idempotent. Line breaks are blanks; blanks between Latin words or numbers stay.
    """
    text = raw
    while True:  # taking something away can bring together what NFKC composes
        step = _SPACES.sub(" ", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))).strip()
        step = _SPACE_AT_HAN.sub("", step)
        if step == text:
            return step
        text = step


def compact(raw: str, without: str = "") -> str:
    """Return :func:`normalise_text` in upper case without blanks and the given characters: the form of codes."""
    drop = dict.fromkeys(map(ord, f" {without}"))
    text = raw
    while (step := normalise_text(text).upper().translate(drop)) != text:
        text = step
    return text


def fold(raw: str) -> str:
    """Return a key for comparing, not for showing: width, case, variants, bracket kinds, blanks and punctuation gone.

    A dot, slash or colon between digits and a dash between letters or digits are
    kept, for 1.5 is not 15 and 1-2号 is not 12号; so are % & @ # and *.
    """
    text = _DASHES.sub("-", _DOTS.sub("·", normalise_text(raw))).translate(_BRACKETS).casefold().translate(_VARIANTS)
    text = _QUOTES.sub("", text).replace(" ", "")
    kept = [char for place, char in enumerate(text) if _counts(text, place, char)]
    return "".join(kept)


def same_text(one: str, other: str) -> bool:
    """Whether two texts differ in nothing but width, case, variant characters, blanks and punctuation."""
    return fold(one) == fold(other)


def same_name(one: str, other: str) -> bool:
    """Whether two names of persons or organisations are the same; an empty name equals nothing."""
    key = fold(one)
    return bool(key) and key == fold(other)


def _counts(text: str, place: int, char: str) -> bool:
    if char.isalnum() or unicodedata.category(char) in ("Mn", "Mc", "So", "Sm", "Sc", "No", "Co", "Cn"):
        return True
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if char == "-":
        return _is_ascii_alnum(before) and _is_ascii_alnum(after)
    if char in "./:":
        return before.isdigit() and after.isdigit()
    return char in "%&@#*"


def _is_ascii_alnum(char: str) -> bool:
    return char.isascii() and char.isalnum()
