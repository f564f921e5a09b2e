"""Find print in a value that does not belong to it: labels of the paper, text of another column, and watermarks.

Such print reads well, so nothing else lowers the confidence of a value that holds it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from docproc.domain import Field
from docproc.fields import VALIDATORS, find_type, fold
from docproc.fields.types.plain.date import LATEST
from docproc.matter.model import FieldSpec
from docproc.read.decoding.confidence import LOW, lower_confidence
from docproc.read.decoding.fields import TextRun, slice_runs
from docproc.read.free.key_value import Segment, Value
from docproc.read.free.labels import ALIGNED, STOP_LABELS, Label

_WATERMARK = (
    r"(?:此件|本件|本照|该照|此照|本复印件|此复印件)?(?:仅供|仅限|只供|只限|仅用于|只用于|专供)\S*"
    r"|(?:再次|二次|重复|再)?(?:复印|翻印|打印|截图|转发|转借)件?(?:无效|作废|有效)\S*"
    r"|(?:与)?原件(?:核对)?(?:一致|相符|无异)\S*"
    r"|(?:严禁|不得|禁止|请勿)(?:外传|转载|转借|他用|挪用)\S*"
)
_ANYWHERE = re.compile(_WATERMARK)
_IN_PROSE = re.compile(r"(?:复印|翻印)件?无效|仅供\S{0,20}使用|原件(?:核对)?(?:一致|相符|无异)")
"""The same in prose, where an address may be for offices alone (仅限办公) and a scope for retail alone."""
_AT_END = re.compile(rf"(?:{_WATERMARK}|(?:样例|样本|样张|水印|复印件)+)$")
_AT_START = re.compile(r"^(?:(?:再次|二次)?(?:复印|翻印)件?无效|(?:样本|样张|水印|复印件)+)")
"""What is printed across copies. ``样例`` (a specimen) is a watermark only at the end: names begin with it."""
LEAST = 2
"""Characters that a value must have left when a watermark is cut off it."""
LONG = 3
"""Length from which a label glued to the edge of a value is one; shorter words may be part of a name."""
COLUMN = 2
"""Labels below each other that make a column."""
BEYOND = 1.0
"""Distance, in heights, by which print must reach over the edge of another column."""


def vocabulary(specs: Iterable[FieldSpec]) -> frozenset[str]:
    """The labels of a paper and all words printed beside them, in the form of :func:`docproc.fields.fold`."""
    words = set(STOP_LABELS)
    for spec in specs:
        words |= {*spec.anchors, *spec.field_type.lead_words}
    return frozenset(fold(unicodedata.normalize("NFKC", word)) for word in words)


def cut_watermark(runs: Sequence[TextRun]) -> list[TextRun]:
    """Cut a watermark off the ends of a value."""
    text = "".join(run.text for run in runs)
    start, end = 0, len(text)
    if (found := _AT_END.search(text)) and found.start() >= LEAST:
        end = found.start()
    if (found := _AT_START.search(text[:end])) and end - found.end() >= LEAST:
        start = found.end()
    return list(slice_runs(runs, start, end)) if (start, end) != (0, len(text)) else list(runs)


def check_strays(
    spec: FieldSpec, item: Field, value: Value | None, labels: Sequence[Label], words: Collection[str]
) -> Field:
    """Refuse a value that is a label, and doubt one that may hold a label, a watermark or another column's print.

    Args:
        spec: of the field.
        item: as read, a watermark at its ends cut off.
        value: the segments it was read from.
        labels: all labels of the page.
        words: see :func:`vocabulary`.
    """
    if not item.value or value is None:
        return item
    if crosses_column(value, labels):
        item = lower_confidence(item)
    if not find_type(spec.type).is_unchecked:
        return item
    text = fold(item.value or "")
    if is_label(text, words):
        return replace(item, value=None, confidence=0.0, alternatives=(), rivals=())
    glued = any(len(word) >= LONG and (text.startswith(word) or text.endswith(word)) for word in words)
    return lower_confidence(item) if glued or _is_marked(spec, value.text, item.value or "") else item


def _is_marked(spec: FieldSpec, printed: str, text: str) -> bool:
    """Whether a watermark runs through the value, or was cut off it in a place where it may have hidden more.

    A name that ends as its type wants was complete before the watermark.
    """
    if not is_name(spec):
        return bool(_IN_PROSE.search(text))
    if _ANYWHERE.search(text):
        return True
    return bool(_AT_END.search(printed) or _AT_START.search(printed)) and find_type(spec.type).incomplete(text)


def is_name(spec: FieldSpec) -> bool:
    """Whether the field holds the name of a person or an organisation, in which a watermark has no place."""
    spelling = spec.field_type.spelling
    return spelling is not None and spelling.trust == "named"


def is_label(text: str, words: Collection[str]) -> bool:
    """Whether a text consists of labels alone: ``姓名``, ``类型住所``."""
    ends = {0}
    for end in range(1, len(text) + 1):
        if any(text[start:end] in words for start in ends):
            ends.add(end)
    return bool(text) and len(text) in ends


def refuse_failing(spec: FieldSpec, item: Field) -> Field:
    """Keep a number whose check digit fails from counting as a value: it becomes the first of the possible readings.

    A number of the type that older papers carry must be without reserve, its region known too: fifteen of the eighteen
    characters of a credit code pass the one check digit of a registration number by chance, one time in ten.
    """
    kind = find_type(spec.type)
    if not item.value or kind.kind != "code":
        return item
    result = VALIDATORS[kind.name](item.value, today=LATEST)
    if result.ok or result.severity != "fix":
        return item
    if kind.older is not None:
        older = VALIDATORS[kind.older.name](item.value, today=LATEST)
        if older.ok and not older.notes:
            return item
    return replace(
        item, value=None, confidence=min(item.confidence, LOW), alternatives=(item.value, *item.alternatives)
    )


def crosses_column(value: Value, labels: Sequence[Label]) -> bool:
    """Whether a value holds print that lies in a column of fields to the right of its own."""
    own = value.label
    for column in _columns([label for label in labels if label.key and label.x0 > own.x1 + own.h]):
        edge, top, bottom = min(c.x0 for c in column), min(c.y for c in column), max(c.y for c in column)
        if any(_reaches(segment, edge, top, bottom) for segment in value.segments):
            return True
    return False


def _columns(labels: Sequence[Label]) -> list[list[Label]]:
    """Labels with a common left edge, of which there are several."""
    found: list[list[Label]] = []
    for label in sorted(labels, key=lambda item: item.x0):
        near = next((c for c in found if abs(c[0].x0 - label.x0) < ALIGNED * label.h), None)
        if near is None:
            found.append([label])
        else:
            near.append(label)
    return [column for column in found if len({label.row for label in column}) >= COLUMN]


def _reaches(segment: Segment, edge: float, top: float, bottom: float) -> bool:
    return top - segment.h < segment.y < bottom + segment.h and segment.x1 > edge + BEYOND * segment.h
