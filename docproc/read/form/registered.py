"""Read a registered form page: the layout gives the position of every box, so no text detection is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from docproc.domain import Field
from docproc.errors import NotFoundError
from docproc.form.layout import FormLayout
from docproc.matter.model import Form, Matter
from docproc.read.engine.recogniser import Image, Recogniser
from docproc.read.form.box_text import BoxCrops, crop_box, decode_boxes
from docproc.read.form.ink import FAINT_TONE, InkLayers, separate_ink_in, to_px
from docproc.read.form.template import DPI, PX, blank_pages, form_templates, layout_for
from docproc.read.form.ticks import read_options, read_presence
from docproc.read.seal.read_seal import read_seals, wants_seal, with_seals
from docproc.scan.image.geometry import grey
from docproc.scan.image.ink import estimate_background
from docproc.scan.image.resample import Window, merge_windows, page_view, resample_page, resample_window
from docproc.scan.registration.align import ALIGN_DPI, Alignment, FormTemplate, align, to_aligned_image_box
from docproc.scan.registration.homography import Registration

REACH_MM = 3.0
"""Maximum distance by which the writing, tick or ring of a box leaves it."""
BACKGROUND_DPI = 27.0
"""Resolution at which the background is estimated."""
BLANK_CONFIDENCE = 0.98
RECOGNISED = 0.5
"""Minimum share of the blank form's patches found on a page of that form; measured 0.86 and more, 0.3 on another
form."""
AHEAD = 0.15
"""Minimum lead of the best form over the second best."""
STAIN_SHARE, WRITING_PERCENTILE = 0.65, 75
"""Tone below which ink is a stain, as a share of this percentile of the tones of a page's boxes. On blurred photographs
writing has 0.8 and more; the ring of a cup is paler, and reads like a digit."""


def read_registered(
    image: Image, registration: Registration, matter: Matter, form: Form, page: int, recogniser: Recogniser
) -> tuple[dict[str, Field], Alignment]:
    """Read all fields of one page of a form.

    Args:
        image: original image, BGR.
        registration: position of the page in it.
        matter: the matter of the form.
        form: the edition named by the page's QR code.
        page: 1-based page of the form.
        recogniser: OCR engine.

    Returns:
        Fields by name, boxes in pixels of ``image``; and the alignment of the page with the blank form.
    """
    layout, blank = layout_for(matter, form), blank_pages(matter, form)[page - 1]
    alignment = align_to_form(image, registration, form_templates(matter, form)[page - 1])
    windows = _windows(layout, page)
    shift_mm = alignment.shift_mm if alignment.needs_warp else None
    flat = page_view(image, registration.homography, layout.page_mm, DPI, shift_mm)
    parts = [resample_window(flat, window) for window in windows]
    background = estimate_background(_rectified(image, registration, BACKGROUND_DPI))
    found = read_fields(separate_ink_in(parts, windows, blank, background), layout, page, recogniser)
    placed = {name: _with_box(item, layout, registration, alignment) for name, item in found.items()}
    for box in layout.on_page(page):
        if wants_seal(matter, form.material, box.name) and placed[box.name].value != "":
            seals = read_seals(image, registration, box.box, recogniser)
            placed[box.name] = with_seals(placed[box.name], seals)
    return placed, alignment


def align_to_form(image: Image, registration: Registration, template: FormTemplate) -> Alignment:
    """Align a registered page with a blank form."""
    return align(_rectified(grey(image), registration, ALIGN_DPI), template)


def read_fields(layers: InkLayers, layout: FormLayout, page: int, recogniser: Recogniser) -> dict[str, Field]:
    """Read all fields of a page after ink separation; the fields have no boxes."""
    boxes = layout.on_page(page)
    choices = [box for box in boxes if box.options]
    texts = [box for box in boxes if not box.options and not box.field_type.is_presence]
    found: dict[str, Field] = {}
    for box in choices:
        value, confidence, raw, others = read_options(layers, box)
        found[box.name] = Field(box.name, value, raw, confidence, None, page, "ocr", others)
    crops: list[BoxCrops] = []
    for box in texts:
        cropped = crop_box(layers, box)
        if cropped is None:
            found[box.name] = Field(box.name, "", "", BLANK_CONFIDENCE, None, page)
        else:
            crops.append(cropped)
    stain_tone = _stain_tone([item.tone for item in crops])
    for box in boxes:
        if box.field_type.is_presence:
            present, confidence = read_presence(layers, box, stain_tone)
            found[box.name] = Field(box.name, present, "", confidence, None, page)
    crops = [replace(item, doubtful=item.doubtful or item.tone <= stain_tone) for item in crops]
    found.update(decode_boxes(crops, page, recogniser))
    return {box.name: found[box.name] for box in boxes}


def match_form(image: Image, registration: Registration, matter: Matter) -> tuple[Form, int] | None:
    """Identify a page whose QR code is unreadable by aligning it with every blank page of the matter's forms.

    Returns:
        Edition and 1-based page, or ``None`` when no page is clearly the best.
    """
    page = _rectified(grey(image), registration, ALIGN_DPI)
    scores = [
        (align(page, template).found, form, number)
        for form in matter.form
        for number, template in enumerate(form_templates(matter, form), 1)
    ]
    ranked = sorted(scores, key=lambda score: -score[0])
    if not ranked or ranked[0][0] < RECOGNISED or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < AHEAD):
        return None
    return ranked[0][1], ranked[0][2]


def known_form(matter: Matter, material: str, edition: str) -> Form | None:
    """Return an edition of a form, ``None`` where the matter does not have it."""
    try:
        return matter.find_form(material, edition)
    except NotFoundError:
        return None


def _rectified(image: Image, registration: Registration, dpi: float) -> Image:
    """The page, rectified by its homography alone."""
    return resample_page(page_view(image, registration.homography, registration.page_mm, dpi))


def _windows(layout: FormLayout, page: int) -> list[Window]:
    """The parts of a page, in pixels, that hold its boxes and the strokes that leave them."""
    size = tuple(round(side * PX) for side in layout.page_mm)
    return merge_windows([to_px(box.box, (size[1], size[0]), REACH_MM) for box in layout.on_page(page)])


def _with_box(item: Field, layout: FormLayout, registration: Registration, alignment: Alignment) -> Field:
    box = next(field_box.box for field_box in layout.fields if field_box.name == item.name)
    return replace(item, box=to_aligned_image_box(box, registration.homography, layout.page_mm, alignment))


def _stain_tone(tones: Sequence[float]) -> float:
    """Tone up to which ink is a stain, from the tones of all boxes of a page, most of which hold writing."""
    return max(FAINT_TONE, STAIN_SHARE * float(np.percentile(tones, WRITING_PERCENTILE))) if tones else FAINT_TONE
