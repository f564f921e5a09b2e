"""The reading pipeline: from the bytes of an upload to the fields of each page."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache

import cv2
import numpy as np

from docproc.domain import Field, Finding, PageReading, Quality, Said, Seal
from docproc.form.sheets import continued
from docproc.matter.model import Matter
from docproc.read.cross_field import cross_check
from docproc.read.engine.detection import DetectionOptions
from docproc.read.engine.openvino import OpenVinoRecogniser
from docproc.read.engine.recogniser import Image, Recogniser
from docproc.read.form.registered import RECOGNISED, known_form, match_form, read_registered
from docproc.read.form.template import layout_for
from docproc.read.form.unmarked import read_unmarked
from docproc.read.free.classify import classify
from docproc.read.free.free import read_free
from docproc.read.free.two_pass import first_pass, second_pass, uncertain_lines, value_lines
from docproc.read.free.unread import with_unread_fields
from docproc.read.qr_check import check_qr_codes
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.qr import read_qr_codes
from docproc.scan.files.split import PageImage
from docproc.scan.files.split_limited import prepare, split_shared
from docproc.scan.registration.clean import Orientation, clean_page, turn_of_sheet
from docproc.scan.registration.homography import Registration, find_registration, turn_of_page
from docproc.scan.registration.quality import assess_quality, assess_unreadable

log = logging.getLogger(__name__)

OTHER_MATTER = Finding("form.other_matter", "fix", "该页属于其他事项的表格，请换用本事项的表格填写后重新提交")


def read_file(
    data: bytes,
    name: str,
    matter: Matter,
    *,
    material: str | None = None,
    said: Mapping[int, Said] | None = None,
    today: date,
    recogniser: Recogniser | None = None,
    limits: UploadLimits | None = None,
) -> tuple[PageReading, ...]:
    """Read every page of an uploaded file, or those that a person named.

    Args:
        data: the file.
        name: its name, for the result only; the bytes decide its kind.
        matter: the matter it was submitted for.
        material: the material declared by the citizen; a form's own code takes precedence.
        said: what a person says of single pages, by their index; then only these are read, each as what it is said
            to be. Only a form's own code takes precedence.
        today: reference day for dates.
        recogniser: OCR engine; the process's own where ``None``.
        limits: of the upload.

    Raises:
        UnknownMaterialError: the matter has no such material.
        UnsupportedFileError: unsupported kind of file, or damaged.
        LimitError: over a limit.
        SetupError: weights or fonts have not been fetched.
    """
    return tuple(
        each_page_read(
            data, name, matter, material=material, said=said, today=today, recogniser=recogniser, limits=limits
        )
    )


def each_page_read(
    data: bytes,
    name: str,
    matter: Matter,
    *,
    material: str | None = None,
    said: Mapping[int, Said] | None = None,
    today: date,
    recogniser: Recogniser | None = None,
    limits: UploadLimits | None = None,
) -> Iterator[PageReading]:
    """As :func:`read_file`, each page as soon as it is read."""
    if material is not None:
        matter.check_material(material)
    reader = recogniser or page_engine()
    digest = hashlib.sha256(data).hexdigest()
    for page in split_shared(data, limits):
        named = said.get(page.index) if said is not None else None
        if said is None:
            reading = read_page(page, name, matter, material, today, reader)
        elif named is not None:
            reading = read_page(page, name, matter, named.material, today, reader, side=named.page)
        else:
            continue
        yield replace(reading, sha256=digest)


def page_engine(threads: int = 0) -> OpenVinoRecogniser:
    """Return this process's engine for whole pages; whoever asks while it is loaded waits.

    The detector's input has 1280 pixels: on 56 photographed licences 0.87 of the fields are exact then, 0.85 at 960
    pixels, for 3 % more time.

    Args:
        threads: CPU threads; 0 leaves the number to OpenVINO, one for each core. One thread costs the least in total,
            since waiting threads spin; the service runs many reading processes.
    """
    with _LOADING:
        return _loaded(threads)


@cache
def _loaded(threads: int) -> OpenVinoRecogniser:
    return OpenVinoRecogniser(threads=threads, detection=DetectionOptions(side=1280))


_LOADING = threading.Lock()


def warm_up(threads: int = 0) -> None:
    """Load what the first page would have to wait for: the parser's helper, the networks, their usual shapes.

    Raises:
        SetupError: weights have not been fetched.
    """
    prepare()
    reader = page_engine(threads)
    blank = np.full((1754, 1240, 3), 255, np.uint8)
    for row in range(2, 20):
        cv2.putText(blank, "docproc 0123456789 " * 2, (80, 80 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 2)
    lines = reader.read_lines(blank)
    reader.quick([blank[:48, : 64 + 32 * step] for step in range(8)])
    reader.orientation(blank)
    log.info("warmed up on %d lines", len(lines))


def read_page(
    page: PageImage,
    name: str,
    matter: Matter,
    material: str | None,
    today: date,
    recogniser: Recogniser,
    *,
    side: int | None = None,
) -> PageReading:
    """Read one page; see :func:`read_file`. ``side``: the page of the material, where a person said it."""
    start = time.process_time()
    reading = _read(page, name, matter, material, side, today, recogniser)
    return replace(reading, cpu_seconds=round(time.process_time() - start, 4))


def _read(
    page: PageImage,
    name: str,
    matter: Matter,
    material: str | None,
    side: int | None,
    today: date,
    recogniser: Recogniser,
) -> PageReading:
    image = page.image
    registration = find_registration(image)
    if registration is not None:
        quality = assess_quality(image, registration)
        empty = PageReading(name, page.index, None, "registered", quality, turn=turn_of_page(registration))
        found = _registered(empty, image, registration, matter, today, recogniser)
        if found is not None and (side is None or found.form_id or (found.material, found.page) == (material, side)):
            return found
    declared = PageReading(name, page.index, material, "free", Quality("good"), page=side or 1)
    return _free(replace(declared, claimed=material is not None), image, matter, side, today, recogniser)


def _registered(
    reading: PageReading, image: Image, registration: Registration, matter: Matter, today: date, recogniser: Recogniser
) -> PageReading | None:
    """Read a page by its marks; ``None`` when that fails and the page must be read as free text."""
    code = registration.code
    if code is not None and code.matter != matter.id:
        quality = Quality("rescan", (*reading.quality.findings, OTHER_MATTER))
        return replace(reading, quality=quality, edition=code.edition, form_id=code.form_id)
    if code is not None:
        reading = replace(reading, material=code.material, page=code.page, edition=code.edition, form_id=code.form_id)
        reading = replace(reading, sheet=code.sheet, sheets=code.sheets)
        form = known_form(matter, code.material, code.edition)
        page = code.page
    else:
        form, page = match_form(image, registration, matter) or (None, 1)
    if form is None or page > len(form.page):
        return None
    reading = replace(reading, material=form.material, page=page, edition=form.edition)
    if reading.quality.verdict == "rescan":
        return reading
    fields, alignment = read_registered(image, registration, matter, form, page, recogniser)
    if alignment.found < RECOGNISED:
        return None
    fields = continued(layout_for(matter, form), page, reading.sheet, cross_check(fields, today))
    return replace(reading, fields=fields)


def _free(
    reading: PageReading, image: Image, matter: Matter, side: int | None, today: date, recogniser: Recogniser
) -> PageReading:
    """Read a page by its words; a declared material that they do not bear out stays a claim."""
    cleaned = clean_page(image, _orientation(recogniser))
    quality = assess_quality(image, None, cleaned)
    reading = replace(reading, quality=quality, turn=turn_of_sheet(cleaned))
    if any(finding.code == "scan.blank" for finding in quality.findings):
        return reading
    black = cleaned.black
    lines = first_pass(recogniser, black, cleaned.letter_px)
    kind = classify([line.text for line in lines], matter, reading.material, side)
    if kind is None and (again := uncertain_lines(lines)):
        lines = second_pass(recogniser, black, lines, again)
        kind = classify([line.text for line in lines], matter, reading.material, side)
    if kind is None:
        quality = assess_unreadable(image, quality)
        return with_unread_fields(replace(reading, quality=quality), matter)
    claimed = kind.claimed
    reading = replace(reading, material=kind.material, page=kind.page, edition=kind.edition, claimed=claimed)
    if quality.verdict == "rescan":
        return reading
    if matter.find_material(kind.material).kind == "form":
        found = read_unmarked(image, lines, cleaned, matter, kind, recogniser)
        quality = replace(quality, findings=_once(*quality.findings, *found.findings))
        turn = found.turn if found.turn is not None else reading.turn
        return replace(reading, how=found.how, quality=quality, fields=cross_check(found.fields, today), turn=turn)
    specs = [spec for spec in matter.fields_of(kind.material) if spec.page == kind.page]
    lines = second_pass(recogniser, black, lines, uncertain_lines(lines) & value_lines(lines, specs, black))
    fields = cross_check(read_free(lines, specs, kind.page, cleaned.to_original, black), today)
    fields, differing = check_qr_codes(fields, specs, read_qr_codes(image), today)
    warned = Quality(quality.verdict, (*quality.findings, *differing))
    return replace(reading, fields=fields, quality=warned)


def _once(*findings: Finding) -> tuple[Finding, ...]:
    return tuple({item.code: item for item in findings}.values())


def _orientation(recogniser: Recogniser) -> Orientation:
    return (recogniser if isinstance(recogniser, OpenVinoRecogniser) else page_engine()).orientation


def reading_json(reading: PageReading) -> dict[str, object]:
    """Return one page as ``docproc read --json`` prints it."""
    return {
        "file": reading.file,
        "index": reading.index,
        "material": reading.material,
        "page": reading.page,
        "edition": reading.edition,
        "form_id": reading.form_id,
        "sheet": reading.sheet,
        "sheets": reading.sheets,
        "how": reading.how,
        "turn": reading.turn,
        "claimed": reading.claimed,
        "quality": {
            "verdict": reading.quality.verdict,
            "findings": [finding_json(item) for item in reading.quality.findings],
        },
        "fields": {key: field_json(item) for key, item in reading.fields.items()},
        "cpu_seconds": reading.cpu_seconds,
    }


def field_json(item: Field) -> dict[str, object]:
    """Return one field; ``box`` in pixels of the original page."""
    return {
        "value": item.value,
        "raw": item.raw,
        "confidence": round(item.confidence, 4),
        "box": [round(v, 1) for v in item.box] if item.box else None,
        "page": item.page,
        "source": item.source,
        "alternatives": list(item.alternatives),
        **({"seals": [_seal_json(seal) for seal in item.seals]} if item.seals is not None else {}),
    }


def _seal_json(seal: Seal) -> dict[str, object]:
    box = [round(v, 1) for v in seal.box]
    return {"text": seal.text, "confidence": seal.confidence, "box": box, "shape": seal.shape}


def finding_json(item: Finding) -> dict[str, object]:
    """Return one finding as every command prints it."""
    return {
        "code": item.code,
        "severity": item.severity,
        "material": item.material,
        "field": item.field,
        "message": item.message,
        "basis": item.basis,
        "look": item.look,
    }
