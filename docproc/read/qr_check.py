"""What the QR code of a paper says, held against its print: a licence that was altered in one of the two shows it here.

Codes carry an address with the credit code in it, the bare code and name, or lines of ``label: value``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from docproc.domain import Field, Finding
from docproc.fields import VALIDATORS
from docproc.matter.model import FieldSpec
from docproc.read.decoding.values import checked

AGREED = 0.97
DOUBT = 0.5
CODE = "code.differs"
_USCC = re.compile(r"(?<![0-9A-Z])[0-9A-HJ-NPQRTUWXY]{18}(?![0-9A-Z])")
_PART = re.compile(r"[\r\n;|&?]+")
_PAIR = re.compile(r"\s*([^:=]{2,12})[:=]\s*(.+?)[\s,。]*")


def compare_codes(
    fields: Mapping[str, Field], specs: Sequence[FieldSpec], texts: Sequence[str], today: date
) -> tuple[dict[str, Field], tuple[Finding, ...]]:
    """Hold the codes of a page against its print.

    Args:
        fields: by name, as printed.
        specs: of the page's fields; the labels in a code are their labels or anchors.
        texts: of the QR codes on the page.
        today: dates in codes are judged by it.

    Returns:
        The fields, surer where the code agrees, in doubt where it says something else, with the code's value among the
        alternatives; and a warning for each that differs.
    """
    found, findings = dict(fields), []
    for spec in specs:
        told = list(dict.fromkeys(_told(spec, texts, today)))
        item = found.get(spec.name)
        if not told or item is None:
            continue
        if item.value is None:
            found[spec.name] = replace(item, alternatives=tuple(dict.fromkeys([*told, *item.alternatives])))
        elif any(_plain(value) == _plain(item.value) for value in told):
            found[spec.name] = replace(item, confidence=max(item.confidence, AGREED))
        else:
            others = tuple(dict.fromkeys([*told, *item.alternatives]))
            found[spec.name] = replace(item, confidence=min(item.confidence, DOUBT), alternatives=others)
            message = f"二维码中的“{spec.label}”与印刷的内容不一致，请核对证照真伪"
            findings.append(Finding(CODE, "warn", message, None, spec.name))
    return found, tuple(findings)


def _told(spec: FieldSpec, texts: Iterable[str], today: date) -> Iterator[str]:
    """Values of one field that the codes say, in normal form."""
    labels = {_plain(label) for label in (spec.label, *spec.anchors)}
    for text in texts:
        for part in _PART.split(unicodedata.normalize("NFKC", text)):
            pair = _PAIR.fullmatch(part)
            if pair and _plain(pair[1]) in labels and (value := _value(spec.type, pair[2], today)):
                yield value
        if spec.type == "uscc":
            yield from (match for match in _USCC.findall(text) if checked("uscc")(match))


def _value(type_name: str, text: str, today: date) -> str | None:
    if type_name not in VALIDATORS:
        return None
    for name in (type_name, "regno") if type_name == "uscc" else (type_name,):
        read = VALIDATORS[name](text, today=today)
        if read.ok:
            return read.value
    return None


def _plain(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text).lower() if char.isalnum())
