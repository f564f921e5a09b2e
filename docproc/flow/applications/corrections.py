"""What a value entered by hand is: the machine misread the paper, or the applicant wrote something else.

The applicant's own statements are his to correct, on the spot or by 补正 (行政许可法 第32条第1款第3、4项). An official
changes one only where the matter lets him, and the change stays visible from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from sqlalchemy.orm import Session

from docproc.canonical import JsonObject
from docproc.check.certainty import SURE, SURE_WHEN_NEAR, are_near, is_sure
from docproc.domain import CorrectionKind, Field, PageReading
from docproc.errors import ConflictError, InputError, NotFoundError
from docproc.fields import normalise_text
from docproc.flow.core.views import iso
from docproc.matter.load import find_matter
from docproc.matter.model import FieldSpec, Matter
from docproc.store.applications import pages
from docproc.store.tables.applications import ApplicationRow, CorrectionRow, PageRow
from docproc.store.tables.review import DecisionRow

GIVEN: tuple[CorrectionKind, ...] = ("misread", "changed")
"""Kinds that a person may name."""


class KindNeededError(InputError):
    """A value that was read for certain is replaced, and nobody says why."""

    code = "correction_kind"
    message_zh = "机器对这一项的识别有把握，请选择：机器读错了（纸上就是这样写的），还是与申请人所写不同"


class NotMendableError(ConflictError):
    """The matter does not let an official change what the applicant wrote there."""

    code = "not_mendable"
    message_zh = "申请人所写的内容应由申请人更正：请作出补正决定，把这一项写入告知书"


class ChangeView(TypedDict):
    """A value that an official put in place of what the applicant wrote."""

    page_id: str
    index: int
    material: str | None
    field: str
    label: str
    """Paper and field in Chinese words."""
    written: str | None
    """By the applicant, as it was read; ``None`` where it was erased by rule."""
    value: str | None
    by: str
    at: str


def kind_of(
    matter: Matter,
    reading: PageReading,
    field: str,
    edits: Sequence[CorrectionRow],
    value: str,
    given: CorrectionKind | None = None,
    *,
    remarked: bool = False,
) -> CorrectionKind:
    """The kind of a correction.

    Args:
        matter: of the application.
        reading: of the page, without corrections.
        field: that is corrected.
        edits: of this field until now, oldest first.
        value: what the person enters.
        given: the kind that the person names; ``None`` where they name none.
        remarked: the applicant says that the reading is wrong.

    Raises:
        KindNeededError: none is named, and the reading was certain.
        NotMendableError: it changes what the applicant wrote, which the matter does not let an official do.
    """
    machine = reading.fields.get(field)
    paper = written(machine, edits)
    if paper is not None and normalise_text(value) == normalise_text(paper):
        return "confirmed" if machine is not None and machine.value == paper else "misread"
    if given is None:
        if edits and edits[-1].value == value:
            return edits[-1].kind
        if not (remarked or is_doubted(machine, value)):
            raise KindNeededError(f"{field!r} was read for certain: say whether it was misread or is changed")
        return "misread"
    if given == "changed" and not is_mendable(matter, reading.material, field):
        raise NotMendableError(f"matter {matter.id} lets no official change {field!r}")
    return given


def is_doubted(machine: Field | None, value: str | None = None) -> bool:
    """Whether the machine's reading is too uncertain to hold against another one.

    Two readings that differ by about a character need more certainty, as in the rules (:mod:`docproc.check.certainty`).
    """
    if machine is None or machine.value is None:
        return True
    near = value is not None and (value in machine.alternatives or are_near(machine.value, value))
    return not is_sure(machine, least=SURE_WHEN_NEAR if near else SURE)


def written(machine: Field | None, edits: Sequence[CorrectionRow]) -> str | None:
    """What the applicant wrote, as far as it is known: the newest reading by a person, else the machine's."""
    by_person = [edit.value for edit in edits if edit.kind != "changed"]
    return by_person[-1] if by_person else machine.value if machine is not None else None


def spec_of(matter: Matter, material: str | None, field: str) -> FieldSpec | None:
    """What the matter says of a field; of a cell, what it says of its table."""
    try:
        specs = matter.fields_of(material) if material is not None else ()
    except NotFoundError:
        return None
    return next((spec for spec in specs if spec.name == field.partition(".")[0]), None)


def is_mendable(matter: Matter, material: str | None, field: str) -> bool:
    """Whether an official may change what the applicant wrote there."""
    spec = spec_of(matter, material, field)
    return spec is not None and spec.mendable


def changes(
    matter: Matter, readings: Sequence[tuple[PageRow, PageReading]], edits: Sequence[CorrectionRow]
) -> list[ChangeView]:
    """What stands in an application in place of what the applicant wrote.

    Args:
        matter: of the application.
        readings: its pages, without corrections.
        edits: the corrections on them, oldest first.
    """
    return [
        _view(matter, row.page_id, row.index, material, row.field, row.by, iso(row.at), before, row.value)
        for row, material, before in _standing(readings, edits)
    ]


def changes_of(session: Session, application: ApplicationRow) -> list[ChangeView]:
    """The same, read from the store."""
    return changes(find_matter(application.matter), *_stored(session, application.number))


def noted(session: Session, number: str) -> list[JsonObject]:
    """The same for the decision that rests on it: places and persons without values, which rules may erase."""
    return [
        {
            "correction": row.id,
            "page_id": row.page_id,
            "index": row.index,
            "material": material,
            "field": row.field,
            "by": row.by,
            "at": iso(row.at),
        }
        for row, material, _ in _standing(*_stored(session, number))
    ]


def _stored(session: Session, number: str) -> tuple[list[tuple[PageRow, PageReading]], list[CorrectionRow]]:
    """Pages without corrections, and the corrections on them; no pages are read where nobody corrected any."""
    edits = pages.corrections_of(session, number)
    return pages.readings_of(session, number, corrected=False) if edits else [], edits


def _standing(
    readings: Sequence[tuple[PageRow, PageReading]], edits: Sequence[CorrectionRow]
) -> list[tuple[CorrectionRow, str | None, str | None]]:
    """Fields whose newest correction changes what the applicant wrote, each with its material and what was written."""
    of_field: dict[tuple[str, int, str], list[CorrectionRow]] = {}
    for edit in edits:
        of_field.setdefault((edit.page_id, edit.index, edit.field), []).append(edit)
    read = {(page.id, item.index): item for page, item in readings}
    return [
        (rows[-1], read[place[:2]].material, written(read[place[:2]].fields.get(place[2]), rows))
        for place, rows in of_field.items()
        if rows[-1].kind == "changed"
    ]


def decided(session: Session, matter: Matter, decision: DecisionRow) -> list[ChangeView]:
    """What a decision rests on in place of what the applicant wrote, with the values while they are kept."""
    found = []
    for item in decision.changed:
        row = session.get(CorrectionRow, item["correction"])
        before = _written_before(session, row) if row is not None else None
        value = row.value if row is not None else None
        place = (item["page_id"], item["index"], item["material"], item["field"], item["by"], item["at"])
        found.append(_view(matter, *place, before, value))
    return found


def _written_before(session: Session, row: CorrectionRow) -> str | None:
    edits = pages.corrections_on(session, row.page_id, row.index, row.field)
    machine = pages.find_reading(session, row.page_id, row.index).fields.get(row.field)
    return written(machine, [edit for edit in edits if edit.id < row.id])


def _view(
    matter: Matter,
    page_id: str,
    index: int,
    material: str | None,
    field: str,
    by: str,
    at: str,
    before: str | None,
    value: str | None,
) -> ChangeView:
    return {
        "page_id": page_id,
        "index": index,
        "material": material,
        "field": field,
        "label": label(matter, material, field),
        "written": before,
        "value": value,
        "by": by,
        "at": at,
    }


def label(matter: Matter, material: str | None, field: str) -> str:
    """Paper and field in words; of a cell with its row and column."""
    spec = spec_of(matter, material, field)
    paper = next((item.name for item in matter.material if item.id == material), "")
    if spec is None:
        return " · ".join(part for part in (paper, field) if part)
    _, _, rest = field.partition(".")
    row, _, key = rest.partition(".")
    column = next((item.label for item in spec.columns if item.name == key), "")
    name = f"{spec.label} {row} {column}" if column else spec.label
    return f"{paper} · {name}".replace("\n", "")
