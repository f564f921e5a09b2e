"""Ten kinds of edit on each level, shadow attacks, pictures of seals, ended terms: the exact verdict on each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pymupdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from docproc.domain import Licence
from docproc.licence.layout import load_layout
from docproc.licence.render import render
from docproc.licence.responder import DevPki
from docproc.licence.seal import LEVELS, Level
from docproc.licence.trust import TrustList
from docproc.licence.verify import verify
from tests.licence.test_attacks import (
    Book,
    add_script,
    annotate,
    append,
    change_metadata,
    edited,
    move_seal,
    redraw_seal,
    replace_attachment,
)

Make = Callable[..., bytes]
_MADE: dict[str, bytes] = {}


def now() -> datetime:
    return datetime.now(UTC)


def sealed_at(level: Level, pki: DevPki, make_sealed: Make) -> bytes:
    if level not in _MADE:
        _MADE[level] = make_sealed(pki, level)
    return _MADE[level]


def attach(writer: IncrementalPdfFileWriter) -> None:
    stream = writer.add_object(generic.StreamObject(stream_data=b"another"))
    spec = {
        pdf_name("/F"): generic.pdf_string("x"),
        pdf_name("/EF"): generic.DictionaryObject({pdf_name("/F"): stream}),
    }
    writer.root["/AF"].append(writer.add_object(generic.DictionaryObject(spec)))
    writer.update_container(writer.root["/AF"])


def empty_page(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    page[pdf_name("/Contents")] = writer.add_object(generic.StreamObject(stream_data=b""))
    writer.update_container(page)


def redraw_page(pdf: bytes) -> bytes:
    return edited(pdf, empty_page)


EDITS: dict[str, Callable[[bytes], bytes]] = {
    "annotation": lambda pdf: edited(pdf, annotate),
    "page content": redraw_page,
    "seal redrawn": lambda pdf: edited(pdf, redraw_seal),
    "seal moved": lambda pdf: edited(pdf, move_seal),
    "script": lambda pdf: edited(pdf, add_script),
    "attachment added": lambda pdf: edited(pdf, attach),
    "attachment replaced": lambda pdf: edited(pdf, replace_attachment),
    "language": lambda pdf: edited(pdf, change_metadata),
    "title": lambda pdf: append(pdf, {90: b"<< /Title (Forged) >>"}, b"/Info 90 0 R"),
    "byte in the signed part": lambda pdf: pdf.replace(b"/Lang (zh", b"/Lang (en", 1),
}
ALTERED = ("TOTAL-FAILED", "FORMAT_FAILURE", "altered")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_after_sealing(pki: DevPki, trust: TrustList, make_sealed: Make, level: Level, kind: str) -> None:
    original = sealed_at(level, pki, make_sealed)
    forged = EDITS[kind](original)
    assert forged != original
    report = verify(forged, trust, now(), Book(original))
    assert (report.ok, report.issued) == (False, "unknown")
    found = (report.indication, report.sub_indication, report.integrity)
    if kind == "title" and level != "B-LT":  # an object that nothing shows: the seal holds, the file is no more the one
        assert (found[0], found[2]) == ("INDETERMINATE", "extended")
    elif kind == "byte in the signed part":
        assert (found[0], found[2]) == ("TOTAL-FAILED", "altered")
    else:
        assert found == ALTERED
    assert verify(forged, trust, now()).ok is False


def overlay(pdf: bytes, hidden: bool) -> bytes:
    """A licence with something on it that its maker can show or hide later: prepared before sealing."""
    with pymupdf.open(stream=pdf) as document:
        layer = document.add_ocg("shadow", on=not hidden)
        document[0].insert_text((300, 300), "FORGED", fontsize=40, oc=layer)
        return bytes(document.tobytes())


def switch(writer: IncrementalPdfFileWriter) -> None:
    """Show what was hidden and hide what was shown."""
    settings = writer.root["/OCProperties"]["/D"]
    layers = writer.root["/OCProperties"].raw_get("/OCGs")
    on, off = settings.get("/ON", generic.ArrayObject()), settings.get("/OFF", generic.ArrayObject())
    settings[pdf_name("/ON")], settings[pdf_name("/OFF")] = off, on or layers
    writer.update_container(settings)


@pytest.mark.parametrize("kind", ["hide", "replace", "hide and replace"])
def test_a_shadow_prepared_before_sealing_does_not_come_out(
    pki: DevPki, trust: TrustList, make_sealed: Make, pdf: bytes, kind: str
) -> None:
    """Mainka and others, Shadow Attacks (NDSS 2021): the sealed file already carries what is shown afterwards."""
    prepared = make_sealed(pki, data=overlay(pdf, hidden=kind != "hide"))
    changes: list[Callable[[bytes], bytes]] = {
        "hide": [lambda data: edited(data, switch)],
        "replace": [redraw_page],
        "hide and replace": [lambda data: edited(data, switch), redraw_page],
    }[kind]
    forged = prepared
    for change in changes:
        forged = change(forged)
    report = verify(forged, trust, now(), Book(prepared))
    assert (report.indication, report.sub_indication, report.integrity) == ALTERED
    assert not report.ok and report.issued == "unknown"


def test_the_picture_of_a_seal_is_no_seal(sealed: bytes, trust: TrustList) -> None:
    with pymupdf.open(stream=sealed) as document:
        picture = document[0].get_pixmap(dpi=100)
    with pymupdf.open() as copy:
        copy.new_page(width=842, height=595).insert_image((0, 0, 842, 595), pixmap=picture)
        forged = copy.tobytes()
    report = verify(forged, trust, now(), Book(sealed))
    assert (report.ok, report.indication, report.issued, report.number) == (False, "NO-SIGNATURE", "unknown", None)


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"valid_to": date(2020, 12, 31)}, "expired"), ({"valid_from": date(2098, 1, 1)}, "unknown")],
)
def test_a_licence_outside_its_term_is_not_good(
    pki: DevPki, trust: TrustList, make_sealed: Make, licence: Licence, changes: dict[str, date], status: str
) -> None:
    data = make_sealed(pki, data=render(replace(licence, **changes), load_layout("food_business")))  # type: ignore[arg-type]
    report = verify(data, trust, now())
    assert (report.ok, report.indication, report.integrity, report.status) == (False, "TOTAL-PASSED", "intact", status)
