"""All readings of an application, arranged so that rules can look up ``material.field``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from docproc.check.certainty import differ
from docproc.check.sheets import Loose, loose_sheets
from docproc.domain import Field, PageReading
from docproc.fields import normalise_text
from docproc.matter.base import Condition
from docproc.matter.model import FieldSpec, Matter


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a material: the pages that belong together."""

    material: str
    pages: tuple[PageReading, ...]
    fields: dict[str, Field]
    edition: str | None = None

    @property
    def sides(self) -> frozenset[int]:
        """Pages of the material that are present, 1-based."""
        return frozenset(p.page for p in self.pages)

    @property
    def claimed(self) -> bool:
        """Whether a page of it is only what a person said, and was not recognised."""
        return any(p.claimed for p in self.pages)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The content of all documents of an application."""

    matter: Matter
    documents: dict[str, tuple[Document, ...]]
    unknown: tuple[PageReading, ...] = ()
    """Pages that neither the reader nor a person could name."""
    specs: dict[str, dict[str, FieldSpec]] = field(default_factory=dict)
    again: tuple[PageReading, ...] = ()
    """Pages that were handed in before; they belong to no document."""
    loose: tuple[Loose, ...] = ()
    """Sheets of forms that cannot be placed among the others; they belong to no document."""

    def get(self, reference: str) -> Field | None:
        """The field of the first document of the material, or ``None`` without such a document or field."""
        material, _, name = reference.partition(".")
        for document in self.documents.get(material, ()):
            found = document.fields.get(name)
            if found is not None:
                return found
        return None

    def has(self, material: str) -> bool:
        """Whether at least one page of the material is present."""
        return bool(self.documents.get(material))

    def has_table(self, table: str) -> bool:
        """Whether the page with the table (``material.table``) is present."""
        material, _, name = table.partition(".")
        return any(key.startswith(f"{name}.") for d in self.documents.get(material, ()) for key in d.fields)

    def rows(self, table: str) -> list[dict[str, Field]]:
        """Rows of a table (``material.table``) in which anything is written, by column name; document by document."""
        material, _, name = table.partition(".")
        return [row for document in self.documents.get(material, ()) for row in _rows(document, name)]

    def holds(self, condition: Condition | None) -> bool | None:
        """Whether a condition holds; ``None`` when the field could not be read."""
        if condition is None:
            return True
        item = self.get(condition.field)
        if item is None:
            return False
        if item.value is None:
            return None
        return _holds(condition, item.value)

    def label(self, material: str, name: str) -> str:
        """The label of the field on the document, for example ``从业人员第2行姓名``."""
        parts = name.split(".")
        spec = self.specs.get(material, {}).get(parts[0])
        if spec is None:
            return name
        text = spec.label.replace("\n", "")
        if len(parts) == 3:
            column = next((c.label for c in spec.columns if c.name == parts[2]), parts[2])
            return f"{text}第{parts[1]}行{column}"
        return text


def _rows(document: Document, table: str) -> list[dict[str, Field]]:
    rows: dict[int, dict[str, Field]] = {}
    for key, item in document.fields.items():
        parts = key.split(".")
        if len(parts) == 3 and parts[0] == table:
            rows.setdefault(int(parts[1]), {})[parts[2]] = item
    return [rows[n] for n in sorted(rows) if any(f.value != "" for f in rows[n].values())]


def _holds(condition: Condition, value: str) -> bool:
    ticked = value.split(",") if value else []
    if condition.blank is not None and (value == "") != condition.blank:
        return False
    if condition.includes is not None and condition.includes not in ticked:
        return False
    if condition.equals is not None and value != condition.equals:
        return False
    return not condition.any_of or any(word in ticked or word in value for word in condition.any_of)


def gather(matter: Matter, readings: Sequence[PageReading]) -> Evidence:
    """Group page readings into documents.

    Pages and sheets of one printed form belong together by its serial number; of a two-sided
    document, a front is joined with the next back that has no front yet. A page that
    was handed in before stands apart.
    """
    documents: dict[str, list[Document]] = {}
    unknown, again = [], []
    loose = loose_sheets(matter, readings)
    for reading in readings:
        if any(reading is item.page for item in loose):
            continue
        if reading.material is None:
            if not reading.claimed:
                unknown.append(reading)
            continue
        papers = documents.setdefault(reading.material, [])
        if any(_same_bytes(page, reading) for paper in papers for page in paper.pages):
            again.append(reading)
        elif (index := _belongs(papers, reading)) is not None:
            papers[index] = _with_page(papers[index], reading)
        elif any(_same_page(matter, page, reading) for paper in papers for page in paper.pages):
            again.append(reading)
        else:
            papers.append(Document(reading.material, (reading,), dict(reading.fields), reading.edition))
    found = {key: tuple(value) for key, value in documents.items()}
    return Evidence(matter, found, tuple(unknown), dict(_specs(matter, documents)), tuple(again), loose)


def same_values(specs: Mapping[str, FieldSpec], left: Mapping[str, Field], right: Mapping[str, Field]) -> bool:
    """Whether two papers of a kind, or two pages, say the same: nothing differs, and all that must be there agrees."""
    known = [name for name in {**left, **right} if _said(left, name) or _said(right, name)]
    keys = [name for name in known if name in specs and specs[name].required] or known
    agree = all(_said(left, name) and _said(left, name) == _said(right, name) for name in keys)
    return bool(keys) and agree and not any(differ(left.get(name), right.get(name)) is not False for name in known)


def _said(fields: Mapping[str, Field], name: str) -> str:
    item = fields.get(name)
    return normalise_text(item.value) if item is not None and item.value else ""


def _same_bytes(page: PageReading, other: PageReading) -> bool:
    return bool(page.sha256) and (page.sha256, page.index) == (other.sha256, other.index)


def _same_page(matter: Matter, page: PageReading, other: PageReading) -> bool:
    """Whether a page is the same side of the same paper, by what it says."""
    if (page.page, page.sheet) != (other.page, other.sheet) or page.form_id != other.form_id or page.material is None:
        return False
    return same_values(_by_name(matter, page.material, page.edition), page.fields, other.fields)


def _with_page(paper: Document, page: PageReading) -> Document:
    """Sheets in their order, whatever that of their scans; of what several bear, what is filled in first counts."""
    pages = tuple(sorted((*paper.pages, page), key=lambda item: (item.page, item.sheet)))
    fields: dict[str, Field] = {}
    for one in pages:
        fields |= {name: item for name, item in one.fields.items() if name not in fields or fields[name].value == ""}
    return Document(paper.material, pages, fields, paper.edition or page.edition)


def _belongs(papers: list[Document], reading: PageReading) -> int | None:
    for index, paper in enumerate(papers):
        same_form = reading.form_id is None or paper.pages[0].form_id in (None, reading.form_id)
        there = {(page.page, page.sheet) for page in paper.pages}
        if (reading.page, reading.sheet) not in there and same_form:
            return index
    return None


def _specs(matter: Matter, documents: dict[str, list[Document]]) -> Iterator[tuple[str, dict[str, FieldSpec]]]:
    for material in matter.material:
        papers = documents.get(material.id)
        yield material.id, _by_name(matter, material.id, papers[0].edition if papers else None)


def _by_name(matter: Matter, material: str, edition: str | None) -> dict[str, FieldSpec]:
    known = {f.edition for f in matter.form if f.material == material}
    return {spec.name: spec for spec in matter.fields_of(material, edition if edition in known else None)}
