"""Several papers of one kind: whether they are the same one again, and where two of them differ.

A material of which one application has several papers (health certificates of several persons) is never accused of
that. What is left blank, not read, or read with doubt so that it may be a misreading, is no difference.
"""

from __future__ import annotations

from dataclasses import dataclass

from docproc.check.certainty import differ
from docproc.check.evidence import Document, Evidence, same_values
from docproc.matter.model import Matter
from docproc.matter.rule_kinds import RowsMatch, Target


@dataclass(frozen=True, slots=True)
class Conflict:
    """Papers of one kind that do not say the same."""

    material: str
    papers: tuple[Document, ...]
    """The first one handed in, and those that differ from it."""
    fields: tuple[str, ...]
    """Names of the fields that differ."""
    matters: bool
    """A rule or the licence uses a field that certainly differs, so a person must say which paper counts."""


def conflicts(evidence: Evidence) -> list[Conflict]:
    """Papers of one kind that differ, in the matter's order."""
    found = []
    used = _used(evidence.matter)
    for material in evidence.matter.material:
        first, *others = evidence.documents.get(material.id) or (None,)
        if first is None or material.repeat:
            continue
        told: dict[str, bool] = {}
        papers = [first]
        for other in others:
            unlike = _unlike(first, other)
            told = {**unlike, **{name: sure or told.get(name, False) for name, sure in unlike.items()}, **told}
            papers += [other] if unlike else []
        if told:
            certain = any(sure and f"{material.id}.{name.partition('.')[0]}" in used for name, sure in told.items())
            found.append(Conflict(material.id, tuple(papers), tuple(told), certain))
    return found


def repeated(evidence: Evidence) -> list[str]:
    """Materials of which the same paper, or a page of it, was handed in again, in the matter's order."""
    again = {page.material for page in evidence.again}
    for key, papers in evidence.documents.items():
        for place, paper in enumerate(papers):
            if any(_is_same(evidence, paper, earlier) for earlier in papers[:place]):
                again.add(key)
    return [material.id for material in evidence.matter.material if material.id in again]


def _unlike(first: Document, other: Document) -> dict[str, bool]:
    """Names of the fields that differ, and whether that is certain."""
    answers = {name: differ(item, other.fields.get(name)) for name, item in first.fields.items()}
    return {name: bool(answer) for name, answer in answers.items() if answer is not False}


def _is_same(evidence: Evidence, paper: Document, earlier: Document) -> bool:
    return paper.sides == earlier.sides and same_values(
        evidence.specs.get(paper.material, {}), paper.fields, earlier.fields
    )


def _used(matter: Matter) -> frozenset[str]:
    """References of the fields that rules, conditions or the licence go by, tables as a whole."""
    found = [name for rule in matter.rule for _, name in rule.targets(Target.FIELD)]
    for rule in matter.rule:
        if isinstance(rule, RowsMatch):
            found += [f"{rule.material}.{name}" for name in (rule.field, rule.valid_to) if name]
    found += [m.when.field for m in matter.material if m.when is not None]
    found += [reference for _, _, reference in matter.licence.fields]
    found += [name for name in (matter.licence.holder, matter.licence.holder_or) if name]
    return frozenset(".".join(name.split(".")[:2]) for name in found)
