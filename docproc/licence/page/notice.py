"""The correction notice (一次性告知书): all that an applicant must correct, listed once (行政许可法 第32条第1款第4项).

It is a record of its own kind in the shape of a licence, so it is sealed, registered and verified like one. A seal must
be registered for :data:`~docproc.licence.page.record.NOTICE` to seal it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import segno

from docproc.assets.paths import SANS, SERIF, font
from docproc.domain import Licence
from docproc.licence.page.canvas import PT, Canvas, Colour, number
from docproc.licence.page.document import close, embed_fonts
from docproc.licence.page.glyphs import typeface
from docproc.licence.page.layout import SealPlace
from docproc.licence.page.pdf import PdfFile
from docproc.licence.page.record import NOTICE, licence_json

TITLE = "一次性告知书"
PAGE_MM = (210.0, 297.0)
MISSING = "〓"
"""Stands for a character that no font has, so that none holds a notice up; the record keeps the character."""
_INK: Colour = (0.0, 0.0, 0.0)
_QUIET: Colour = (0.35, 0.35, 0.35)
_LEFT, _RIGHT, _TOP, _BOTTOM = 25.0, 185.0, 58.0, 262.0
_FIRST_BOTTOM = 210.0
"""Above the seal, which stands on the first page."""
_SIZE, _LINE = 13.0, 8.2
"""Of type in points, of a line in mm."""
_SEAL_AT = (150.0, 243.0)


@dataclass(frozen=True, slots=True)
class NoticeContent:
    """What the notice says."""

    number: str
    """Of the notice."""
    application: str
    matter: str
    """Key of the matter."""
    matter_name: str
    authority: str
    authority_code: str
    submitted_on: date
    decided_on: date
    reason: str
    """Everything to be corrected, one item a line."""
    basis: str
    address: str
    """Where the applicant follows the application."""


def notice_record(told: NoticeContent) -> Licence:
    """The record that is printed, attached and sealed."""
    fields = (
        ("matter", "事项", told.matter_name),
        ("submitted_on", "提交日期", _in_words(told.submitted_on)),
        ("reason", "需要补正的全部内容", told.reason),
        ("basis", "依据", told.basis),
        ("address", "办理进度和补交方式", told.address),
    )
    return Licence(
        number=told.number,
        kind=NOTICE,
        matter=told.matter,
        version=1,
        application=told.application,
        title=TITLE,
        holder="申请人",
        authority=told.authority,
        authority_code=told.authority_code,
        issued_on=told.decided_on,
        valid_from=told.decided_on,
        valid_to=None,
        fields=fields,
    )


def render_notice(record: Licence, seal_mm: float) -> tuple[bytes, SealPlace]:
    """Draw a notice, A4, as many pages as it needs, and say where a seal of this diameter goes.

    Raises:
        SetupError: the fonts have not been fetched.
    """
    facts = {name: _printable(value) for name, _, value in record.fields}
    pages = _flow(_page(), _paragraphs(record, facts))
    canvases = []
    for place, lines in enumerate(pages, 1):
        canvas = _page()
        head = f"编号：{record.number}　第 {place} 页，共 {len(pages)} 页"
        canvas.text(_RIGHT, 20, head, 9, key="sans", colour=_QUIET, align="right")
        if place == 1:
            canvas.text(PAGE_MM[0] / 2, 42, TITLE, 24, key="serif", colour=_INK, align="centre")
            _foot(canvas, record, facts["address"])
        for y, line in lines:
            canvas.text(_LEFT, y, line, _SIZE, key="serif", colour=_INK)
        canvases.append(canvas)
    return _assemble(canvases, record), SealPlace(*_SEAL_AT, seal_mm)


def _paragraphs(record: Licence, facts: dict[str, str]) -> list[str]:
    by = f"依据{facts['basis']}，" if facts["basis"] else ""
    return [
        f"　　您（单位）于{facts['submitted_on']}提交的“{facts['matter']}”申请（办件编号{record.application}），"
        f"经审查，申请材料不齐全或者不符合法定形式。{by}现将需要补正的全部内容一次性告知如下：",
        *(line for line in facts["reason"].splitlines() if line.strip()),
        f"　　请按以上内容补正后再次提交，只需补交有问题的部分。办理进度和补交方式见：{facts['address']}",
    ]


def _flow(canvas: Canvas, paragraphs: list[str]) -> list[list[tuple[float, str]]]:
    """Lines with their baselines, page by page."""
    pages: list[list[tuple[float, str]]] = [[]]
    y = _TOP
    for paragraph in paragraphs:
        for line in canvas.wrap(paragraph, _SIZE, _RIGHT - _LEFT, "serif"):
            if y > (_FIRST_BOTTOM if len(pages) == 1 else _BOTTOM):
                pages.append([])
                y = 40.0
            pages[-1].append((y, line))
            y += _LINE
        y += 1.5
    return pages


def _foot(canvas: Canvas, record: Licence, address: str) -> None:
    x, y = _SEAL_AT
    canvas.text(x, y - 1, record.authority, _SIZE, key="serif", colour=_INK, align="centre")
    canvas.text(x, y + 9, _in_words(record.issued_on), _SIZE, key="serif", colour=_INK, align="centre")
    matrix = [list(row) for row in segno.make(address, error="m", micro=False).matrix]
    canvas.squares(_LEFT, y - 17, 28 / len(matrix), matrix)
    canvas.text(_LEFT, y + 17, "手机扫码查看进度和补交方式", 8, key="sans", colour=_INK)
    note = f"本告知书加盖电子印章，可在 {address.rpartition('/p/')[0]}/verify 核验；打印件以电子文件为准。"
    canvas.text(_LEFT, 280, note, 8, key="sans", colour=_QUIET)


def _page() -> Canvas:
    canvas = Canvas(*PAGE_MM)
    canvas.face("serif", typeface(font(SERIF)))
    canvas.face("sans", typeface(font(SANS)))
    return canvas


def _printable(text: str) -> str:
    face = typeface(font(SERIF))
    return "".join(c if c == "\n" or face.has(c) else " " if c.isspace() else MISSING for c in text)


def _assemble(canvases: list[Canvas], record: Licence) -> bytes:
    pdf = PdfFile()
    catalog, pages = pdf.reserve(), pdf.reserve()
    box = f"[0 0 {number(PAGE_MM[0] * PT)} {number(PAGE_MM[1] * PT)}]"
    kids = []
    for canvas in canvases:
        fonts = " ".join(f"/{key} {item} 0 R" for key, item in embed_fonts(pdf, canvas).items())
        stream = pdf.stream(canvas.content())
        head = f"<< /Type /Page /Parent {pages} 0 R /MediaBox {box} /Contents {stream} 0 R"
        kids.append(pdf.add(f"{head} /Resources << /Font << {fonts} >> >> >>"))
    pdf.put(pages, f"<< /Type /Pages /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] /Count {len(kids)} >>")
    return close(pdf, catalog, pages, record, TITLE, licence_json(record), canvases)


def _in_words(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
