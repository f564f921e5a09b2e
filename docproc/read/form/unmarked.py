"""Read a form page whose marks are lost: by its print, otherwise as free text; a person checks every field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from docproc.domain import Field, Finding, How, Turn
from docproc.matter.model import FieldSpec, Form, Matter
from docproc.read.engine.recogniser import Image, Recogniser, TextLine
from docproc.read.form.registered import RECOGNISED, known_form, read_registered
from docproc.read.form.template import blank_pages
from docproc.read.free.classify import PageKind
from docproc.read.free.free import read_free
from docproc.read.free.two_pass import second_pass, uncertain_lines, value_lines
from docproc.scan.registration.clean import CleanPage
from docproc.scan.registration.homography import find_registration_by_print, turn_of_page
from docproc.scan.registration.quality import assess_quality

BY_PRINT = Finding("scan.marks_lost", "warn", "表格的四角标记无法识别，系统按表格的印刷内容定位，请逐项核对")
BY_WORDS = Finding(
    "scan.layout_lost", "warn", "表格的四角标记和版式无法识别，系统仅按文字识别，勾选、签名、印章等项请人工查看"
)
MAX_CONFIDENCE = 0.7
"""Upper bound of the confidence, below the review threshold (:data:`docproc.check.check.LOOK`): without marks and code
the form may be another edition, or an imitation."""


@dataclass(frozen=True, slots=True)
class Unmarked:
    """The reading of such a page."""

    how: How
    fields: dict[str, Field]
    findings: tuple[Finding, ...]
    turn: Turn | None = None
    """Of a page found by its print."""


def read_unmarked(
    image: Image, lines: Sequence[TextLine], cleaned: CleanPage, matter: Matter, kind: PageKind, recogniser: Recogniser
) -> Unmarked:
    """Read a page classified as one of our forms by its words.

    Args:
        image: original image, BGR.
        lines: all lines of the first pass, in pixels of the cleaned page.
        cleaned: the cleaned page.
        matter: the matter of the form.
        kind: form and page.
        recogniser: OCR engine.
    """
    form = known_form(matter, kind.material, kind.edition) if kind.edition else matter.find_form(kind.material)
    read = _by_print(image, matter, form, kind.page, recogniser) if form is not None else None
    if read is None:
        labels = _labels(form or matter.find_form(kind.material), kind.page)
        again = uncertain_lines(lines) & value_lines(lines, labels, cleaned.black)
        lines = second_pass(recogniser, cleaned.black, lines, again)
        read = Unmarked("free", read_free(lines, labels, kind.page, cleaned.to_original, cleaned.black), (BY_WORDS,))
    return replace(read, fields={name: _limited(item) for name, item in read.fields.items()})


def _limited(item: Field) -> Field:
    return replace(item, confidence=min(item.confidence, MAX_CONFIDENCE))


def _by_print(image: Image, matter: Matter, form: Form, page: int, recogniser: Recogniser) -> Unmarked | None:
    registration = find_registration_by_print(image, blank_pages(matter, form)[page - 1])
    if registration is None:
        return None
    quality = assess_quality(image, registration)
    if quality.verdict == "rescan":
        return None
    fields, alignment = read_registered(image, registration, matter, form, page, recogniser)
    if alignment.found < RECOGNISED:
        return None
    return Unmarked("matched", fields, (*quality.findings, BY_PRINT), turn_of_page(registration))


def _labels(form: Form, page: int) -> list[FieldSpec]:
    """The text fields of a form's page, with their printed labels as anchors."""
    names = [name for row in form.page[page - 1].rows for name in row]
    specs = [spec for spec in form.field if spec.name in names and spec.field_type.is_written]
    return [spec.model_copy(update={"anchors": (spec.label.replace("\n", ""),)}) for spec in specs]
