"""Detect printed labels (anchors) among the characters of a page."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from docproc.read.decoding.glyphs import Glyph

SPREAD = 4.6
"""Maximum distance of two characters of a letter-spaced label, in character heights."""
APART = 0.9
"""Minimum gap, in heights, between a label and the text before it."""
ALIGNED = 1.3
"""Maximum offset, in heights, between the left edges of labels in one column."""
ANYWHERE = 6
"""Minimum length of an anchor that is a label anywhere; a shorter one is a label only where a text starts or ends."""
WEAK = 0.6
"""Score of a label of which only one character was read."""
PARTED = 0.5
"""Minimum excess, in heights, of the gap between label and value over the gaps inside them."""
_STOPS_TEXT = """
登记机关 发照机关 实收资本 组成形式 执照有效期 经营期限 公司类型 经济性质 副本 副本号 年检 发证日期
签发日期 发照日期 核准日期 注册号 执照编号 证照编号 扫描二维码 企业信用信息公示系统
国家市场监督管理总局监制 国家企业信用信息公示系统网址 编号 须知 签字 盖章 日期 联系电话 电话 身份证号
身份证号码 公民身份号码 地址 建筑面积 户号 户别 户主 与户主关系 籍贯 证件编号 体检机构 发证机关 发证单位
性别 年龄 工作单位 从业类别 体检日期 租金 押金 用途 日常监督管理机构 日常监督管理人员 投诉举报电话 签发人
"""
STOP_LABELS = tuple(_STOPS_TEXT.split())
"""Labels and printed lines that end the value before them, in any material."""


@dataclass(frozen=True, slots=True)
class Label:
    """A detected label."""

    key: str
    """Field name, or ``""`` for a stop label."""
    anchor: str
    row: int
    start: int
    """Index of its first character in the row."""
    end: int
    """Index after its last character."""
    x0: float
    x1: float
    y: float
    h: float
    score: float
    """Higher is better: its length, less mismatches, less inside running text."""
    open_end: bool = False
    """Whether its last character, a mismatch, may belong to the value instead."""


def find_labels(rows: Sequence[Sequence[Glyph]], wanted: Iterable[tuple[str, str]]) -> list[Label]:
    """Detect the labels of a page.

    Args:
        rows: characters by rows.
        wanted: ``(field name, anchor)``; :data:`STOP_LABELS` are added.

    Returns:
        Labels without overlap; several may name the same field.
    """
    pairs = [(key, unicodedata.normalize("NFKC", anchor)) for key, anchor in wanted]
    pairs += [("", stop) for stop in STOP_LABELS]
    found = []
    for index, row in enumerate(rows):
        hits = [hit for start in range(len(row)) for hit in _match_all(row, index, start, pairs)]
        taken: set[int] = set()
        for hit in sorted(hits, key=lambda h: (-h.score, h.key == "")):
            span = set(range(hit.start, hit.end))
            if not span & taken:
                taken |= span
                found.append(hit)
    return [*found, *_weak_labels(rows, [p for p in pairs if p[0]], found)]


def gap(left: Glyph, right: Glyph) -> float:
    """Return the gap between two characters, in character heights."""
    return (right.x - right.half - left.x - left.half) / max(left.h, right.h, 1.0)


def _starts(row: Sequence[Glyph], start: int) -> bool:
    if start == 0:
        return True
    before, here = row[start - 1], row[start]
    return before.line != here.line or gap(before, here) > APART or before.char in "。:;、)"


def _ends(row: Sequence[Glyph], end: int) -> bool:
    return end >= len(row) or row[end].line != row[end - 1].line or row[end].char == ":"


def _match_all(row: Sequence[Glyph], index: int, start: int, pairs: Sequence[tuple[str, str]]) -> Iterable[Label]:
    starts = _starts(row, start)
    for key, anchor in pairs:
        if not starts and len(anchor) < 3:
            continue
        hit = _match(row, start, anchor)
        if hit is None:
            continue
        end, wrong = hit
        if not (starts or len(anchor) >= ANYWHERE or _ends(row, end)):
            continue
        score = len(anchor) - 1.5 * wrong - (0.8 if _amid(row, start, end) else 0.0) - (0.0 if starts else 0.5)
        own, sure = _own_end(row, start, end, anchor)
        yield replace(_label(key, anchor, row, index, start, own, score), open_end=not sure)


def _own_end(row: Sequence[Glyph], start: int, end: int, anchor: str) -> tuple[int, bool]:
    """End of a label without characters of the value behind it, and whether that is certain.

    A label whose last character was not read (a bracket) seems to end with the first character of the value.
    """
    right = max((i for i in range(start, end) if row[i].char == anchor[i - start]), default=start) + 1
    if right == end or end == len(row) or row[end].line != row[end - 1].line:
        return end, True  # the mismatch is at the end of its own line
    before, behind = gap(row[right - 1], row[right]), gap(row[end - 1], row[end])
    if behind > before + PARTED:
        return end, True
    bracket = not anchor[right - start].isalnum() and row[right].char.isalnum()
    if bracket or row[right].line != row[right - 1].line or before > behind + PARTED:
        return right, True
    return end, False


def _label(key: str, anchor: str, row: Sequence[Glyph], index: int, start: int, end: int, score: float) -> Label:
    glyphs = row[start:end]
    x0, x1 = glyphs[0].x - glyphs[0].half, glyphs[-1].x + glyphs[-1].half
    y = sum(g.y for g in glyphs) / len(glyphs)
    return Label(key, anchor, index, start, end, x0, x1, y, max(g.h for g in glyphs), score)


def _match(row: Sequence[Glyph], start: int, anchor: str) -> tuple[int, int] | None:
    """End of the label that starts here and its number of mismatches, or ``None``."""
    glyphs = row[start : start + len(anchor)]
    if len(glyphs) < len(anchor):
        return None
    wrong = sum(g.char != a for g, a in zip(glyphs, anchor, strict=True))
    allowed = 2 if len(anchor) >= 8 else 1 if len(anchor) >= 4 else 0
    if wrong > allowed or any(_too_far(a, b, len(anchor)) for a, b in itertools.pairwise(glyphs)):
        return None
    return start + len(anchor), wrong


def _too_far(left: Glyph, right: Glyph, length: int) -> bool:
    return right.x - left.x > (SPREAD if length <= 3 else 2.6) * max(left.h, right.h)


def _amid(row: Sequence[Glyph], start: int, end: int) -> bool:
    """Whether text follows without a gap, as in a sentence."""
    if end >= len(row) or row[end].char in ":(":
        return False
    spaced = end - start > 1 and gap(row[start], row[start + 1]) > 0.5
    return not spaced and row[end].line == row[end - 1].line and gap(row[end - 1], row[end]) < 0.3


def _weak_labels(
    rows: Sequence[Sequence[Glyph]], pairs: Sequence[tuple[str, str]], strong: Sequence[Label]
) -> Iterable[Label]:
    """Two-character labels with one character misread or missed, aligned with detected labels."""
    have = {label.key for label in strong}
    for index, row in enumerate(rows):
        if not row or any(label.row == index and label.start == 0 for label in strong):
            continue
        for key, anchor in pairs:
            if key not in have and len(anchor) == 2 and (end := _weak_end(row, anchor, strong)):
                yield _label(key, anchor, row, index, 0, end, WEAK)
                break


def _weak_end(row: Sequence[Glyph], anchor: str, strong: Sequence[Label]) -> int:
    """Number of characters at the start of the row that are the label, 0 for none."""
    first = row[0]
    left = first.x - first.half
    if first.char == anchor[0] and any(abs(label.x0 - left) < ALIGNED * label.h for label in strong):
        if len(row) > 2 and gap(first, row[1]) > 0.8 and (row[1].confidence < 0.9 or row[1].char == anchor[1]):
            return 2
        return 1 if len(row) > 1 and gap(first, row[1]) > 0.8 else 0
    right = first.x + first.half
    lined = any(abs(label.x1 - right) < ALIGNED * label.h and label.x1 - label.x0 > 3 * label.h for label in strong)
    return 1 if first.char == anchor[1] and lined and len(row) > 1 else 0
