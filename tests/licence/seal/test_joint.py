"""Joint approval: several authorities seal one licence, and it is good only with all of their seals."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

from docproc.assets.paths import font
from docproc.domain import Licence
from docproc.errors import SealError, SealUnavailableError
from docproc.licence.devpki.pki import (
    AUTHORITY,
    JOINT_AUTHORITY,
    JOINT_AUTHORITY_CODE,
    SEAL,
    issue,
    new_rsa,
    seal_subject,
    write_p12,
)
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.art import draw
from docproc.licence.page.layout import SealPlace, load_layout
from docproc.licence.page.record import licence_json, parse_licence_json
from docproc.licence.page.render import render
from docproc.licence.page.update import open_writer
from docproc.licence.pki.trust import RevocationEvidence, SealTrust, TrustList
from docproc.licence.pki.tsa import HttpTimeStamper
from docproc.licence.seal.seal import (
    PlacedSeal,
    add_validation_data,
    checked_context,
    fetch_lists,
    seal,
    timestamp_with,
)
from docproc.licence.verify.verify import verify
from tests.judges.judges import bouncycastle, dss, verapdf
from tests.judges.tools import openssl_faults, pdfsig
from tests.licence.attacks import annotate, append, edited, replace_attachment, spans
from tests.licence.book import Book

LAYOUT = load_layout("food_business")
THIRD, THIRD_CODE = "示例市消防救援局（样例）", "11990099MB22222222"
PLACES = (*LAYOUT.co_seal, SealPlace(60, 100, 42))


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def parties(pki: DevPki) -> dict[str, PlacedSeal]:
    """Further seals by name: of a second authority (P-256) and of a third (RSA)."""
    third = issue(
        pki.issued("ca"), seal_subject(THIRD, THIRD_CODE), SEAL, now() - timedelta(hours=1), pki.base_url, new_rsa()
    )
    chain = [pki.issued("ca").certificate, pki.issued("root").certificate]
    write_p12(pki.folder / "seal-third.p12", third, chain, pki.passphrase)
    return {
        "joint": PlacedSeal(pki.signer("seal-joint"), PLACES[0], draw(JOINT_AUTHORITY, font(), diameter=42.0)),
        "third": PlacedSeal(pki.signer("seal-third"), PLACES[1], draw(THIRD, font(), diameter=42.0)),
    }


@pytest.fixture(scope="module")
def together(licence: Licence) -> Licence:
    return replace(licence, joint=((JOINT_AUTHORITY, JOINT_AUTHORITY_CODE), (THIRD, THIRD_CODE)))


def sealed_by(pki: DevPki, licence: Licence, joint: list[PlacedSeal], **changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "pdf": render(licence, LAYOUT),
        "signer": pki.signer(),
        "timestamper": pki.timestamper(now),
        "trust": pki.seal_trust(),
        "place": LAYOUT.seal,
        "art": draw(AUTHORITY, font(), diameter=42.0),
        "reason": "签发",
        "at": now(),
        "joint": joint,
    }
    return seal(**(arguments | changes))


@pytest.fixture(scope="module")
def sealed(pki: DevPki, together: Licence, parties: dict[str, PlacedSeal]) -> bytes:
    return sealed_by(pki, together, [parties["joint"], parties["third"]])


def test_a_jointly_sealed_licence_reports_every_seal(sealed: bytes, trust: TrustList) -> None:
    report = verify(sealed, trust, now(), Book(sealed))
    assert report.ok, report.reasons
    assert [item.signer for item in report.signatures] == [AUTHORITY, JOINT_AUTHORITY, THIRD]
    assert {(item.level, item.indication, item.coverage) for item in report.signatures} == {
        ("B-LTA", "TOTAL-PASSED", "ENTIRE_REVISION")
    }
    assert all(item.time is not None for item in report.signatures)


def test_the_first_seal_lets_in_the_others_and_the_last_locks(sealed: bytes) -> None:
    first, second, third, stamp = PdfFileReader(io.BytesIO(sealed)).embedded_signatures
    levels = (first.docmdp_level, second.docmdp_level, third.docmdp_level)
    assert levels == (MDPPerm.FILL_FORMS, None, MDPPerm.NO_CHANGES)
    assert third.fieldmdp is not None and third.fieldmdp.action.value == "/All"
    assert stamp.byte_range[2] + stamp.byte_range[3] == len(sealed)


def test_a_licence_of_one_authority_has_the_record_it_always_had(licence: Licence, together: Licence) -> None:
    assert b"joint" not in licence_json(licence)
    for item in (licence, together):
        assert parse_licence_json(licence_json(item)) == item


def test_judges_that_share_no_code_with_us_pass_all_seals(sealed: bytes, pki: DevPki, tmp_path: Path) -> None:
    file, roots = tmp_path / "joint.pdf", [pki.folder / "trust" / "root.crt"]
    file.write_bytes(sealed)
    (report,) = dss([file], roots)
    assert [(item.indication, item.level) for item in report.signatures] == [("TOTAL-PASSED", "PAdES-BASELINE-LTA")] * 3
    assert report.signatures[-1].changes == ()
    for item in report.signatures[:-1]:  # told as changes: the fields of the later seals were filled, nothing else
        assert all(re.search(r"/(Annots|Fields) (25|27) 0 R /", change) for change in item.changes), item.changes
    (sound,) = bouncycastle([file])
    assert [item.valid for item in sound.signatures] == [True] * 4
    assert verapdf([file], "3b")[0].failed == ()
    assert pdfsig(file)[:3] == ["Signature is Valid."] * 3
    assert openssl_faults(file, roots) == []


def completed(pki: DevPki, data: bytes) -> bytes:
    """Give a file validation data and a genuine archive time-stamp, as anybody could."""

    async def run() -> bytes:
        async with checked_context(pki.seal_trust(), now()) as context:
            from pyhanko_certvalidator import CertificateValidator

            paths = []
            for name in ("seal-rsa", "seal-joint", "seal-third"):
                key = pki.signer(name)
                validator = CertificateValidator(key.signing_cert, key.cert_registry, context)
                paths.append(await validator.async_validate_usage({"non_repudiation"}))
            stamper = pki.timestamper(now)
            paths += [path async for path in stamper.validation_paths(context)]
            await fetch_lists(context, paths)
            writer = open_writer(data)
            add_validation_data(writer, context, paths)
            await timestamp_with(writer, stamper, 1)
            return bytes(writer.prev.stream.getvalue())

    return asyncio.run(run())


@pytest.mark.parametrize("kept", [1, 2])
def test_a_file_cut_back_to_fewer_seals_is_not_good(sealed: bytes, pki: DevPki, trust: TrustList, kept: int) -> None:
    cut = sealed[: spans(sealed)[kept - 1][2]]
    assert not verify(cut, trust, now()).ok
    report = verify(completed(pki, cut), trust, now())
    assert not report.ok
    assert {item.indication for item in report.signatures} == {"TOTAL-PASSED"}, "each seal that is there is good"
    assert (report.indication, report.sub_indication) == ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE")
    assert f"3 authorities seal this licence, the file has {kept} seals" in report.reasons


def test_the_completed_whole_is_good(sealed: bytes, pki: DevPki, trust: TrustList) -> None:
    """The way of attack above works but for the seals that are missing."""
    assert verify(completed(pki, sealed[: spans(sealed)[2][2]]), trust, now()).ok


def further_seal(pki: DevPki, data: bytes, name: str = "Seal4") -> bytes:
    signer = PdfSigner(
        PdfSignatureMetadata(field_name=name), pki.signer("seal-third"), new_field_spec=SigFieldSpec(name)
    )
    signer._enforce_certification_constraints = lambda reader: None  # type: ignore[method-assign]
    return bytes(signer.sign_pdf(open_writer(data)).getvalue())


@pytest.mark.parametrize("name", ["Seal4", "Other"])
@pytest.mark.parametrize("after", [2, 3, 4])
def test_a_seal_that_was_added_later_is_altered(
    sealed: bytes, pki: DevPki, trust: TrustList, name: str, after: int
) -> None:
    data = further_seal(pki, sealed[: spans(sealed)[after - 1][2]], name)
    for attempt in (data, completed(pki, data)) if after < 4 else (data,):
        report = verify(attempt, trust, now())
        assert (report.ok, report.integrity, report.indication) == (False, "altered", "TOTAL-FAILED")


@pytest.mark.parametrize("change", [annotate, replace_attachment])
@pytest.mark.parametrize("after", [1, 2])
def test_an_edit_between_two_seals_is_altered(
    sealed: bytes,
    pki: DevPki,
    trust: TrustList,
    parties: dict[str, PlacedSeal],
    change: Callable[..., None],
    after: int,
) -> None:
    """Whoever seals second could slip something in; the other seals do not answer for it."""
    data = edited(sealed[: spans(sealed)[after - 1][2]], change)
    metadata = PdfSignatureMetadata(field_name=f"Seal{after + 1}")
    signer = PdfSigner(metadata, parties["third"].signer)
    signer._enforce_certification_constraints = lambda reader: None  # type: ignore[method-assign]
    forged = signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data))).getvalue()
    report = verify(completed(pki, forged), trust, now())
    assert (report.ok, report.integrity) == (False, "altered")


def test_objects_beside_a_seal_are_altered(sealed: bytes, trust: TrustList) -> None:
    whole = sealed[: spans(sealed)[1][2]]
    for objects in ({}, {90: b"<< >>"}):
        assert not verify(append(whole, objects), trust, now()).ok


def test_a_seal_of_an_authority_that_the_licence_does_not_name_is_not_good(
    pki: DevPki, trust: TrustList, licence: Licence, parties: dict[str, PlacedSeal]
) -> None:
    both = replace(licence, joint=((JOINT_AUTHORITY, JOINT_AUTHORITY_CODE),))
    report = verify(sealed_by(pki, both, [parties["third"]]), trust, now())
    assert [item.indication for item in report.signatures] == ["TOTAL-PASSED", "INDETERMINATE"]
    assert (report.ok, report.sub_indication) == (False, "SIG_CONSTRAINTS_FAILURE")
    for wrong in (licence, replace(both, joint=(*both.joint, (THIRD, THIRD_CODE)))):
        report = verify(sealed_by(pki, wrong, [parties["joint"]]), trust, now())
        assert (report.ok, report.sub_indication) == (False, "SIG_CONSTRAINTS_FAILURE")


def test_one_revoked_seal_stops_all_of_them(fresh_pki: DevPki, licence: Licence) -> None:
    both = replace(licence, joint=((JOINT_AUTHORITY, JOINT_AUTHORITY_CODE),))
    joint = PlacedSeal(fresh_pki.signer("seal-joint"), PLACES[0], draw(JOINT_AUTHORITY, font(), diameter=42.0))
    good = sealed_by(fresh_pki, both, [joint])
    assert verify(good, fresh_pki.trust_list(), now()).ok
    fresh_pki.revoke(joint.signer.signing_cert.serial_number, now() - timedelta(minutes=2))  # type: ignore[union-attr]
    with pytest.raises(SealError, match="revoked"):
        sealed_by(fresh_pki, both, [joint])
    report = verify(good, fresh_pki.trust_list(), now())
    assert (report.ok, report.indication, report.sub_indication) == (False, "TOTAL-FAILED", "REVOKED")


def test_without_time_stamp_or_revocation_information_none_of_the_seals_is_set(
    pki: DevPki, together: Licence, parties: dict[str, PlacedSeal]
) -> None:
    joint, known = [parties["joint"], parties["third"]], pki.seal_trust()
    with pytest.raises(SealUnavailableError):
        sealed_by(pki, together, joint, timestamper=HttpTimeStamper("http://127.0.0.1:9/tsa", timeout=1))
    with pytest.raises(SealUnavailableError):
        nothing = SealTrust(known.roots, known.intermediates, lambda at: RevocationEvidence())
        sealed_by(pki, together, joint, trust=nothing)
    wrong = replace(parties["joint"], place=SealPlace(100, 100, 40))
    with pytest.raises(SealError, match="across"):
        sealed_by(pki, together, [wrong])


def test_a_jointly_sealed_licence_is_renewed_like_any_other(sealed: bytes, pki: DevPki, trust: TrustList) -> None:
    from docproc.licence.seal.renew import renew

    later = now() + timedelta(minutes=1)
    renewed = renew(sealed, pki.timestamper(lambda: later), pki.seal_trust(), at=later)
    report = verify(renewed, trust, later)
    assert report.ok, report.reasons
    assert len(report.signatures) == 3
