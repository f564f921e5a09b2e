"""Reconcile the documents of one application: a fact that stands on two of them is one piece of evidence.

The matter's rules say which fields must agree (``equal``). Where one of the two was read with certainty, it supports
the other: an equal value gets a higher confidence, and where the other field was left open, its alternative reading
that agrees is chosen. A person may really have written something else, so the ink must allow that reading
(:data:`WRITTEN_OTHERWISE`); a value read with certainty is never changed, and a difference remains a finding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from docproc.check.certainty import SURE, is_sure
from docproc.check.evidence import Evidence, gather
from docproc.check.rules import says_the_same
from docproc.domain import Field, PageReading
from docproc.matter.model import Matter
from docproc.matter.rule_kinds import Equal

WRITTEN_OTHERWISE = 0.01
"""Probability that two documents that must agree do not; assumed, on the cautious side: more applications are wrong,
but seldom by so little that both values are plausible readings of the same ink."""
ALIKE = frozenset({"text", "name", "code"})
"""Comparisons under which equal values are spelt alike; addresses that agree may differ in how much they name."""


def join(matter: Matter, readings: Sequence[PageReading]) -> list[PageReading]:
    """Reconcile the fields of an application's documents with each other.

    Args:
        matter: whose ``equal`` rules say what must agree.
        readings: every page, in order.

    Returns:
        The same pages in the same order. A value chosen from alternative readings has the source ``repair``.
    """
    found = list(readings)
    evidence = gather(matter, found)
    for rule in matter.rule:
        if not isinstance(rule, Equal) or rule.compare not in ALIKE or evidence.holds(rule.when) is not True:
            continue
        for reference, other in ((rule.left, rule.right), (rule.right, rule.left)):
            told = _told(rule, evidence.get(reference), evidence.get(other))
            if told is not None:
                page = _page_of(evidence, reference)
                found = [_with(item, told) if item is page else item for item in found]
                evidence = gather(matter, found)
    return found


def gather_joined(matter: Matter, readings: Sequence[PageReading]) -> Evidence:
    """The documents of an application, grouped for rules and licences, after :func:`join`."""
    return gather(matter, join(matter, readings))


def _told(rule: Equal, item: Field | None, other: Field | None) -> Field | None:
    """The field as supported by the other one, ``None`` where nothing changes."""
    if item is None or other is None or not other.value or not is_sure(other) or is_sure(item) or item.value == "":
        return None
    if item.value and says_the_same(rule, item.value, other.value):
        return replace(item, confidence=1 - (1 - item.confidence) * (1 - other.confidence))
    near = [(value, math.exp(-behind)) for value, behind in item.rivals]
    same = next(((value, weight) for value, weight in near if says_the_same(rule, value, other.value)), None)
    if same is None:
        return None
    value, weight = same
    rest = sum(share for text, share in near if text != value)
    sure = other.confidence * weight / (weight + WRITTEN_OTHERWISE * rest)
    return replace(item, value=value, confidence=sure, source="repair", alternatives=()) if sure >= SURE else None


def _page_of(evidence: Evidence, reference: str) -> PageReading | None:
    """The page on which :meth:`Evidence.get` found a field."""
    material, _, name = reference.partition(".")
    paper = next((item for item in evidence.documents.get(material, ()) if name in item.fields), None)
    return next((page for page in paper.pages if page.fields.get(name) is paper.fields[name]), None) if paper else None


def _with(page: PageReading, item: Field) -> PageReading:
    return replace(page, fields={**page.fields, item.name: item})
