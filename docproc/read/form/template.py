"""Images of the blank form: the print on a page before it is filled in."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from docproc.form.layout import FormLayout, layout_of
from docproc.matter.model import Form, Matter
from docproc.read.form import kept_blanks
from docproc.scan.image.geometry import MM_PER_INCH, Image
from docproc.scan.registration.align import FormTemplate, build_template

if TYPE_CHECKING:
    import pymupdf

DPI = 200.0
"""Resolution at which forms are read: a comb cell of 7 mm is 55 px, more than the 48 px of the network's input."""
PX = DPI / MM_PER_INCH
"""Pixels per millimetre at :data:`DPI`."""
_SERIAL = "0000000000"


@lru_cache(maxsize=16)
def layout_for(matter: Matter, form: Form) -> FormLayout:
    """Return the layout of a form, cached."""
    return layout_of(matter, form)


@lru_cache(maxsize=8)
def blank_pages(matter: Matter, form: Form) -> tuple[Image, ...]:
    """Render all pages of a blank form, grey, at :data:`DPI`; the QR code belongs to no real print-out.

    Raises:
        SetupError: the fonts have not been fetched.
    """
    layout = layout_for(matter, form)
    before = kept_blanks.kept(matter, form, layout)
    if before is not None:
        return before
    import pymupdf  # these two are needed for the first page of an edition on a machine, and then never again

    from docproc.form.draw import draw_form

    size = (round(layout.page_mm[0] * PX), round(layout.page_mm[1] * PX))
    with pymupdf.open(stream=draw_form(matter, form, layout, _SERIAL), filetype="pdf") as document:
        pages = tuple(_picture(page, size) for page in document)
    kept_blanks.keep(matter, form, layout, pages)
    return pages


@lru_cache(maxsize=8)
def form_templates(matter: Matter, form: Form) -> tuple[FormTemplate, ...]:
    """Return the templates of the same pages, for alignment."""
    return tuple(build_template(blank, DPI) for blank in blank_pages(matter, form))


def _picture(page: pymupdf.Page, size: tuple[int, int]) -> Image:
    import pymupdf

    pixmap = page.get_pixmap(dpi=round(2 * DPI), colorspace=pymupdf.csGRAY)
    grey = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)[:, : pixmap.width]
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
