"""Annex pages (附页) of a licence whose text is too long for its first page, and the seal across all edges (骑缝章)."""

from __future__ import annotations

from dataclasses import dataclass

from docproc.domain import Licence
from docproc.errors import InputError
from docproc.licence.page.art import SealArt
from docproc.licence.page.canvas import PT, Canvas, Colour, number
from docproc.licence.page.layout import Annex, LicenceLayout

MORE = "详见附页"
"""Printed on the first page in place of what is moved."""
NOTE = "本附页与首页共同构成证照，各页骑缝加盖电子印章；单独使用无效。"
MAX_PAGES = 12
"""Of a licence; a slice of the seal would be narrower than 3.5 mm."""
INK: Colour = (0.12, 0.10, 0.09)


@dataclass(frozen=True)
class _AnnexLine:
    text: str
    is_label: bool
    after: float
    """Millimetres to the next baseline."""


def fill_pages(canvas: Canvas, annex: Annex, moved: list[tuple[str, str]]) -> list[list[tuple[float, str, bool]]]:
    """Flow labels and texts over pages: baseline in mm, text, and whether it is a label, for each line of each page.

    A label never stands alone at the foot of a page.

    Raises:
        InputError: more pages than a licence may have.
    """
    lines: list[_AnnexLine] = []
    for label, value in moved:
        lines.append(_AnnexLine(label, True, annex.leading * 1.15))
        wrapped = canvas.wrap(value, annex.size, annex.width, "serif")
        lines += [_AnnexLine(text, False, annex.leading) for text in wrapped]
        lines[-1] = _AnnexLine(lines[-1].text, False, annex.leading * 1.8)
    pages: list[list[tuple[float, str, bool]]] = [[]]
    y = annex.y
    for line in lines:
        needed = y + (annex.leading if line.is_label else 0)
        if needed > annex.bottom:
            pages.append([])
            y = annex.y
        pages[-1].append((y, line.text, line.is_label))
        y += line.after
    if len(pages) >= MAX_PAGES:
        raise InputError(
            f"the licence would have {len(pages) + 1} pages, at most {MAX_PAGES} can be sealed across their edges",
            message_zh=f"证照内容过长，超过{MAX_PAGES}页，请精简后重新制证",
        )
    return pages


def draw_page(
    canvas: Canvas,
    licence: Licence,
    layout: LicenceLayout,
    annex: Annex,
    lines: list[tuple[float, str, bool]],
    place: str,
) -> None:
    """Draw one annex page; ``place`` says which of how many."""
    middle = canvas.width / 2
    canvas.text(middle, annex.y - 24, f"{layout.title}（附页）", 20, key="serif", colour=layout.colour, align="centre")
    canvas.text(annex.x, annex.y - 11, f"编号：{licence.number}", 10, key="serif", colour=INK)
    right = annex.x + annex.width
    canvas.text(right, annex.y - 11, place, 10, key="serif", colour=INK, align="right")
    canvas.line([(annex.x, annex.y - 8), (right, annex.y - 8)], 0.2, layout.colour)
    for y, text, is_label in lines:
        canvas.text(annex.x, y, text, annex.size, key="serif", colour=layout.colour if is_label else INK)
    canvas.text(annex.x, annex.bottom + 7, NOTE, 8, key="sans", colour=INK)


def slice_operators(art: SealArt, page: int, pages: int, layout: LicenceLayout, annex: Annex) -> bytes:
    """Content stream that shows a page's share of the seal at its right edge; the form is the resource ``/Across``.

    Page 0 carries the leftmost of ``pages`` equal slices: fanned out to the right, the edges join to the whole seal.
    Its middle is ``annex.across_y`` mm below the top.
    """
    width, height = layout.page_mm
    share = art.diameter / pages
    left, bottom = width - share, height - annex.across_y - art.diameter / 2
    clip = f"{number(left * PT)} {number(bottom * PT)} {number(share * PT)} {number(art.diameter * PT)} re W n"
    move = f"1 0 0 1 {number((left - page * share) * PT)} {number(bottom * PT)} cm"
    return f"\nq {clip} {move} /Across Do Q".encode("ascii")
