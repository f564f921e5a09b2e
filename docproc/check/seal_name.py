"""Judge the name on a seal by a rule: whether it is one that the application allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from docproc.canonical import JsonObject
from docproc.check.certainty import SURE, SURE_WHEN_NEAR, are_near, is_sure
from docproc.check.evidence import Evidence
from docproc.check.seal_match import SealVerdict, compare_seals
from docproc.domain import Field
from docproc.fields import fold, same_name
from docproc.matter.rule_kinds import SealName


def judge_seal(rule: SealName, evidence: Evidence) -> SealVerdict | None:
    """Judge the seal of a rule against the names that it allows.

    Returns:
        ``None`` where there is nothing to compare: the page or every name is missing, or the reading is an older one,
        for which nobody looked at the seal's name.
    """
    field = evidence.get(rule.seal)
    given = [evidence.get(reference) for reference in (rule.name, *rule.also)]
    names = [item for item in given if item is not None and item.value]
    if field is None or not names:
        return None
    if field.value == "":
        return SealVerdict("none", field.confidence, None, names[0].value or "")
    if field.seals is None:
        return None
    found = compare_seals(field.seals, [item.value or "" for item in names])
    shown = replace(found, name=names[0].value or "")
    if found.outcome != "differs":
        return shown
    near = [text for item in names for text in (*item.alternatives, *(rival for rival, _ in item.rivals))]
    if compare_seals(field.seals, near).outcome == "same" or not _names_are_sure(found, names):
        return replace(shown, outcome="unreadable", confidence=0.0)
    return shown


def seal_json(rule: SealName, found: SealVerdict) -> JsonObject:
    """Return a verdict on a seal as ``docproc check --json`` prints it."""
    material, _, field = rule.seal.partition(".")
    read = found.seal.text if found.seal is not None else ""
    return {
        "rule": rule.id,
        "material": material,
        "field": field,
        "outcome": found.outcome,
        "confidence": round(found.confidence, 4),
        "seal": read,
        "name": found.name,
    }


def _names_are_sure(found: SealVerdict, names: Sequence[Field]) -> bool:
    """Whether no name may be misread to what is on the seal: each is certain, or another paper says the same."""
    read = found.seal.text if found.seal is not None else ""
    for item in names:
        agreed = sum(same_name(item.value or "", other.value or "") for other in names) > 1
        least = SURE_WHEN_NEAR if are_near(fold(item.value or ""), read) else SURE
        if not (is_sure(item, least=least) or (agreed and is_sure(item))):
            return False
    return True
