"""What an attacker can do to a sealed file, and that none of it passes for good."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pymupdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.report import VerificationReport
from docproc.licence.seal.seal import Level
from docproc.licence.verify.verify import verify
from tests.licence.attacks import (
    add_script,
    annotate,
    append,
    change_metadata,
    current,
    edited,
    grow_dss,
    move_seal,
    redraw_seal,
    replace_attachment,
    spans,
)
from tests.licence.book import Book

Make = Callable[..., bytes]


def now() -> datetime:
    return datetime.now(UTC)


def assert_not_good(data: bytes, trust: TrustList) -> VerificationReport:
    report = verify(data, trust, now())
    assert not report.ok
    assert report.integrity != "intact" or report.indication != "TOTAL-PASSED"
    return report


@pytest.mark.parametrize("level", ["B-LT", "B-LTA"])
def test_the_untouched_file_is_good(pki: DevPki, trust: TrustList, make_sealed: Make, level: Level) -> None:
    data = make_sealed(pki, level)
    assert verify(data, trust, now()).ok
    assert verify(data, trust, now(), Book(data)).ok


@pytest.mark.parametrize("where", ["header", "content", "attachment", "font", "xref", "appearance", "dss", "reason"])
def test_one_changed_byte_is_seen(sealed: bytes, trust: TrustList, where: str) -> None:
    places = {
        "header": 9,
        "content": sealed.index(b"stream\n") + 20,
        "attachment": sealed.index(b"/Type /EmbeddedFile") + 200,
        "font": sealed.index(b"/CIDFontType0C") + 200,
        "xref": sealed.index(b"\nxref\n") + 40,
        "appearance": sealed.index(b"/Subtype /Form", sealed.index(b"%%EOF")) + 300,
        "dss": sealed.index(b"/DSS") + 3,
        "reason": sealed.index(b"/Reason") + 12,
    }
    data = bytearray(sealed)
    data[places[where]] ^= 0x01
    report = assert_not_good(bytes(data), trust)
    assert report.indication == "TOTAL-FAILED"
    assert report.integrity == "altered"


def test_a_replaced_page_is_altered(sealed: bytes, trust: TrustList) -> None:
    page = current(sealed, 3)
    empty = b"<< /Length 0 >>\nstream\n\nendstream"
    content = append(sealed, {90: empty, 3: re.sub(rb"/Contents \d+ 0 R", b"/Contents 90 0 R", page)})
    assert pymupdf.open(stream=content)[0].get_text().strip() == "", "the attack works: readers show an empty page"
    report = assert_not_good(content, trust)
    assert (report.indication, report.integrity) == ("TOTAL-FAILED", "altered")


def test_a_replaced_content_stream_is_altered(sealed: bytes, trust: TrustList) -> None:
    number = int(re.findall(rb"/Contents (\d+) 0 R", current(sealed, 3))[0])
    report = assert_not_good(append(sealed, {number: b"<< /Length 0 >>\nstream\n\nendstream"}), trust)
    assert (report.indication, report.integrity) == ("TOTAL-FAILED", "altered")


def made(pki: DevPki, make_sealed: Make, level: Level) -> bytes:
    if level not in _MADE:
        _MADE[level] = make_sealed(pki, level)
    return _MADE[level]


_MADE: dict[str, bytes] = {}


@pytest.mark.parametrize("level", ["B-LT", "B-LTA"])
@pytest.mark.parametrize(
    "change", [annotate, add_script, move_seal, redraw_seal, change_metadata, replace_attachment, grow_dss]
)
def test_edits_by_a_good_library_are_altered(
    pki: DevPki, trust: TrustList, make_sealed: Make, level: Level, change: Callable[..., None]
) -> None:
    report = assert_not_good(edited(made(pki, make_sealed, level), change), trust)
    assert report.integrity == "altered"
    assert report.indication == "TOTAL-FAILED"


def test_an_edit_below_a_genuine_time_stamp_is_altered(pki: DevPki, trust: TrustList, sealed: bytes) -> None:
    """Anybody may ask the TSA for a time-stamp, so one over forged changes is genuine in itself."""
    import asyncio

    from docproc.licence.page.update import open_writer
    from docproc.licence.seal.seal import timestamp_with

    for change in (annotate, replace_attachment, add_script, grow_dss):
        writer = open_writer(sealed)
        change(writer)
        asyncio.run(timestamp_with(writer, pki.timestamper(now), 2))
        report = assert_not_good(writer.prev.stream.getvalue(), trust)
        assert report.integrity == "altered"


def test_a_second_signature_is_altered(pki: DevPki, trust: TrustList, sealed: bytes) -> None:
    from pyhanko.sign.fields import SigFieldSpec
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

    writer = IncrementalPdfFileWriter(io.BytesIO(sealed))
    writer.prev.xrefs  # noqa: B018
    signer = PdfSigner(
        PdfSignatureMetadata(field_name="Other"), pki.signer("seal-p256"), new_field_spec=SigFieldSpec("Other")
    )
    signer._enforce_certification_constraints = lambda reader: None  # type: ignore[method-assign]
    report = assert_not_good(signer.sign_pdf(writer).getvalue(), trust)
    assert report.integrity == "altered"


def test_an_earlier_revision_is_not_what_was_issued(sealed: bytes, trust: TrustList) -> None:
    earlier = sealed[: spans(sealed)[0][2]]
    offline = verify(earlier, trust, now())
    assert offline.signatures[0].level == "B-T"
    assert offline.indication == "INDETERMINATE", "the proof that nothing was revoked is gone"
    online = verify(earlier, trust, now(), Book(sealed))
    assert not online.ok
    assert online.issued == "unknown"
    assert online.status == "valid", "the licence is in force; this file is not it"


def test_the_unsealed_page_has_no_signature(pdf: bytes, trust: TrustList) -> None:
    report = verify(pdf, trust, now())
    assert (report.ok, report.indication) == (False, "NO-SIGNATURE")


def test_a_seal_that_was_revoked_before_use_fails(fresh_pki: DevPki, make_sealed: Make) -> None:
    forged = make_sealed(fresh_pki)  # revocation information of before, as a thief of the key would embed it
    serial = fresh_pki.signer().signing_cert.serial_number
    assert verify(forged, fresh_pki.trust_list(), now()).ok
    fresh_pki.revoke(serial, now() - timedelta(minutes=2))
    report = verify(forged, fresh_pki.trust_list(), now())
    assert not report.ok
    assert (report.indication, report.sub_indication) == ("TOTAL-FAILED", "REVOKED")


def test_a_seal_that_was_revoked_after_use_stays_good_if_the_time_is_proven(
    fresh_pki: DevPki, make_sealed: Make
) -> None:
    archived, plain = make_sealed(fresh_pki), make_sealed(fresh_pki, "B-B")
    later = now() + timedelta(days=1)
    fresh_pki.revoke(fresh_pki.signer().signing_cert.serial_number, later - timedelta(hours=1))
    assert verify(archived, fresh_pki.trust_list(), later).ok
    assert not verify(plain, fresh_pki.trust_list(), later).ok


def test_a_time_stamp_of_a_revoked_service_does_not_count(fresh_pki: DevPki, make_sealed: Make) -> None:
    data = make_sealed(fresh_pki)
    fresh_pki.revoke(fresh_pki.signer("tsa").signing_cert.serial_number, now() - timedelta(minutes=2))
    report = verify(data, fresh_pki.trust_list(), now())
    assert not report.ok
    assert report.indication == "INDETERMINATE"


def test_a_time_stamp_of_a_stranger_does_not_count(
    pki: DevPki, fresh_pki: DevPki, trust: TrustList, sealed: bytes
) -> None:
    import asyncio

    from docproc.licence.page.update import open_writer
    from docproc.licence.seal.seal import timestamp_with

    writer = open_writer(sealed)
    asyncio.run(timestamp_with(writer, fresh_pki.timestamper(now), 2))
    assert_not_good(writer.prev.stream.getvalue(), trust)


def test_a_sealed_paper_that_is_no_licence_does_not_pass(pki: DevPki, trust: TrustList, make_sealed: Make) -> None:
    document = pymupdf.open()
    document.new_page(width=842, height=595).insert_text((72, 72), "any paper")
    report = verify(make_sealed(pki, data=document.tobytes()), trust, now())
    assert not report.ok
    assert report.number is None


GARBAGE = {
    "empty": b"",
    "text": b"hello",
    "header": b"%PDF-1.7\n",
    "no xref": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "nested": b"%PDF-1.7\n1 0 obj\n" + b"[" * 20000 + b"]" * 20000 + b"\nendobj\ntrailer\n<<>>\nstartxref\n9\n%%EOF",
    "zip": b"PK\x03\x04" + bytes(100),
    "jpeg": b"\xff\xd8\xff\xe0" + bytes(1000),
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_a_verdict(data: bytes, trust: TrustList) -> None:
    report = verify(data, trust, now())
    assert not report.ok
    assert (report.indication, report.sub_indication) == ("TOTAL-FAILED", "FORMAT_FAILURE")


def test_an_encrypted_file_is_a_verdict(pdf: bytes, trust: TrustList) -> None:
    locked = pymupdf.open(stream=pdf).tobytes(
        encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="o", user_pw="u", permissions=0
    )
    report = verify(locked, trust, now())
    assert (report.ok, report.indication, report.sub_indication) == (False, "INDETERMINATE", "GENERIC")
    assert (report.integrity, report.reason) == ("unknown", "encrypted")


def test_truncated_anywhere_never_passes_for_the_whole(sealed: bytes, trust: TrustList) -> None:
    whole = {span[2] for span in spans(sealed)}
    for length in sorted(random.Random(7).sample(range(len(sealed)), 60)):
        if length not in whole:
            assert not verify(sealed[:length], trust, now()).ok, length


def test_no_mutant_in_the_signature_gaps_passes(sealed: bytes, trust: TrustList) -> None:
    """Bytes in a gap are not signed, but each of them must still be what it was."""
    chance = random.Random(20260101)
    for start, end, _ in spans(sealed):
        for position in chance.sample(range(start, end), 40):
            data = bytearray(sealed)
            data[position] = chance.choice(b"0123456789ABCDEFabcdef<> ")
            if bytes(data) != sealed:
                assert not verify(bytes(data), trust, now()).ok, position


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mutant_passes(sealed: bytes, trust: TrustList, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(sealed) - 1))
    kind = data.draw(st.sampled_from(["flip", "drop", "insert", "double", "zero"]))
    piece = sealed[position : position + data.draw(st.integers(1, 40))]
    mutant = {
        "flip": sealed[:position]
        + bytes([sealed[position] ^ (1 << data.draw(st.integers(0, 7)))])
        + sealed[position + 1 :],
        "drop": sealed[:position] + sealed[position + len(piece) :],
        "insert": sealed[:position] + data.draw(st.binary(min_size=1, max_size=20)) + sealed[position:],
        "double": sealed[:position] + piece + sealed[position:],
        "zero": sealed[:position] + bytes(len(piece)) + sealed[position + len(piece) :],
    }[kind]
    if mutant not in (sealed, sealed[: spans(sealed)[0][2]]):
        assert not verify(mutant, trust, now()).ok
