"""Read a form of ours whose marks are lost: laid by its print, or else by its words. Nothing on it passes unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from docproc.domain import Field, Finding, How
from docproc.matter.model import FieldSpec, Form, Matter
from docproc.read.engine.recogniser import Image, Recogniser, TextLine
from docproc.read.form.registered import RECOGNISED, known_form, read_registered
from docproc.read.form.template import blank_pages
from docproc.read.free.classify import PageKind
from docproc.read.free.free import read_free
from docproc.read.free.two_pass import second_pass, uncertain_lines, value_lines
from docproc.scan.registration.clean import CleanPage
from docproc.scan.registration.homography import register_by_print
from docproc.scan.registration.quality import assess

BY_PRINT = Finding("scan.marks_lost", "warn", "表格的四角标记无法识别，系统按表格的印刷内容定位，请逐项核对")
BY_WORDS = Finding(
    "scan.layout_lost", "warn", "表格的四角标记和版式无法识别，系统仅按文字识别，勾选、签名、印章等项请人工查看"
)
TRUST = 0.7
"""Confidence at most, below what passes unseen (:data:`docproc.check.check.LOOK`): without marks and code the form may
be of another edition, or one that somebody typed."""


@dataclass(frozen=True, slots=True)
class Unmarked:
    """What such a page says."""

    how: How
    fields: dict[str, Field]
    findings: tuple[Finding, ...]


def read_unmarked(
    image: Image, lines: Sequence[TextLine], cleaned: CleanPage, matter: Matter, kind: PageKind, recogniser: Recogniser
) -> Unmarked:
    """Read a page that its words tell to be one of our forms.

    Args:
        image: BGR picture as handed in.
        lines: all its lines as read at a first look, in pixels of the cleaned page.
        cleaned: the page straightened.
        matter: the matter of the form.
        kind: which form and page.
        recogniser: reading engine.
    """
    form = known_form(matter, kind.material, kind.edition) if kind.edition else matter.find_form(kind.material)
    read = _by_print(image, matter, form, kind.page, recogniser) if form is not None else None
    if read is None:
        labels = _labels(form or matter.find_form(kind.material), kind.page)
        again = uncertain_lines(lines) & value_lines(lines, labels, cleaned.black)
        lines = second_pass(recogniser, cleaned.black, lines, again)
        read = Unmarked("free", read_free(lines, labels, kind.page, cleaned.to_original, cleaned.black), (BY_WORDS,))
    doubted = {name: replace(item, confidence=min(item.confidence, TRUST)) for name, item in read.fields.items()}
    return replace(read, fields=doubted)


def _by_print(image: Image, matter: Matter, form: Form, page: int, recogniser: Recogniser) -> Unmarked | None:
    registration = register_by_print(image, blank_pages(matter, form)[page - 1])
    if registration is None:
        return None
    quality = assess(image, registration)
    if quality.verdict == "rescan":
        return None
    fields, refined = read_registered(image, registration, matter, form, page, recogniser)
    if refined.found < RECOGNISED:
        return None
    return Unmarked("matched", fields, (*quality.findings, BY_PRINT))


def _labels(form: Form, page: int) -> list[FieldSpec]:
    """What printed labels tell of a form's page: its open fields only."""
    names = [name for row in form.page[page - 1].rows for name in row]
    specs = [spec for spec in form.field if spec.name in names and spec.field_type.is_written]
    return [spec.model_copy(update={"anchors": (spec.label.replace("\n", ""),)}) for spec in specs]
