"""Our own forms, printed and filled by hand: text, ticks, signatures, seals and drawings."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pymupdf

from docproc.domain import Box
from docproc.form.draw import draw_form
from docproc.form.fill import Placement, placements
from docproc.form.layout import FieldBox, FormLayout, layout_of
from docproc.matter.load import find_matter
from docproc.matter.model import Form, Matter
from samples.canvas import RED, Canvas, Style, wobbly
from samples.fonts import signing_font
from samples.seal import round_seal, thumb_print

ROOMS = ("后厨加工区", "就餐区", "贮存间", "清洗消毒区", "售卖区", "更衣间")
STEPS = ("采购验收", "贮存", "粗加工", "烹饪", "备餐", "出餐")


@lru_cache(maxsize=32)
def placed(matter: str, material: str) -> tuple[Matter, Form, FormLayout]:
    """A form of the catalogue and its layout."""
    found = find_matter(matter)
    form = found.find_form(material)
    return found, form, layout_of(found, form)


def blank_pages(matter: str, material: str, form_id: str, dpi: float) -> list[Canvas]:
    """The printed form, one sheet a page, marked 样例."""
    found, form, layout = placed(matter, material)
    document = pymupdf.open(stream=draw_form(found, form, layout, form_id))
    pages = []
    for page in document:
        pixmap = page.get_pixmap(dpi=round(dpi), colorspace=pymupdf.csRGB)
        rgb = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
        sheet = Canvas(*layout.page_mm, dpi, np.ascontiguousarray(rgb[:, :, ::-1]))
        sheet.text(20.0, 20.5, "样例　仅供测试", 3.4, font="noto-sans", alpha=0.75)
        pages.append(sheet)
    return pages


def fill_form(
    matter: str,
    material: str,
    form_id: str,
    values: Mapping[str, str],
    style: Style,
    rng: random.Random,
    dpi: float,
    *,
    signers: Mapping[str, str],
    sealer: str = "",
) -> list[Canvas]:
    """Fill a form by hand.

    Args:
        matter: the matter's id.
        material: the form's material id.
        form_id: serial of the print-out.
        values: by field name; ``present`` in signature, seal and drawing fields has them signed, sealed or drawn.
        style: how the applicant writes.
        rng: source of every chance.
        dpi: resolution of the result.
        signers: name that is signed by field name; ``""`` stands for every other field.
        sealer: name on the seal.
    """
    _, _, layout = placed(matter, material)
    pages = blank_pages(matter, material, form_id, dpi)
    written = {name: value for name, value in values.items() if value}
    for ink in placements(layout, written):
        _write(pages[ink.page - 1], ink, style, rng)
    for place in layout.fields:
        if written.get(place.name):
            name = signers.get(place.name, signers[""])
            _make_mark(pages[place.page - 1], place, style, rng, name, sealer)
    return pages


def _write(canvas: Canvas, ink: Placement, style: Style, rng: random.Random) -> None:
    x0, y0, x1, y1 = ink.box
    middle = (y0 + y1) / 2 + rng.gauss(0, 0.25) * style.jitter
    if ink.kind == "tick":
        tick(canvas, ink.box, style, rng)
    elif ink.kind == "cell":
        canvas.hand(
            (x0 + x1) / 2 + rng.gauss(0, 0.25) * style.jitter, middle, ink.text, ink.size_mm, style, rng, "centre"
        )
    else:
        start = 0.8 + abs(rng.gauss(0, 0.6)) * style.jitter
        size = min(ink.size_mm, ink.size_mm * (x1 - x0 - start - 1.0) / canvas.hand_width(ink.text, ink.size_mm, style))
        canvas.hand(x0 + start, middle, ink.text, size, style, rng)


def tick(canvas: Canvas, box: Box, style: Style, rng: random.Random, kind: str | None = None) -> None:
    """Tick a box: a hook, a cross or a filled square."""
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    kind = kind or rng.choices(("hook", "cross", "filled"), (8, 2, 1))[0]
    wide = rng.uniform(0.35, 0.6)

    def at(x: float, y: float) -> tuple[float, float]:
        return (x0 + (x + rng.gauss(0, 0.05)) * w, y0 + (y + rng.gauss(0, 0.05)) * h)

    if kind == "hook":
        canvas.lines([at(0.1, 0.5), at(0.4, 0.85), at(1.1, -0.1)], wide, style.colour, style.pressure)
    elif kind == "cross":
        canvas.lines([at(0.1, 0.1), at(0.9, 0.9)], wide, style.colour, style.pressure)
        canvas.lines([at(0.9, 0.1), at(0.1, 0.9)], wide, style.colour, style.pressure)
    else:
        for step in range(5):
            y = 0.2 + step * 0.15
            canvas.lines([at(0.12, y), at(0.88, y + 0.05)], 0.7, style.colour, style.pressure)


def _make_mark(canvas: Canvas, place: FieldBox, style: Style, rng: random.Random, signer: str, sealer: str) -> None:
    x0, y0, x1, y1 = place.box
    middle = (y0 + y1) / 2
    kind = place.field_type
    if kind.kind == "drawing":
        (_plan if y1 - y0 > 70 else _flow)(canvas, place.box, style, rng)
    elif kind.ink is not None and kind.ink.stamped:
        round_seal(canvas, (x0 + x1) / 2, middle, sealer, rng, diameter=34.0, colour=RED)
    elif kind.kind == "mark":
        sign(canvas, place.box, signer, style, rng)
        if rng.random() < 0.25:
            thumb_print(canvas, min(x0 + 32, x1 - 8), middle, rng)


def sign(canvas: Canvas, box: Box, name: str, style: Style, rng: random.Random) -> None:
    """Sign: larger, slanted and run together, with a stroke under it now and then."""
    x0, y0, x1, y1 = box
    font = signing_font(style.font, rng)
    quick = Style(font, style.colour, rng.uniform(1.0, 1.2), style.slant + rng.uniform(0.05, 0.25), 1.0, style.pressure)
    size = min((y1 - y0) * 0.7, 8.0, (x1 - x0) / (len(name) + 1.2))
    width = canvas.hand(x0 + 2.5, (y0 + y1) / 2, name, size, quick, rng)
    if rng.random() < 0.4:
        y = (y0 + y1) / 2 + size * 0.5
        canvas.lines(wobbly([(x0 + 3, y), (x0 + 2 + width, y - 1.2)], rng, 0.15), 0.3, style.colour, style.pressure)


def _plan(canvas: Canvas, box: Box, style: Style, rng: random.Random) -> None:
    """A floor plan in two rows of rooms."""
    x0, y0, x1, y1 = box[0] + 8, box[1] + 8, box[2] - 8, box[3] - 8
    names = list(ROOMS)
    rng.shuffle(names)
    split = y0 + (y1 - y0) * rng.uniform(0.4, 0.6)
    for top, bottom, row in ((y0, split, names[:3]), (split, y1, names[3:])):
        cuts = [x0, x0 + (x1 - x0) * rng.uniform(0.28, 0.38), x0 + (x1 - x0) * rng.uniform(0.6, 0.72), x1]
        for left, right, name in zip(cuts, cuts[1:], row, strict=False):
            corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
            canvas.lines(wobbly(corners, rng), 0.35, style.colour, style.pressure)
            canvas.hand((left + right) / 2, (top + bottom) / 2 - 3, name, 4.2, style, rng, "centre")
            area = f"{rng.randint(5, 40)}平方米"
            canvas.hand((left + right) / 2, (top + bottom) / 2 + 4, area, 3.8, style, rng, "centre")


def _flow(canvas: Canvas, box: Box, style: Style, rng: random.Random) -> None:
    """Steps of work joined by arrows, in two rows."""
    x0, y0, x1, y1 = box
    for index, step in enumerate(STEPS):
        column, row = index % 3, index // 3
        x = x0 + (x1 - x0) * (column + 0.5) / 3
        y = y0 + (y1 - y0) * (0.28 + 0.45 * row)
        canvas.lines(
            wobbly([(x - 12, y - 5), (x + 12, y - 5), (x + 12, y + 5), (x - 12, y + 5), (x - 12, y - 5)], rng),
            0.3,
            style.colour,
        )
        canvas.hand(x, y, step, 4.2, style, rng, "centre")
        if column < 2:
            end = x + (x1 - x0) / 3 - 13
            canvas.lines(wobbly([(x + 13, y), (end, y)], rng), 0.3, style.colour)
            canvas.lines([(end - 2, y - 1.4), (end, y), (end - 2, y + 1.4)], 0.3, style.colour)
