"""The meaning of each kind of rule in a matter file: evidence in, findings out.

Every function takes the rule, the evidence and the context, and returns the
findings, none when the rule is satisfied. Where a reading that the rule needs is
uncertain, the rule never counts against the citizen: its severity is lowered to
``warn`` and a reviewer decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Protocol

from docproc.check.certainty import SURE, SURE_WHEN_NEAR, are_near, is_sure
from docproc.check.evidence import Evidence
from docproc.check.seal_name import judge_seal
from docproc.domain import Field, Finding, Severity
from docproc.fields import cid_birth_sex, current_code, locate, normalise_text, same_address, same_name, same_text
from docproc.matter import rule_kinds as kinds

SEX = {"male": "男", "female": "女"}
"""Option keys of a form to what an ID card prints."""
DOUBT = "（机器读取不确定，请人工核对）"
UNREAD_SEAL = "未能识别印章上的名称，请核对是否为“{name}”"
NO_SEAL = "没有找到“{name}”的印章，请盖章"


_SAME: dict[str, Callable[[str, str], bool]] = {
    "text": same_text,
    "name": same_name,
    "address": same_address,
    "code": lambda x, y: normalise_text(x).upper() == normalise_text(y).upper(),
    "contains": lambda x, y: normalise_text(y) in normalise_text(x),
}


class RegistryLookup(Protocol):
    """Queries to other registers; every answer may be ``None``: not known."""

    def firm(self, uscc: str) -> dict[str, str] | None:
        """Fields of the business licence of this credit code."""
        ...

    def other_licence_same_place(self, cid: str, place: str) -> bool | None:
        """Whether this person already has another valid licence at this place."""
        ...


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What a rule may know besides the documents."""

    today: date
    licence_years: int | None = None
    region: str = ""
    registry: RegistryLookup | None = None


def finding(rule: Any, evidence: Evidence, reference: str | None = None, **words: object) -> Finding:
    """A finding of the rule at ``material.field``, its message completed with ``words``."""
    material, _, name = (reference or "").partition(".")
    return Finding(
        rule.id,
        rule.severity,
        rule.message.format(**words) if words else rule.message,
        material or None,
        name or None,
        evidence.matter.basis_text(rule.basis),
    )


def lowered(item: Finding, severity: Severity = "warn", *, look: bool = True) -> Finding:
    """The same finding for the reviewer only, because the reading is uncertain.

    Args:
        item: as it would be said if the reading were certain; one that forbids nothing stays as it is.
        severity: that it gets.
        look: a person must settle it before an approval, since it would forbid one; not where nothing speaks against
            the applicant and a document only says too little.
    """
    if item.severity in ("warn", "info"):
        return item
    return replace(item, severity=severity, message=item.message + DOUBT, look=look)


def _known(*fields: Field | None) -> bool:
    return all(f is not None and f.value for f in fields)


def _date(reference: str, evidence: Evidence, context: RuleContext) -> tuple[date | None, bool]:
    """The date of a reference and whether it is certain; an unlimited validity is ``date.max``."""
    if reference == "today":
        return context.today, True
    if reference == "edition.valid_from":
        material = evidence.matter.form_material
        documents = evidence.documents.get(material, ())
        if not documents or documents[0].edition is None:
            return None, False
        forms = [f for f in evidence.matter.form if f.material == material]
        return next((f.valid_from for f in forms if f.edition == documents[0].edition), None), True
    item = evidence.get(reference)
    if item is None or not item.value:
        return None, False
    if item.value == "长期":
        return date.max, is_sure(item)
    try:
        return date.fromisoformat(item.value), is_sure(item)
    except ValueError:
        return None, False


def says_the_same(rule: kinds.Equal, left: str, right: str) -> bool:
    """Whether two values agree in the way that a rule compares them."""
    return _SAME[rule.compare](left, right)


def _equal(rule: kinds.Equal, evidence: Evidence, context: RuleContext) -> list[Finding]:
    left, right = evidence.get(rule.left), evidence.get(rule.right)
    if left is None or right is None or not _known(left, right):
        return []
    a, b = left.value or "", right.value or ""
    if says_the_same(rule, a, b):
        return []
    near = are_near(a, b)
    found = finding(rule, evidence, rule.left)
    return [found if is_sure(left, right, least=SURE_WHEN_NEAR if near else SURE) else lowered(found)]


def _person(cid: Field | None) -> tuple[date, str] | None:
    """Birth date and sex encoded in a citizen number, where it was read and is well-formed."""
    if cid is None or not cid.value:
        return None
    try:
        return cid_birth_sex(cid.value)
    except ValueError:
        return None


def _identity(rule: kinds.Identity, evidence: Evidence, context: RuleContext) -> list[Finding]:
    cid = evidence.get(rule.cid)
    told = _person(cid)
    if cid is None or told is None:
        return []
    born, sex = told
    wrong = []
    for reference, truth in ((rule.born_on, born.isoformat()), (rule.sex, sex)):
        item = evidence.get(reference) if reference else None
        if item is not None and item.value and SEX.get(item.value, item.value) != truth:
            wrong.append((reference, item))
    found = finding(rule, evidence, wrong[0][0]) if wrong else None
    if found is None:
        return []
    return [found if is_sure(cid, *(item for _, item in wrong)) else lowered(found)]


def _choose(rule: kinds.Choose, evidence: Evidence, context: RuleContext) -> list[Finding]:
    item = evidence.get(rule.field)
    if item is None or item.value is None:
        return []
    count = len([v for v in item.value.split(",") if v])
    if count == 0 or rule.at_least <= count <= rule.at_most:
        return []  # nothing ticked is reported by G-01
    return [finding(rule, evidence, rule.field)]


def _not_only(rule: kinds.NotOnly, evidence: Evidence, context: RuleContext) -> list[Finding]:
    item = evidence.get(rule.field)
    return [finding(rule, evidence, rule.field)] if item is not None and item.value == rule.value else []


def _date_order(rule: kinds.DateOrder, evidence: Evidence, context: RuleContext) -> list[Finding]:
    earlier, sure_a = _date(rule.earlier, evidence, context)
    later, sure_b = _date(rule.later, evidence, context)
    if earlier is None or later is None or earlier <= later:
        return []
    where = rule.later if rule.later not in ("today", "edition.valid_from") else rule.earlier
    found = finding(rule, evidence, where)
    return [found if sure_a and sure_b else lowered(found)]


def _card_term(rule: kinds.CardTerm, evidence: Evidence, context: RuleContext) -> list[Finding]:
    start, _ = _date(rule.valid_from, evidence, context)
    end, _ = _date(rule.valid_to, evidence, context)
    if start is None or end is None:
        return []
    if end == date.max:
        cid = evidence.get(rule.cid)
        told = _person(cid)
        return [finding(rule, evidence, rule.valid_to)] if told is not None and _age(told[0], start) < 46 else []
    if any(_years_later(start, years) == end for years in (5, 10, 20)):
        return []
    return [finding(rule, evidence, rule.valid_to)]


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _min_age(rule: kinds.MinAge, evidence: Evidence, context: RuleContext) -> list[Finding]:
    cid = evidence.get(rule.cid)
    told = _person(cid)
    if told is None:
        return []
    age = _age(told[0], context.today)
    if age < rule.at_least or (rule.below is not None and age >= rule.below):
        return []
    found = finding(rule, evidence, rule.cid)
    return [found if is_sure(cid) else lowered(found)]


def _mentions(rule: kinds.Mentions, evidence: Evidence, context: RuleContext) -> list[Finding]:
    item = evidence.get(rule.field)
    if item is None or not item.value or any(word in item.value for word in rule.words):
        return []
    found = finding(rule, evidence, rule.field)
    return [found if is_sure(item) else lowered(found)]


def _avoids(rule: kinds.Avoids, evidence: Evidence, context: RuleContext) -> list[Finding]:
    item = evidence.get(rule.field)
    if item is None or not item.value:
        return []
    bad_word = any(word in item.value for word in rule.words)
    bad_end = bool(rule.suffixes) and not item.value.endswith(rule.suffixes)
    found = finding(rule, evidence, rule.field)
    if not (bad_word or bad_end):
        return []
    return [found if is_sure(item) else lowered(found)]


def _requires(rule: kinds.Requires, evidence: Evidence, context: RuleContext) -> list[Finding]:
    if rule.material is not None:
        return [] if evidence.has(rule.material) else [finding(rule, evidence, rule.material)]
    if rule.field is not None:
        item = evidence.get(rule.field)
        return [finding(rule, evidence, rule.field)] if item is not None and item.value == "" else []
    table = rule.table or ""
    if not evidence.has_table(table):
        return []  # the missing page is reported by G-00
    rows = evidence.rows(table)
    if len(rows) < rule.rows:
        return [finding(rule, evidence, table)]
    if not rule.row_words:
        return []
    cells = [f for row in rows for f in row.values()]
    if any(word in (f.value or "") for f in cells for word in rule.row_words):
        return []
    found = finding(rule, evidence, table)
    return [found if all(f.value is not None for f in cells) else lowered(found)]


def _rows_match(rule: kinds.RowsMatch, evidence: Evidence, context: RuleContext) -> list[Finding]:
    papers = evidence.documents.get(rule.material, ())
    readable = [(d.fields.get(rule.field), d.fields.get(rule.valid_to or "")) for d in papers]
    unread = any(name is None or name.value is None for name, _ in readable)
    found = []
    material = rule.table.partition(".")[0]
    for row in evidence.rows(rule.table):
        name = row.get(rule.column)
        if name is None or not name.value:
            continue
        own = [(n, end) for n, end in readable if n is not None and n.value and same_name(n.value, name.value)]
        if any(_still_valid(end, rule, context) for _, end in own):
            continue
        item = finding(rule, evidence, f"{material}.{name.name}", row=name.value)
        sure = is_sure(name) and not unread and all(end is not None and end.value for _, end in own)
        found.append(item if sure else lowered(item))
    return found


def _still_valid(end: Field | None, rule: kinds.RowsMatch, context: RuleContext) -> bool:
    if rule.valid_to is None:
        return True
    value = end.value if end is not None else None
    return bool(value) and (value == "长期" or str(value) >= context.today.isoformat())


def _region(rule: kinds.Region, evidence: Evidence, context: RuleContext) -> list[Finding]:
    item = evidence.get(rule.field)
    if item is None or not item.value or not context.region:
        return []
    place = locate(item.value)
    code = place.code if place is not None else ""
    if code.startswith(context.region):
        return []
    found = finding(rule, evidence, rule.field)
    if context.region.startswith(code.rstrip("0")):  # the address names no county, or none is known
        return [lowered(found, look=False)]
    return [found if is_sure(item) else lowered(found)]


def _code_region(rule: kinds.CodeRegion, evidence: Evidence, context: RuleContext) -> list[Finding]:
    code, place = evidence.get(rule.code), evidence.get(rule.field)
    if code is None or place is None or not _known(code, place):
        return []
    region = locate(place.value or "")
    inside = (code.value or "")[rule.start : rule.start + 6]
    if region is None or region.level != "county" or current_code(inside) == region.code:
        return []
    return [finding(rule, evidence, rule.code)]


def _signed(rule: kinds.Signed, evidence: Evidence, context: RuleContext) -> list[Finding]:
    items = [evidence.get(ref) for ref in rule.fields]
    there = [f for f in items if f is not None]
    if not there or any(f.value for f in there):
        return []
    found = finding(rule, evidence, rule.fields[0])
    return [lowered(found) if any(f.value is None for f in there) else found]


def _seal_name(rule: kinds.SealName, evidence: Evidence, context: RuleContext) -> list[Finding]:
    found = judge_seal(rule, evidence)
    if found is None or found.outcome == "same" or (found.outcome == "none" and not rule.required):
        return []
    read = found.seal.text if found.seal is not None else ""
    told = finding(rule, evidence, rule.seal, seal=read, name=found.name)
    if found.outcome == "differs":
        # Nobody is accused by a machine alone: where the rule only warns, a person must settle it.
        return [replace(told, look=told.severity == "warn")]
    if found.outcome == "none":
        return [replace(told, message=NO_SEAL.format(name=found.name))]
    severity: Severity = "info" if rule.severity == "info" else "warn"
    return [replace(told, severity=severity, message=UNREAD_SEAL.format(name=found.name))]


def _registry(rule: kinds.Registry, evidence: Evidence, context: RuleContext) -> list[Finding]:
    cid, place = evidence.get(rule.cid), evidence.get(rule.place)
    if context.registry is None or cid is None or place is None or not _known(cid, place):
        return []
    answer = context.registry.other_licence_same_place(cid.value or "", place.value or "")
    return [finding(rule, evidence, rule.place)] if answer else []


def _derived(rule: kinds.Derived, evidence: Evidence, context: RuleContext) -> list[Finding]:
    if context.licence_years is None:
        return []
    end = last_day(context.today, context.licence_years)
    return [finding(rule, evidence, None, **{"from": context.today.isoformat(), "to": end.isoformat()})]


def last_day(start: date, years: int) -> date:
    """Last day of a term of whole years that begins on ``start``: the day before the anniversary.

    Where the month has no such day, its last day is the term's last (民法典 第202条).
    """
    return _years_later(start, years) - timedelta(days=1)


KINDS: dict[type, Callable[[Any, Evidence, RuleContext], list[Finding]]] = {
    kinds.Equal: _equal,
    kinds.Identity: _identity,
    kinds.Choose: _choose,
    kinds.NotOnly: _not_only,
    kinds.DateOrder: _date_order,
    kinds.CardTerm: _card_term,
    kinds.MinAge: _min_age,
    kinds.Mentions: _mentions,
    kinds.Avoids: _avoids,
    kinds.Requires: _requires,
    kinds.RowsMatch: _rows_match,
    kinds.Region: _region,
    kinds.CodeRegion: _code_region,
    kinds.Signed: _signed,
    kinds.SealName: _seal_name,
    kinds.Registry: _registry,
    kinds.Derived: _derived,
}


def apply(rule: Any, evidence: Evidence, context: RuleContext) -> list[Finding]:
    """Findings of one rule of the matter; with an unreadable condition they are for the reviewer only."""
    holds = evidence.holds(rule.when)
    if holds is False:
        return []
    found = KINDS[type(rule)](rule, evidence, context)
    return found if holds else [lowered(item) for item in found]
