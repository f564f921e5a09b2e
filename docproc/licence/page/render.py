"""A licence as PDF/A-3b (ISO 19005-3): the page, its fonts, and the same facts as JSON inside.

The same licence and layout give the same bytes, wherever and whenever they are made: dates come from the licence,
the file identifier from its contents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from string import Formatter

import segno

from docproc.assets.paths import SANS, SERIF, font
from docproc.domain import Licence
from docproc.errors import InputError
from docproc.licence.page import annex, ornament
from docproc.licence.page.art import SealArt
from docproc.licence.page.canvas import PT, Canvas, number
from docproc.licence.page.document import close, embed_fonts
from docproc.licence.page.glyphs import typeface
from docproc.licence.page.layout import FieldColumn, LicenceLayout
from docproc.licence.page.pdf import PdfFile
from docproc.licence.page.record import MAX_SEALS, licence_json

INK = annex.INK
Rows = dict[FieldColumn, list[tuple[str, str]]]
"""Label and value of each row, by column."""
_SMALLEST = 6.5  # points; below, a printed value cannot be read


def render(licence: Licence, layout: LicenceLayout, across: SealArt | None = None) -> bytes:
    """Draw a licence and attach its data.

    What is too long for the page goes to annex pages where the layout has them; ``across`` is then drawn across the
    edges of all pages, as part of what is sealed.

    Raises:
        InputError: a character that no font has, or text that does not fit even when set small.
        SetupError: the fonts have not been fetched.
    """
    first = _canvas(layout)
    moved = _draw(first, licence, layout)
    canvases = [first]
    if moved and layout.annex is not None:
        pages = annex.fill_pages(first, layout.annex, moved)
        for index, lines in enumerate(pages, 2):
            canvases.append(_canvas(layout))
            place = f"第 {index} 页，共 {len(pages) + 1} 页"
            annex.draw_page(canvases[-1], licence, layout, layout.annex, lines, place)
    return _assemble(canvases, licence, layout, licence_json(licence), across if len(canvases) > 1 else None)


def _canvas(layout: LicenceLayout) -> Canvas:
    canvas = Canvas(*layout.page_mm)
    canvas.face("serif", typeface(font(SERIF)))
    canvas.face("sans", typeface(font(SANS)))
    return canvas


def chinese_date(day: date | None) -> str:
    """A date as it is printed on licences; a licence without an end is 长期."""
    return f"{day.year}年{day.month:02d}月{day.day:02d}日" if day is not None else "长期"


def _draw(canvas: Canvas, licence: Licence, layout: LicenceLayout) -> list[tuple[str, str]]:
    """Draw the first page; returns label and value of what goes to annex pages."""
    facts = {
        "title": layout.title,
        "number": licence.number,
        "holder": licence.holder,
        "authority": licence.authority,
        "issued_on": chinese_date(licence.issued_on),
        "valid_from": chinese_date(licence.valid_from),
        "valid_to": chinese_date(licence.valid_to),
        "identifier": licence.identifier,
        "verify_url": licence.verify_url,
    }
    facts |= {f"joint_{place}": "" for place in range(1, MAX_SEALS)}
    facts |= {f"joint_{place}": name for place, (name, _) in enumerate(licence.joint, 1)}
    facts |= {name: value for name, _, value in licence.fields}
    for item in layout.text:
        try:
            value = item.value.format(**facts)
        except (KeyError, IndexError, ValueError) as error:
            raise InputError(f"layout {layout.kind}: {item.value!r} names an unknown fact {error}") from error
        colour = layout.colour if item.colour == "theme" else INK
        canvas.text(item.x, item.y, value, item.size, key=item.face, colour=colour, align=item.align)
    _title(canvas, layout)
    rows, moved, share = _fitted(canvas, _rows(licence, layout, facts), licence, layout)
    for column in layout.column:
        _column(canvas, column, rows[column], share, layout)
    if licence.verify_url:
        _qr(canvas, licence.verify_url, layout)
    return moved


def _fitted(
    canvas: Canvas, rows: Rows, licence: Licence, layout: LicenceLayout
) -> tuple[Rows, list[tuple[str, str]], float]:
    """Move long fields to the annex until the others can be read: rows of the first page, moved rows, share of type."""
    labels = {name: label for name, label, _ in licence.fields} | layout.labels
    values = {name: value for name, _, value in licence.fields}
    movable = layout.annex.names if layout.annex is not None else ()
    waiting = sorted((name for name in movable if name in values), key=lambda name: -len(values[name]))
    moved: list[str] = []
    while True:
        try:
            share = min(_share(canvas, column, rows[column], layout) for column in layout.column)
        except InputError:
            if not waiting:
                raise
            share = 0.0
        size = min(column.size for column in layout.column) * share
        if layout.annex is None or not waiting or size >= layout.annex.least:
            told = [(labels[name], value) for name, _, value in licence.fields if name in moved]
            return rows, told, share
        moved.append(waiting.pop(0))
        row, replacement = (labels[moved[-1]], values[moved[-1]]), (labels[moved[-1]], annex.MORE)
        rows = {column: [replacement if item == row else item for item in found] for column, found in rows.items()}


def _title(canvas: Canvas, layout: LicenceLayout) -> None:
    width = canvas.measure(layout.title, layout.title_size, "serif") * 1.22
    left = (canvas.width - width) / 2
    # a hairline around the characters makes them as heavy as a printed title
    canvas.raw(f"q 2 Tr {number(0.16 * PT)} w {' '.join(f'{part:g}' for part in layout.colour)} RG")
    canvas.spread(left, layout.title_y, width, layout.title, layout.title_size, key="serif", colour=layout.colour)
    canvas.raw("Q")


def _rows(licence: Licence, layout: LicenceLayout, facts: dict[str, str]) -> Rows:
    """Distribute the fields over the columns; a name that the licence does not have is left out."""
    labels = {name: label for name, label, _ in licence.fields} | layout.labels
    named = {name for column in layout.column for name in column.names}
    named |= {name for item in layout.text for _, name, _, _ in Formatter().parse(item.value) if name}
    shared: Rows = {}
    for column in layout.column:
        names = list(column.names)
        if column.rest:
            names += [name for name, _, _ in licence.fields if name not in named]
        shared[column] = [(labels[name], facts[name]) for name in names if name in labels and name in facts]
    return shared


def _share(canvas: Canvas, column: FieldColumn, rows: list[tuple[str, str]], layout: LicenceLayout) -> float:
    """The scale of the type, 1 or less, at which the column fits."""
    share = 1.0
    while column.size * share > _SMALLEST:
        leading = column.leading * share
        height = sum(_height(lines, leading) for _, lines in _wrapped(canvas, column, rows, share))
        if column.y + height - leading <= column.bottom:
            return share
        share *= 0.95
    raise InputError(
        f"layout {layout.kind}: text does not fit its column even at {_SMALLEST} points",
        message_zh="证照内容过长，无法在版面内打印，请精简后重新制证",
    )


def _column(
    canvas: Canvas, column: FieldColumn, rows: list[tuple[str, str]], share: float, layout: LicenceLayout
) -> None:
    size, leading, y = column.size * share, column.leading * share, column.y
    for label, lines in _wrapped(canvas, column, rows, share):
        canvas.spread(column.x, y, column.label_width, label, size * 0.95, key="serif", colour=layout.colour)
        for index, line in enumerate(lines):
            x = column.x + column.label_width + 3
            canvas.text(x, y + index * leading * 0.72, line, size, key="serif", colour=INK)
        y += _height(lines, leading)


def _wrapped(
    canvas: Canvas, column: FieldColumn, rows: list[tuple[str, str]], share: float
) -> list[tuple[str, list[str]]]:
    room = column.width - column.label_width - 3
    return [(label, canvas.wrap(value, column.size * share, room, "serif")) for label, value in rows]


def _height(lines: list[str], leading: float) -> float:
    return leading + (len(lines) - 1) * leading * 0.72


def _qr(canvas: Canvas, url: str, layout: LicenceLayout) -> None:
    matrix = [list(row) for row in segno.make(url, error="m", micro=False).matrix]
    place = layout.qr
    canvas.squares(place.x, place.y, place.size / len(matrix), matrix)
    middle = place.x + place.size / 2
    canvas.text(middle, place.y + place.size + 4, place.caption, 7, key="sans", colour=INK, align="centre")


@lru_cache(maxsize=16)
def _decoration(layout_key: tuple[tuple[float, ...], ...]) -> bytes:
    """Border and rosette of a layout; the same for all its licences, so drawn once."""
    page, colour, light, tint = layout_key
    canvas = Canvas(page[0], page[1])
    middle_x, middle_y = page[0] / 2, page[1] / 2
    ornament.rosette(canvas, middle_x, middle_y + 4, min(page) * 0.33, 36, (tint[0], tint[1], tint[2]), 0.18)
    ornament.border(canvas, 8.0, 10.0, (colour[0], colour[1], colour[2]), (light[0], light[1], light[2]))
    return canvas.content()


def _assemble(
    canvases: list[Canvas], licence: Licence, layout: LicenceLayout, data: bytes, across: SealArt | None
) -> bytes:
    pdf = PdfFile()
    catalog, pages, first = pdf.reserve(), pdf.reserve(), pdf.reserve()
    shared = _Shared(pages, f"[0 0 {number(layout.page_mm[0] * PT)} {number(layout.page_mm[1] * PT)}]")
    fonts = embed_fonts(pdf, canvases[0])
    shared.forms["Border"] = pdf.stream(
        _decoration((layout.page_mm, layout.colour, layout.light, layout.tint)),
        f"/Type /XObject /Subtype /Form /BBox {shared.box} /Resources << >>",
        constant=True,
    )
    if across is not None:
        shared.forms["Across"] = _across(pdf, across)
    kids = [first, *(pdf.reserve() for _ in canvases[1:])]
    for index, (page, canvas) in enumerate(zip(kids, canvases, strict=True)):
        content = b"/Border Do\n" + canvas.content()
        if across is not None and layout.annex is not None:
            content += annex.slice_operators(across, index, len(kids), layout, layout.annex)
        _page(pdf, page, shared, content, fonts if index == 0 else embed_fonts(pdf, canvas))
    kinds = f"<< /Type /Pages /Kids [{' '.join(f'{page} 0 R' for page in kids)}] /Count {len(kids)} >>"
    return close(pdf, catalog, pdf.put(pages, kinds), licence, layout.title, data, canvases)


@dataclass
class _Shared:
    """What all pages have in common."""

    pages: int
    box: str
    forms: dict[str, int] = field(default_factory=dict)
    """Object numbers of form XObjects by resource name."""


def _page(pdf: PdfFile, page: int, shared: _Shared, content: bytes, fonts: dict[str, int]) -> None:
    stream = pdf.stream(content)
    named = " ".join(f"/{key} {item} 0 R" for key, item in fonts.items())
    forms = " ".join(f"/{key} {item} 0 R" for key, item in shared.forms.items())
    pdf.put(
        page,
        f"<< /Type /Page /Parent {shared.pages} 0 R /MediaBox {shared.box} /Contents {stream} 0 R "
        f"/Resources << /Font << {named} >> /XObject << {forms} >> >> >>",
    )


def _across(pdf: PdfFile, art: SealArt) -> int:
    """The whole seal as a form; each page shows its slice, multiplied with what is below as ink would be."""
    side = number(art.diameter * PT)
    blend = "/ExtGState << /Multiply << /Type /ExtGState /BM /Multiply >> >>"
    entries = f"/Type /XObject /Subtype /Form /BBox [0 0 {side} {side}] /Resources << {blend} >>"
    return pdf.stream(b"/Multiply gs\n" + art.operators, entries, constant=True)
