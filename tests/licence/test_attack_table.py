"""Ten kinds of edit on each level, shadow attacks, pictures of seals, ended terms: the exact verdict on each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pymupdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from docproc.domain import Licence
from docproc.licence.art import SealArt
from docproc.licence.layout import load_layout
from docproc.licence.render import render
from docproc.licence.responder import DevPki
from docproc.licence.seal import LEVELS, Level, seal
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
TITLE_SUB = {"B-B": "CERTIFICATE_CHAIN_GENERAL_FAILURE", "B-T": "CERTIFICATE_CHAIN_GENERAL_FAILURE"}
"""The lower levels do not carry the proof that nothing was revoked; that is said before the added bytes are."""
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
        assert found == ("INDETERMINATE", TITLE_SUB.get(level, "SIG_CONSTRAINTS_FAILURE"), "extended")
    elif kind == "byte in the signed part":
        assert found == ("TOTAL-FAILED", "HASH_FAILURE", "altered")
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


BYTE_RANGE, CONTENTS, SUB_FILTER = (
    rb"/ByteRange ?\[[^\]]*\]",
    rb"/Contents <[0-9A-F]+>",
    rb"/SubFilter /ETSI.CAdES.detached",
)
FORGERIES: dict[str, tuple[bytes, bytes]] = {
    "no byte range": (BYTE_RANGE, b""),
    "byte range null": (BYTE_RANGE, b"/ByteRange null"),
    "byte range empty": (BYTE_RANGE, b"/ByteRange []"),
    "byte range of zeros": (BYTE_RANGE, b"/ByteRange [0 0 0 0]"),
    "byte range negative": (BYTE_RANGE, b"/ByteRange [0 -1 0 -1]"),
    "byte range a string": (BYTE_RANGE, b"/ByteRange (x)"),
    "no contents": (CONTENTS, b""),
    "contents null": (CONTENTS, b"/Contents null"),
    "contents empty": (CONTENTS, b"/Contents <>"),
    "contents one zero": (CONTENTS, b"/Contents <00>"),
    "contents of zeros": (CONTENTS, b"/Contents <" + b"0" * 4000 + b">"),
    "no subfilter": (SUB_FILTER, b""),
    "unknown subfilter": (SUB_FILTER, b"/SubFilter /ETSI.XAdES.detached"),
    "subfilter of bare RSA": (SUB_FILTER, b"/SubFilter /adbe.x509.rsa_sha1"),
    "subfilter of another profile": (SUB_FILTER, b"/SubFilter /adbe.pkcs7.detached"),
    "subfilter of a time-stamp": (SUB_FILTER, b"/SubFilter /ETSI.RFC3161"),
}
READABLE = {
    "byte range empty", "byte range of zeros", "byte range negative", "subfilter of another profile",
    "subfilter of a time-stamp",
}  # fmt: skip
"""Forgeries that can be parsed: there the digest speaks."""
HIDDEN = {"no subfilter", "unknown subfilter", "subfilter of bare RSA"}
"""Forgeries that make a dictionary no signature for a reader."""


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", FORGERIES)
def test_universal_signature_forgery(pki: DevPki, trust: TrustList, make_sealed: Make, level: Level, kind: str) -> None:
    """Mladenov and others, 1 Trillion Dollar Refund (CCS 2019): the parts without which nothing can be checked."""
    original = sealed_at(level, pki, make_sealed)
    pattern, new = FORGERIES[kind]
    # as long as before, so that every offset of the file still holds and the forgery itself is judged
    forged = re.sub(pattern, lambda found: new.ljust(len(found[0])), original, count=1)
    assert forged != original and len(forged) == len(original)
    report = verify(forged, trust, now(), Book(original))
    assert (report.ok, report.issued, report.integrity) == (False, "unknown", "altered")
    found = (report.indication, report.sub_indication)
    if kind in HIDDEN and level != "B-LTA":
        assert found == ("NO-SIGNATURE", None)
    else:
        assert found == ("TOTAL-FAILED", "HASH_FAILURE" if kind in READABLE else "FORMAT_FAILURE")


NO_CHAIN = ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE")


@pytest.mark.parametrize(
    ("level", "today", "later"),
    [
        ("B-B", NO_CHAIN, NO_CHAIN),
        ("B-T", NO_CHAIN, NO_CHAIN),
        ("B-LT", NO_CHAIN, ("TOTAL-FAILED", "NOT_YET_VALID")),
        ("B-LTA", ("INDETERMINATE", "NO_POE"), NO_CHAIN),
    ],
)  # fmt: skip
def test_a_seal_whose_certificate_was_not_yet_valid_never_passes(
    early_pki: DevPki, pdf: bytes, art: SealArt, level: Level, today: tuple[str, str], later: tuple[str, str]
) -> None:
    """A sealer with a wrong clock: it believes in a day of next month, the time-stamping service knows the true one."""
    wrong = now() + timedelta(days=11)
    data = seal(
        pdf, early_pki.signer("seal-early"), early_pki.timestamper(now), early_pki.seal_trust(),
        place=load_layout("food_business").seal, art=art, reason="签发", at=wrong, level=level,
    )  # fmt: skip
    for at, verdict in ((now(), today), (wrong + timedelta(hours=1), later)):
        report = verify(data, early_pki.trust_list(), at)
        assert (report.ok, report.indication, report.sub_indication, report.integrity) == (False, *verdict, "intact")
