"""Edits, shadows, wrapping, forgeries, cut and lengthened files, others' seals, ended terms: the exact verdict on each.

A licence is issued at level B-LTA alone; the lower levels are here because a thief of the key, or who cuts a file
back, can show them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pymupdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from docproc.domain import Licence
from docproc.licence.devpki.pki import make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.art import SealArt
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import render
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.headline import headline
from docproc.licence.report.report import VerificationReport
from docproc.licence.seal.seal import LEVELS, Level, seal
from docproc.licence.verify.verify import verify
from tests.licence.attacks import (
    add_script,
    annotate,
    append,
    change_metadata,
    current,
    edited,
    move_seal,
    redraw_seal,
    replace_attachment,
    spans,
)
from tests.licence.book import Book

Make = Callable[..., bytes]
_MADE: dict[str, bytes] = {}


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> DevPki:
    """A PKI whose certificates bear the same names, under a root that nobody trusts."""
    folder = tmp_path_factory.mktemp("stranger")
    make_dev_pki(folder, at=now())
    return DevPki(folder)


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
UNPROVEN = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
TITLE_SUB = {"B-B": UNPROVEN, "B-T": UNPROVEN}
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
    "byte range empty",
    "byte range of zeros",
    "byte range negative",
    "subfilter of another profile",
    "subfilter of a time-stamp",
}
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


NO_CHAIN = ("INDETERMINATE", UNPROVEN)


@pytest.mark.parametrize(
    ("level", "today", "later"),
    [
        ("B-B", NO_CHAIN, NO_CHAIN),
        ("B-T", NO_CHAIN, NO_CHAIN),
        ("B-LT", NO_CHAIN, ("TOTAL-FAILED", "NOT_YET_VALID")),
        ("B-LTA", ("INDETERMINATE", "NO_POE"), NO_CHAIN),
    ],
)
def test_a_seal_whose_certificate_was_not_yet_valid_never_passes(
    early_pki: DevPki,
    pdf: bytes,
    art: SealArt,
    level: Level,
    today: tuple[str, str],
    later: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sealer with a wrong clock: it believes in a day of next month, the time-stamping service knows the true one."""
    wrong = now() + timedelta(days=11)
    monkeypatch.setattr("docproc.licence.pki.tsa.CLOCK_GAP", timedelta(days=12))  # a stranger's sealer does not compare
    signer, timestamper, trust = early_pki.signer("seal-early"), early_pki.timestamper(now), early_pki.seal_trust()
    place = load_layout("food_business").seal
    data = seal(pdf, signer, timestamper, trust, place=place, art=art, reason="签发", at=wrong, level=level)
    for at, verdict in ((now(), today), (wrong + timedelta(hours=1), later)):
        report = verify(data, early_pki.trust_list(), at)
        assert (report.ok, report.indication, report.sub_indication, report.integrity) == (False, *verdict, "intact")


EXTENDED_SUB = {"B-B": UNPROVEN, "B-T": UNPROVEN, "B-LT": "SIG_CONSTRAINTS_FAILURE", "B-LTA": "SIG_CONSTRAINTS_FAILURE"}
TAILS = [b"\n", b" ", b"%%EOF\n", b"junk", b"\0" * 100, b"<script>alert(1)</script>"]


def told(report: VerificationReport) -> tuple[str, str | None, str, str]:
    assert not report.ok
    return report.indication, report.sub_indication, report.integrity, report.issued


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("tail", TAILS)
def test_trailing_bytes(pki: DevPki, trust: TrustList, make_sealed: Make, level: Level, tail: bytes) -> None:
    original = sealed_at(level, pki, make_sealed)
    found = told(verify(original + tail, trust, now(), Book(original)))
    # a second end mark already confuses a strict reader, so such a file counts as damaged
    assert found == (
        (*ALTERED, "unknown") if tail == b"%%EOF\n" else ("INDETERMINATE", EXTENDED_SUB[level], "extended", "unknown")
    )


@pytest.mark.parametrize("level", LEVELS)
def test_an_empty_update(pki: DevPki, trust: TrustList, make_sealed: Make, level: Level) -> None:
    original = sealed_at(level, pki, make_sealed)
    found = told(verify(append(original, {}), trust, now(), Book(original)))
    # after a B-LT seal one update is expected, and two of them cannot be told apart from a disguised one
    assert found == (
        (*ALTERED, "unknown") if level == "B-LT" else ("INDETERMINATE", EXTENDED_SUB[level], "extended", "unknown")
    )


@pytest.mark.parametrize("level", LEVELS)
def test_truncation_to_an_earlier_revision(pki: DevPki, trust: TrustList, make_sealed: Make, level: Level) -> None:
    original = sealed_at(level, pki, make_sealed)
    unsealed = original[: original.index(b"%%EOF\n") + 6]
    # byte for byte the page before it was sealed: of it nothing was signed, and nothing changed
    assert told(verify(unsealed, trust, now(), Book(original))) == ("NO-SIGNATURE", None, "unknown", "unknown")
    sealed = original[: spans(original)[0][2]]
    if level in ("B-LT", "B-LTA"):  # a whole file of level B-T: only the register knows that it was more
        assert told(verify(sealed, trust, now(), Book(original))) == ("INDETERMINATE", UNPROVEN, "intact", "unknown")
    else:
        assert sealed == original


def wrapped(pdf: bytes) -> bytes:
    """The signed bytes behind the seal moved to the end, an empty page put in the room between.

    Mladenov and others, 1 Trillion Dollar Refund (CCS 2019), signature wrapping: the moved part still says where its
    table of references starts, and there stands another one now.
    """
    _, end, stop = spans(pdf)[0]
    signed = pdf[end:stop]
    table = int(re.findall(rb"startxref\n(\d+)", signed)[0])
    head, rows = signed[: table - end], signed[table - end : signed.index(b"startxref")]
    start = table + len(rows) + 200
    page = re.sub(rb"/Contents \d+ 0 R", b"/Contents 99 0 R", current(pdf[:stop], 3))
    objects = b"3 0 obj\n" + page + b"\nendobj\n"
    extra = b"99 0 obj\n<< /Length 0 >>\nstream\n\nendstream\nendobj\n"
    rows = re.sub(rb"3 1\n\d{10}", b"3 1\n%010d" % start, rows, count=1)
    rows = rows.replace(b"trailer", b"99 1\n%010d 00000 n \ntrailer" % (start + len(objects)), 1)
    rows = re.sub(rb"/Size \d+", b"/Size 100", rows)
    moved = start + len(objects) + len(extra)
    head = re.sub(
        rb"/ByteRange \[(\d+ \d+) \d+ (\d+)\] *",
        lambda found: (b"/ByteRange [%b %d %b]" % (found[1], moved, found[2])).ljust(len(found[0])),
        head,
    )
    return pdf[:end] + head + rows.ljust(start - table) + objects + extra + signed


@pytest.mark.parametrize("level", LEVELS)
def test_signature_wrapping(pki: DevPki, trust: TrustList, make_sealed: Make, level: Level) -> None:
    original = sealed_at(level, pki, make_sealed)
    forged = wrapped(original)
    with pymupdf.open(stream=forged) as document:
        assert document[0].get_text().strip() == "", "the attack works: readers show an empty page"
    digests = [
        next(iter(PdfFileReader(io.BytesIO(data)).embedded_signatures)).compute_digest() for data in (forged, original)
    ]
    assert digests[0] == digests[1], "the digest over what the forged byte range names still fits"
    assert told(verify(forged, trust, now(), Book(original))) == (*ALTERED, "unknown")


@pytest.mark.parametrize("level", LEVELS)
def test_a_seal_copied_from_another_licence(
    pki: DevPki, trust: TrustList, make_sealed: Make, licence: Licence, level: Level
) -> None:
    original = sealed_at(level, pki, make_sealed)
    renamed = replace(licence, holder="示例市冒名样例店（样例）")
    other = make_sealed(pki, level, data=render(renamed, load_layout("food_business")))
    start, end, _ = spans(original)[0]
    there, stop, _ = spans(other)[0]
    assert stop - there == end - start
    forged = other[:there] + original[start:end] + other[stop:]
    found = told(verify(forged, trust, now(), Book(original)))
    assert found == ("TOTAL-FAILED", "HASH_FAILURE", "altered", "unknown")


@pytest.mark.parametrize("level", LEVELS)
def test_a_rogue_authority_of_the_same_name(
    pki: DevPki, trust: TrustList, make_sealed: Make, stranger: DevPki, level: Level
) -> None:
    original, forged = sealed_at(level, pki, make_sealed), make_sealed(stranger, level)
    if level in ("B-LT", "B-LTA"):
        assert verify(forged, stranger.trust_list(), now()).ok, "perfect but for its root"
    report = verify(forged, trust, now(), Book(original))
    assert told(report) == ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "intact", "unknown")
    assert report.claimed and report.reason == "not-ours"
    assert "本机关没有签发过这个文件，请勿采信" in headline(report)


@pytest.mark.parametrize("level", LEVELS)
def test_a_seal_whose_certificate_was_revoked(fresh_pki: DevPki, make_sealed: Make, level: Level) -> None:
    """Used after its revocation, with the revocation information of before, as a thief of the key would embed it."""
    data = make_sealed(fresh_pki, level)
    assert verify(data, fresh_pki.trust_list(), now()).ok == (level in ("B-LT", "B-LTA"))
    fresh_pki.revoke(fresh_pki.signer().signing_cert.serial_number, now() - timedelta(minutes=2))
    report = verify(data, fresh_pki.trust_list(), now(), Book(data))
    proven = level in ("B-LT", "B-LTA")
    verdict = ("TOTAL-FAILED", "REVOKED") if proven else ("INDETERMINATE", "REVOKED_NO_POE")
    assert told(report) == (*verdict, "intact", "as-issued")
    assert "已被撤销" in headline(report)


@pytest.mark.parametrize(
    ("level", "sub"), [("B-B", UNPROVEN), ("B-T", UNPROVEN), ("B-LT", "TRY_LATER"), ("B-LTA", None)]
)
def test_a_seal_whose_certificate_has_expired(
    pki: DevPki, trust: TrustList, make_sealed: Make, level: Level, sub: str | None
) -> None:
    original = sealed_at(level, pki, make_sealed)
    report = verify(original, trust, now() + timedelta(days=4 * 365), Book(original))
    assert report.ok == (level == "B-LTA"), "the archive time-stamp proves that it was used before"
    assert report.sub_indication == sub and report.integrity == "intact"
    assert report.indication == ("TOTAL-PASSED" if sub is None else "INDETERMINATE")


@pytest.mark.parametrize("level", LEVELS)
def test_a_seal_outside_its_scope(
    pki: DevPki, trust: TrustList, make_sealed: Make, licence: Licence, level: Level
) -> None:
    """A good seal of one authority on the licence of another."""
    foreign = replace(licence, authority="示例省另一样例局（样例）", authority_code="11990000MB00000000")
    data = make_sealed(pki, level, data=render(foreign, load_layout("food_business")))
    sub = UNPROVEN if level in ("B-B", "B-T") else "SIG_CONSTRAINTS_FAILURE"
    assert told(verify(data, trust, now(), Book(data))) == ("INDETERMINATE", sub, "intact", "as-issued")
