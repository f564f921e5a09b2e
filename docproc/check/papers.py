"""Which papers of an application are not there, and which are there only because a person says so.

A page that nobody recognised can be at most one missing paper. With fewer such pages than papers missing, some are
missing for certain, and all are told at once and in full (行政许可法 第32条: 一次告知). With as many or more, each
may be there: a person must look. What a person says a page is makes the paper claimed, not recognised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from docproc.check.evidence import Document, Evidence
from docproc.check.reconcile import gather_joined
from docproc.check.sheets import missing_sheets
from docproc.domain import PageReading
from docproc.matter.model import Material, Matter

BLANK = "scan.blank"
"""Code of the quality finding on a page without any ink, which is no paper."""


@dataclass(frozen=True, slots=True)
class Lack:
    """A paper that is not there, or a page or side of one that is."""

    material: str
    what: Literal["paper", "page", "side"]
    page: int = 0
    """1-based, of a missing page."""
    sheet: int = 0
    """1-based, of a missing sheet of a page."""
    sheets: int = 0
    certain: bool = True
    """It is needed; ``False`` where the condition for that could not be read."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What must not be approved as it is."""

    missing: tuple[str, ...]
    """Materials that are needed and of which the paper or a page is not there."""
    claimed: tuple[str, ...]
    """Materials of which at least one page is only what a person said."""


def unsettled(matter: Matter, readings: Sequence[PageReading]) -> Unsettled:
    """What of an application's papers was not recognised: missing, or named by a person only.

    Args:
        matter: that was applied for.
        readings: every page, with persons' corrections.
    """
    evidence = gather_joined(matter, readings)
    missing = [item.material for item in lacking(evidence) if item.certain and item.what != "side"]
    return Unsettled(tuple(dict.fromkeys(missing)), claimed(evidence))


def claimed(evidence: Evidence) -> tuple[str, ...]:
    """Materials of which at least one page is only what a person said, in the matter's order."""
    papers = evidence.documents
    return tuple(m.id for m in evidence.matter.material if any(d.claimed for d in papers.get(m.id, ())))


def lacking(evidence: Evidence) -> list[Lack]:
    """Every paper, page of a form and side of a card that is not there, in the matter's order."""
    return [lack for material in evidence.matter.material for lack in _lacks(material, evidence)]


def may_be_there(evidence: Evidence, lacks: Sequence[Lack]) -> bool:
    """Whether every lack may be a page that nobody recognised, each page being at most one of them."""
    return 0 < sum(item.certain for item in lacks) <= _candidates(evidence)


def _candidates(evidence: Evidence) -> int:
    """Pages that nobody recognised and that may be a paper; the same page handed in twice is one."""
    pages = [p for p in evidence.unknown if all(f.code != BLANK for f in p.quality.findings)]
    told = {(p.sha256, p.index) for p in pages if p.sha256}
    return len(told) + sum(not p.sha256 for p in pages)


def _lacks(material: Material, evidence: Evidence) -> list[Lack]:
    if not evidence.has(material.id):
        wanted = _wanted(material, evidence)
        return [] if wanted is False else [Lack(material.id, "paper", certain=bool(wanted))]
    papers = evidence.documents[material.id]
    if material.kind == "form":
        return [lack for paper in papers for lack in _pages_lacking(paper, evidence)]
    short = [paper for paper in papers if paper.pages and len(paper.sides) < material.sides]
    return [Lack(material.id, "side") for _ in short]


def _pages_lacking(paper: Document, evidence: Evidence) -> list[Lack]:
    pages = len(evidence.matter.find_form(paper.material, _edition(paper, evidence)).page)
    there = set(paper.sides)
    for other in evidence.documents[paper.material]:  # one sheet scanned twice is no second form
        if other.pages[0].form_id is not None and other.pages[0].form_id == paper.pages[0].form_id:
            there |= other.sides
    whole = [Lack(paper.material, "page", page) for page in sorted(set(range(1, pages + 1)) - there)]
    parts = missing_sheets(paper.pages)
    return whole + [Lack(paper.material, "page", page, sheet=sheet, sheets=count) for page, sheet, count in parts]


def _edition(paper: Document, evidence: Evidence) -> str | None:
    known = {f.edition for f in evidence.matter.form if f.material == paper.material}
    return paper.edition if paper.edition in known else None


def _wanted(material: Material, evidence: Evidence) -> bool | None:
    if not material.required:
        return False
    if any(evidence.has(m.id) for m in evidence.matter.material if m.replaces == material.id):
        return False
    return evidence.holds(material.when)
