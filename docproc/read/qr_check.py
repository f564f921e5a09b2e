"""Compare the QR codes of a page with its printed text: a document altered in only one of the two is found here.

A code contains a URL with the credit code in it, the credit code and name alone, or lines of ``label: value``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from docproc.domain import Field, Finding
from docproc.fields import VALIDATORS, find_type
from docproc.matter.model import FieldSpec
from docproc.read.decoding.confidence import lower_confidence, raise_confidence
from docproc.read.decoding.grammar import checked

FINDING_CODE = "code.differs"
_PART = re.compile(r"[\r\n;|&?]+")
_PAIR = re.compile(r"\s*([^:=]{2,12})[:=]\s*(.+?)[\s,。]*")


def check_qr_codes(
    fields: Mapping[str, Field], specs: Sequence[FieldSpec], texts: Sequence[str], today: date
) -> tuple[dict[str, Field], tuple[Finding, ...]]:
    """Compare the QR codes of a page with its fields.

    Args:
        fields: by name, as printed.
        specs: of the page's fields; a code uses their labels or anchors.
        texts: contents of the QR codes on the page.
        today: reference day for dates in codes.

    Returns:
        The fields, with a higher confidence where a code agrees and a lower one where it differs, the code's value then
        being among the alternatives; and a warning for each field that differs.
    """
    found, findings = dict(fields), []
    for spec in specs:
        encoded = list(dict.fromkeys(_qr_values(spec, texts, today)))
        item = found.get(spec.name)
        if not encoded or item is None:
            continue
        if item.value is None:
            found[spec.name] = replace(item, alternatives=tuple(dict.fromkeys([*encoded, *item.alternatives])))
        elif any(_plain(value) == _plain(item.value) for value in encoded):
            found[spec.name] = raise_confidence(item)
        else:
            others = tuple(dict.fromkeys([*encoded, *item.alternatives]))
            found[spec.name] = replace(lower_confidence(item), alternatives=others)
            message = f"二维码中的“{spec.label}”与印刷的内容不一致，请核对证照真伪"
            findings.append(Finding(FINDING_CODE, "warn", message, None, spec.name))
    return found, tuple(findings)


def _qr_values(spec: FieldSpec, texts: Iterable[str], today: date) -> Iterator[str]:
    """Values of one field in the codes, normalised."""
    labels = {_plain(label) for label in (spec.label, *spec.anchors)}
    for text in texts:
        for part in _PART.split(unicodedata.normalize("NFKC", text)):
            pair = _PAIR.fullmatch(part)
            if pair and _plain(pair[1]) in labels and (value := _value(spec.type, pair[2], today)):
                yield value
        if alone := spec.field_type.alone:
            yield from (match for match in alone.findall(text) if checked(spec.type)(match))


def _value(type_name: str, text: str, today: date) -> str | None:
    kind = find_type(type_name)
    if not kind.is_written:
        return None
    for name in (type_name, kind.older.name) if kind.older else (type_name,):
        read = VALIDATORS[name](text, today=today)
        if read.ok:
            return read.value
    return None


def _plain(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text).lower() if char.isalnum())
