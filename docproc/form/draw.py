"""The printable form: a government table with comb cells, tick boxes, corner marks and a QR code, as a PDF.

All positions come from :mod:`docproc.form.layout`, as in the reading program. The same input gives the same bytes.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from itertools import groupby

from docproc.assets import paths
from docproc.domain import Box
from docproc.errors import InputError
from docproc.form.fill import Placement, placements, wrap
from docproc.form.layout import (
    HEADER_MM,
    OPTION_FONT_MM,
    PAD_MM,
    TABLE_LEFT,
    TABLE_RIGHT,
    TABLE_ROW_MM,
    FieldBox,
    FormLayout,
)
from docproc.form.pen import Faces, PdfCanvas
from docproc.form.sheets import Sheet, plan, values_on
from docproc.form.symbols import mark_boxes, qr_boxes
from docproc.marks import FormCode, parse_code, qr_box
from docproc.matter.model import Form, Matter

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
THICK, THIN, HAIR = 0.5, 0.2, 0.15
"""Widths of ruled lines in mm: around the table, between its cells, around comb cells."""
COMB_GREY = 0.35
HINT_GREY = 0.45
LABEL_SIZE = 3.9
NOTE_SIZE = 3.2
TITLE_SIZE = 7.4
REQUIRED_NOTE = "带 * 的栏目必须填写"
PAGE_WORDS = "第页，共版年月日编号"
SHEET_WORDS = "（本张）"


def new_form_id() -> str:
    """Return a serial for a print-out: ten random characters of Crockford's base 32 (50 bits)."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(10))


def default_faces() -> Faces:
    """Return the fetched fonts.

    Raises:
        SetupError: they have not been fetched.
    """
    return Faces(paths.font(paths.SERIF), paths.font(paths.SANS))


def draw_form(
    matter: Matter,
    form: Form,
    layout: FormLayout,
    form_id: str,
    values: Mapping[str, str] | None = None,
    *,
    sheets: int = 1,
    faces: Faces | None = None,
) -> bytes:
    """Draw a form as PDF, blank or filled in; a page with tables on as many sheets as its rows need.

    Args:
        matter: the matter of the form.
        form: the edition to draw.
        layout: its layout, by ``layout_of(matter, form)``.
        form_id: serial of this print-out, by :func:`new_form_id`.
        values: by field name: choices as option keys joined by ``,``, dates as ISO days.
        sheets: sheets of every page with a table, at least.
        faces: fonts to use; the fetched ones where ``None``.

    Raises:
        InputError: a value has no field or does not fit, or the serial is malformed.
        SetupError: the fonts have not been fetched.
    """
    given = values or {}
    papers = plan(layout, sheets, given)
    inks = {paper: placements(layout, values_on(layout, paper, given)) for paper in papers}
    codes = {paper: _code(matter, form, paper, form_id) for paper in papers}
    texts = _texts(form, layout, [ink for found in inks.values() for ink in found], [*codes.values()])
    canvas = PdfCanvas(faces or default_faces(), texts + (SHEET_WORDS if len(papers) > layout.pages else ""))
    for paper, code in codes.items():
        canvas.new_page(layout.page_mm)
        _head(canvas, form, layout, paper, form_id)
        canvas.blocks(mark_boxes(layout.page_mm))
        canvas.blocks(qr_boxes(layout.page_mm, code))
        bottom = _body(canvas, layout, paper.page)
        _notes(canvas, form, paper.page, bottom, layout)
        for ink in inks[paper]:
            if ink.page == paper.page:
                _ink(canvas, ink)
    return canvas.to_bytes(form.title, f"{matter.id} {form.material} {form.edition} {form_id}")


def _code(matter: Matter, form: Form, paper: Sheet, form_id: str) -> str:
    code = FormCode(matter.id, form.edition, form.material, paper.page, form_id, paper.number, paper.count).text()
    parse_code(code)
    return code


def _texts(form: Form, layout: FormLayout, inks: list[Placement], codes: list[str]) -> str:
    parts = [form.title, REQUIRED_NOTE, PAGE_WORDS, "　", *codes]
    parts += [text for page in form.page for text in (page.heading, *page.notes)]
    parts += [p.label + p.unit + "".join(o.label for o in p.options) for p in layout.fields]
    parts += [caption.text for caption in layout.captions]
    parts += [ink.text for ink in inks]
    return "".join(parts)


def _head(canvas: PdfCanvas, form: Form, layout: FormLayout, paper: Sheet, form_id: str) -> None:
    middle = layout.page_mm[0] / 2
    size = TITLE_SIZE
    while canvas.width(form.title, size) > 124:
        size *= 0.97
    canvas.text(middle, 30.5, form.title, size, align="centre", bold=True)
    canvas.text(20.0, 14.5, f"{form.edition} 版", 2.8, grey=HINT_GREY)
    x0, _, x1, y1 = qr_box(layout.page_mm)
    canvas.text((x0 + x1) / 2, y1 + 3.6, form_id, 2.3, align="centre", grey=HINT_GREY)
    heading = form.page[paper.page - 1].heading
    if heading:
        canvas.text(TABLE_LEFT, 41.8, heading, 4.2, face="sans")
    foot = layout.page_mm[1] - 12.5
    place = f"第 {paper.page} 页，共 {layout.pages} 页"
    if paper.count > 1:
        place += f"（本页第 {paper.number} 张，共 {paper.count} 张）"
    canvas.text(middle, foot, place, 3.0, align="centre")


def _body(canvas: PdfCanvas, layout: FormLayout, number: int) -> float:
    """Draw the table of a page and return its lower edge in mm."""
    places = [p for p in layout.on_page(number) if p.label_box is not None]
    bottom = 0.0
    top = min([p.label_box[1] for p in places if p.label_box] + [c.box[1] for c in layout.captions if c.page == number])
    for _, group in groupby(places, key=lambda p: p.label_box[1] if p.label_box else 0.0):
        bottom = max(bottom, _row(canvas, list(group)))
    for caption in layout.captions:
        if caption.page == number:
            bottom = max(bottom, caption.box[3])
    _tables(canvas, layout, number)
    for place in layout.on_page(number):
        _value_cell(canvas, place)
    canvas.frame((TABLE_LEFT, top, TABLE_RIGHT, bottom), THICK)
    return bottom


def _row(canvas: PdfCanvas, row: list[FieldBox]) -> float:
    y1 = 0.0
    for index, place in enumerate(row):
        assert place.label_box is not None
        x0, y0, x1, y1 = place.label_box
        following = row[index + 1].label_box if index + 1 < len(row) else None
        right = following[0] if following else TABLE_RIGHT
        canvas.frame((x0, y0, right, y1), THIN)
        canvas.line((x1, y0), (x1, y1), THIN)
        _label(canvas, place, place.label_box)
        if place.unit:
            size = min(LABEL_SIZE, (right - place.box[2] - 2.0) / len(place.unit))
            canvas.text((place.box[2] + right - PAD_MM) / 2, (y0 + y1) / 2, place.unit, size, align="centre")
    return y1


def _label(canvas: PdfCanvas, place: FieldBox, box: Box) -> None:
    lines = _label_lines(canvas, place.label, box[2] - box[0] - 3.4)
    step = LABEL_SIZE * 1.25
    middle, first = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2 - (len(lines) - 1) * step / 2
    for index, line in enumerate(lines):
        canvas.text(middle, first + index * step, line, LABEL_SIZE, align="centre")
    if place.required:
        widest = max(canvas.width(line, LABEL_SIZE) for line in lines)
        canvas.text(middle - widest / 2 - 0.4, first + 0.3, "*", LABEL_SIZE, align="right", red=True)


def _label_lines(canvas: PdfCanvas, label: str, width: float) -> list[str]:
    """Break at the label's own breaks, else into equal parts; two characters are letter-spaced, as is usual."""
    if "\n" in label:
        return label.split("\n")
    if len(label) == 2:
        return [f"{label[0]}　　{label[1]}"] if canvas.width("　" * 4, LABEL_SIZE) <= width else [label]
    if canvas.width(label, LABEL_SIZE) <= width:
        return [label]
    parts = -(-len(label) // int(width / LABEL_SIZE))
    length = -(-len(label) // parts)
    return [label[i : i + length] for i in range(0, len(label), length)]


def _tables(canvas: PdfCanvas, layout: FormLayout, number: int) -> None:
    name_box: Box | None = None
    for caption in layout.captions:
        if caption.page != number:
            continue
        x0, y0, x1, y1 = caption.box
        if x0 == TABLE_LEFT:
            name_box = caption.box
            _upright(canvas, caption.text, caption.box)
            canvas.frame((x0, y0, TABLE_RIGHT, y1), THIN)
            rows = round((y1 - y0 - HEADER_MM) / TABLE_ROW_MM)
            for row in range(rows):
                y = y0 + HEADER_MM + row * TABLE_ROW_MM
                canvas.line((x1, y), (TABLE_RIGHT, y), THIN)
        elif name_box is not None:
            canvas.line((x0, y0), (x0, name_box[3]), THIN)
            canvas.text((x0 + x1) / 2, (y0 + y1) / 2, caption.text, LABEL_SIZE - 0.3, align="centre")


def _upright(canvas: PdfCanvas, text: str, box: Box) -> None:
    """Draw vertical text, in two columns where one would be too small."""
    height = box[3] - box[1] - 3.0
    columns = 1 if len(text) * LABEL_SIZE <= height * 1.1 else 2
    length = -(-len(text) // columns)
    size = min(LABEL_SIZE, height / length)
    for index in range(columns):
        part = text[index * length : (index + 1) * length]
        x = (box[0] + box[2]) / 2 + (index - (columns - 1) / 2) * size * 1.25
        first = (box[1] + box[3]) / 2 - (len(part) - 1) * size * 1.08 / 2
        for place, character in enumerate(part):
            canvas.text(x, first + place * size * 1.08, character, size, align="centre")


def _value_cell(canvas: PdfCanvas, place: FieldBox) -> None:
    if place.cells is not None:
        canvas.frame(place.box, HAIR, COMB_GREY)
        for box in place.cell_boxes()[1:]:
            canvas.line((box[0], box[1]), (box[0], box[3]), HAIR, COMB_GREY)
        _comb_hints(canvas, place)
    for option in place.options:
        canvas.frame(option.box, THIN)
        middle = (option.box[1] + option.box[3]) / 2
        canvas.text(option.box[2] + PAD_MM, middle, option.label, OPTION_FONT_MM)


def _comb_hints(canvas: PdfCanvas, place: FieldBox) -> None:
    """Print the type's hints (year, month and day) on the comb's upper line, outside the digits."""
    boxes, printed = place.cell_boxes(), place.field_type.printed
    for word, cell in printed.hints:
        x, y = boxes[cell][0], boxes[cell][1]
        canvas.clear((x - 1.3, y - 0.2, x + 1.3, y + 0.9))
        canvas.text(x, y + 0.1, word, 1.9, align="centre", grey=HINT_GREY)
    for cell in printed.joints:
        canvas.line((boxes[cell][0], boxes[cell][1]), (boxes[cell][0], boxes[cell][3]), 3 * HAIR, COMB_GREY)


def _notes(canvas: PdfCanvas, form: Form, number: int, bottom: float, layout: FormLayout) -> None:
    y = bottom + 4.0
    notes = list(form.page[number - 1].notes)
    if any(place.required for place in layout.on_page(number)):
        notes.append(REQUIRED_NOTE)
    for note in notes:
        for line in wrap(note, (TABLE_RIGHT - TABLE_LEFT - 2) / NOTE_SIZE):
            canvas.text(TABLE_LEFT + 1, y, line, NOTE_SIZE)
            y += NOTE_SIZE * 1.4
    if y > layout.page_mm[1] - 16:
        raise InputError(f"{layout.material}: the notes of page {number} do not fit; shorten them")


def _ink(canvas: PdfCanvas, ink: Placement) -> None:
    x0, y0, x1, y1 = ink.box
    middle = (y0 + y1) / 2
    if ink.kind == "tick":
        w, h = x1 - x0, y1 - y0
        points = [(x0 + 0.15 * w, y0 + 0.5 * h), (x0 + 0.42 * w, y0 + 0.82 * h), (x0 + 0.95 * w, y0 + 0.05 * h)]
        canvas.strokes(points, 0.45)
    elif ink.kind == "cell":
        canvas.text((x0 + x1) / 2, middle, ink.text, ink.size_mm, align="centre")
    else:
        canvas.text(x0 + 0.6, middle, ink.text, ink.size_mm)
