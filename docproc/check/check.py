"""Check the readings of all documents of an application: findings and a verdict.

``rescan``: a page cannot be read and must be scanned again. ``supplement``:
something is missing or wrong. ``look``: a person must settle something first, since
the machine is not sure of what would forbid an approval. ``pass``: nothing prevents a
decision; warnings may remain for the reviewer. All findings of an application are given
at once (行政许可法 第32条: 一次告知).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from docproc.check import copies, papers
from docproc.check.certainty import is_sure
from docproc.check.evidence import Document, Evidence
from docproc.check.reconcile import gather_joined
from docproc.check.rules import RegistryLookup, RuleContext, apply, finding, lowered
from docproc.check.seal_match import SealVerdict
from docproc.check.seal_name import judge_seal
from docproc.check.sheets import Why, page_name
from docproc.domain import SEVERITIES, CheckResult, Field, Finding, PageReading, Verdict
from docproc.fields import find_type, validate
from docproc.matter.model import FieldSpec, Material, Matter
from docproc.matter.rule_kinds import Common, SealName

LOOK = 0.75
"""Confidence below which a reviewer is asked to look at a value."""
MOST_LABELS = 6
"""Fields named in one finding on papers that differ."""


def check(
    matter: Matter, readings: Sequence[PageReading], today: date, registry: RegistryLookup | None = None
) -> CheckResult:
    """Check an application's documents against the rules of the matter.

    Args:
        matter: the matter with its rules.
        readings: every page that was handed in, in order.
        today: the day of submission.
        registry: other registers, where they can be asked.
    """
    evidence = _supplied(gather_joined(matter, readings), registry)
    context = RuleContext(today, matter.licence.valid_years, matter.region, registry)
    found: list[Finding] = []
    for rule in matter.rule:
        if isinstance(rule, Common):
            handler = COMMON.get(rule.kind)
            found += handler(rule, evidence, context) if handler else []
        else:
            found += apply(rule, evidence, context)
    found = _without_repeats(found, evidence)
    found += _one_notice(matter, evidence, found)
    order = {m.id: n for n, m in enumerate(matter.material)}
    found.sort(key=lambda f: (SEVERITIES.index(f.severity), order.get(f.material or "", 99)))
    return CheckResult(_verdict(readings, found), tuple(found))


def judge_seals(matter: Matter, readings: Sequence[PageReading]) -> list[tuple[SealName, SealVerdict]]:
    """Judge every seal that the rules of a matter ask for."""
    evidence = gather_joined(matter, readings)
    rules = [rule for rule in matter.rule if isinstance(rule, SealName) and evidence.holds(rule.when)]
    judged = [(rule, judge_seal(rule, evidence)) for rule in rules]
    return [(rule, found) for rule, found in judged if found is not None]


def _verdict(readings: Sequence[PageReading], found: list[Finding]) -> Verdict:
    if any(must_scan_again(r) for r in readings):
        return "rescan"
    if any(f.severity in ("block", "fix") for f in found):
        return "supplement"
    return "look" if any(f.look for f in found) else "pass"


def must_scan_again(reading: PageReading) -> bool:
    """Whether a page cannot be read and matters: one that a person called none of the papers does not."""
    return reading.quality.verdict == "rescan" and not (reading.claimed and reading.material is None)


def _supplied(evidence: Evidence, registry: RegistryLookup | None) -> Evidence:
    """Add the fields that a register supplies in place of a document that was not submitted."""
    code = evidence.get(f"{evidence.matter.form_material}.uscc")
    waivable = [m for m in evidence.matter.material if m.waived_by == "firms" and not evidence.has(m.id)]
    if registry is None or not waivable or code is None or not code.value:
        return evidence
    firm = registry.firm(code.value)
    if firm is None:
        return evidence
    fields = {k: Field(k, v, v, 1.0, None, 1, "registry") for k, v in firm.items()}
    extra = {m.id: (Document(m.id, (), fields),) for m in waivable}
    return replace(evidence, documents={**evidence.documents, **extra})


def _missing_material(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    """A missing paper may be one of the pages that nobody recognised, but only as many as there are such pages."""
    found = []
    for lack, certain in _lacks(evidence):
        if lack.what == "side":
            continue
        label = f"《{evidence.matter.find_material(lack.material).name}》"
        if lack.page:
            label += page_name(lack.page, lack.sheet, lack.sheets)
        item = finding(rule, evidence, lack.material, label=label)
        found.append(item if certain else lowered(item))
    return found


def _card_sides(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    found = []
    for lack, certain in _lacks(evidence):
        if lack.what == "side":
            name = evidence.matter.find_material(lack.material).name
            item = finding(rule, evidence, lack.material, label=name)
            found.append(item if certain else lowered(item))
    return found


def _lacks(evidence: Evidence) -> list[tuple[papers.Lack, bool]]:
    """What is not there, and whether that is certain: needed, and not to be found among pages nobody recognised."""
    lacks = papers.lacking(evidence)
    open_ = papers.may_be_there(evidence, lacks)
    return [(lack, lack.certain and not open_) for lack in lacks]


def _claimed_page(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    """What a person says a page is, a reviewer confirms by name."""
    names = {m.id: m.name for m in evidence.matter.material}
    made = [finding(rule, evidence, key, label=names[key]) for key in papers.claimed(evidence)]
    return [replace(item, look=True) for item in made]


def _several_papers(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    """Nobody but a person knows which of two papers counts; until then the rules go by the one handed in first."""
    found = []
    for item in copies.conflicts(evidence):
        labels = [evidence.label(item.material, name) for name in item.fields]
        told = "、".join(labels[:MOST_LABELS]) + (f"等{len(labels)}项" if len(labels) > MOST_LABELS else "")
        name = evidence.matter.find_material(item.material).name
        made = finding(rule, evidence, item.material, label=name, count=len(item.papers), fields=told)
        found.append(replace(made, look=item.matters))
    return found


def _same_paper(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    names = {m.id: m.name for m in evidence.matter.material}
    found = [finding(rule, evidence, key, label=names[key]) for key in copies.repeated(evidence)]
    return found + _loose(rule, evidence, "same")


def _sheet_doubled(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    return _loose(rule, evidence, "doubled")


def _sheet_mixed(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    return _loose(rule, evidence, "mixed")


def _sheet_unread(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    return _loose(rule, evidence, "unread")


def _loose(rule: Common, evidence: Evidence, why: Why) -> list[Finding]:
    """Sheets that stand apart for one reason, each by its name."""
    names = {m.id: m.name for m in evidence.matter.material}
    found = []
    for page in (item.page for item in evidence.loose if item.why == why):
        label = f"{names[page.material or '']}{page_name(page.page, page.sheet, page.sheets)}"
        words = {"serial": page.form_id} if "{serial}" in rule.message else {}
        found.append(finding(rule, evidence, page.material, label=label, **words))
    return found


def _required(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    found = []
    for material, document in _all_documents(evidence):
        for name, spec in evidence.specs[material.id].items():
            if spec.field_type.kind == "mark":
                continue  # reported by G-02, which accepts either
            wanted = spec.required if spec.when is None else evidence.holds(spec.when)
            if spec.field_type.kind == "table":
                found += _required_rows(rule, evidence, material, document, spec, wanted)
            elif wanted is not False and (item := document.fields.get(name)) is not None and item.value == "":
                found.append(_if_wanted(_at(rule, evidence, material.id, name), wanted))
    return found


def _required_rows(
    rule: Common, evidence: Evidence, material: Material, document: Document, spec: FieldSpec, wanted: bool | None
) -> list[Finding]:
    single = Evidence(evidence.matter, {material.id: (document,)}, (), evidence.specs)
    table = f"{material.id}.{spec.name}"
    rows = single.rows(table)
    if wanted is not False and single.has_table(table) and len(rows) < spec.min_rows:
        return [_if_wanted(_at(rule, evidence, material.id, spec.name), wanted)]
    needed = {c.name for c in spec.columns if c.required}
    return [
        _at(rule, evidence, material.id, item.name)
        for row in rows
        for column, item in row.items()
        if column in needed and item.value == ""
    ]


def _if_wanted(item: Finding, wanted: bool | None) -> Finding:
    """The finding, for a person to settle where the condition on which it hangs could not be read."""
    return item if wanted else lowered(item)


def _at(rule: Common, evidence: Evidence, material: str, name: str, **words: object) -> Finding:
    return finding(rule, evidence, f"{material}.{name}", label=evidence.label(material, name), **words)


def _all_documents(evidence: Evidence) -> list[tuple[Material, Document]]:
    return [(m, d) for m in evidence.matter.material for d in evidence.documents.get(m.id, ())]


def _type_of(evidence: Evidence, material: str, name: str) -> str | None:
    parts = name.split(".")
    spec = evidence.specs.get(material, {}).get(parts[0])
    if spec is None:
        return None
    if len(parts) == 3:
        return next((c.type for c in spec.columns if c.name == parts[2]), None)
    return spec.type


def _validity(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    found = []
    for material, document in _all_documents(evidence):
        for name, item in document.fields.items():
            kind = _type_of(evidence, material.id, name)
            if kind is None or not find_type(kind).is_written or not item.value:
                continue
            result = validate(kind, item.value, today=context.today)
            if result.ok:
                continue
            made = _at(rule, evidence, material.id, name, problem=result.problem)
            if result.severity == "fix" and is_sure(item):
                found.append(made)
            else:
                found.append(lowered(made, look=result.severity == "fix"))
    return found


def _confidence(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    found = []
    for material, document in _all_documents(evidence):
        expected = [
            name
            for name, spec in evidence.specs[material.id].items()
            if material.kind == "free" and spec.required and spec.page in document.sides
        ]
        for name in dict.fromkeys([*document.fields, *expected]):
            item = document.fields.get(name)
            unread = item is None or item.value is None or (material.kind == "free" and item.value == "")
            doubtful = item is not None and bool(item.value) and not is_sure(item, least=LOOK)
            if (unread and (item is not None or name in expected)) or doubtful:
                found.append(_at(rule, evidence, material.id, name))
    return found


def _edition_in_force(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    found = []
    for material, document in _all_documents(evidence):
        if material.kind != "form" or document.edition is None:
            continue
        forms = [f for f in evidence.matter.form if f.material == material.id and f.edition == document.edition]
        if not any(f.valid(context.today) for f in forms):
            found.append(finding(rule, evidence, material.id, label=material.name))
    return found


def _basis_in_force(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    matter = evidence.matter
    in_force = matter.status != "retired" and matter.basis_in_force(context.today)
    return [] if in_force else [finding(rule, evidence)]


def _delegated(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    to = evidence.matter.delegated
    return [finding(rule, evidence, authority=to.authority)] if to is not None and not to.org else []


def _waived(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    return [
        finding(rule, evidence, material.id, label=material.name)
        for material, document in _all_documents(evidence)
        if not document.pages
    ]


def _unknown_page(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    return [
        finding(rule, evidence, None, label=f"{page.file}第{page.index + 1}页")
        for page in evidence.unknown
        if page.quality.verdict == "good"
    ]


def _quality(rule: Common, evidence: Evidence, context: RuleContext) -> list[Finding]:
    pages = [*evidence.unknown, *(p for _, d in _all_documents(evidence) for p in d.pages)]
    pages += [item.page for item in evidence.loose]
    return [
        Finding(f.code, f.severity, f.message, page.material, f.field, f.basis)
        for page in pages
        for f in page.quality.findings
    ]


def _one_notice(matter: Matter, evidence: Evidence, found: list[Finding]) -> list[Finding]:
    count = sum(f.severity in ("block", "fix") for f in found)
    rules = [r for r in matter.rule if isinstance(r, Common) and r.kind == "one_notice"]
    return [finding(rule, evidence, None, count=count) for rule in rules if count]


def _without_repeats(found: list[Finding], evidence: Evidence) -> list[Finding]:
    """Drop repeated findings, and those of a rule that asks for a document already reported as missing."""
    missed = {f.material for f in found if f.code == "G-00" and f.field is None and not evidence.has(f.material or "")}
    seen: set[tuple[object, ...]] = set()
    kept = []
    for item in found:
        key = (item.code, item.material, item.field, item.message)
        same_paper = item.field is None and item.material in missed
        if key in seen or (same_paper and item.code != "G-00" and not item.code.startswith("scan.")):
            continue
        seen.add(key)
        kept.append(item)
    return kept


COMMON: dict[str, Callable[[Common, Evidence, RuleContext], list[Finding]]] = {
    "missing_material": _missing_material,
    "card_sides": _card_sides,
    "required": _required,
    "validity": _validity,
    "confidence": _confidence,
    "edition_in_force": _edition_in_force,
    "basis_in_force": _basis_in_force,
    "delegated": _delegated,
    "waived": _waived,
    "unknown_page": _unknown_page,
    "claimed_page": _claimed_page,
    "several_papers": _several_papers,
    "same_paper": _same_paper,
    "sheet_doubled": _sheet_doubled,
    "sheet_mixed": _sheet_mixed,
    "sheet_unread": _sheet_unread,
    "quality": _quality,
}
