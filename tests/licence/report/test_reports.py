"""The verdict as documents: a page that a person reads, and XML by ETSI TS 119 102-2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pymupdf
import pytest

from docproc.domain import Licence
from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.report import VerificationReport
from docproc.licence.report.report_pdf import report_pdf
from docproc.licence.report.report_xml import OWN, VR, report_xml
from docproc.licence.verify.verify import verify
from tests.judges.schemas import known_urns, report_faults
from tests.licence.book import Book
from tests.licence.conftest import now


def words(report: VerificationReport) -> str:
    with pymupdf.open(stream=report_pdf(report)) as pdf:
        assert len(pdf) == 1
        return "".join(pdf[0].get_text().split())


def found(report: VerificationReport, path: str) -> str | None:
    element = ET.fromstring(report_xml(report)).find(path, {"vr": VR, "lv": OWN})
    return element.text if element is not None else None


@pytest.fixture
def good(sealed: bytes, trust: TrustList) -> VerificationReport:
    return verify(sealed, trust, now(), Book(sealed))


def test_a_good_licence_reads_as_one(good: VerificationReport, licence: Licence) -> None:
    text = words(good)
    for part in ("结论：可以采信", licence.number, licence.holder, "TOTAL-PASSED", "PAdESB-LTA", good.sha256[:32]):
        assert part in text, part
    assert "未经证实" not in text


def test_without_register_or_list_the_status_is_said_to_be_unchecked(sealed: bytes, trust: TrustList) -> None:
    text = words(verify(sealed, trust, now()))
    assert "结论：印章有效，证照状态尚未核对" in text and "可以采信" not in text


def test_a_revoked_licence_says_so_with_time_reason_and_basis(sealed: bytes, trust: TrustList) -> None:
    since = datetime(2026, 1, 2, 16, 0, tzinfo=UTC)
    book = Book(sealed, status="revoked", since=since, reason="以欺骗手段取得", basis="样例法第六十九条")
    report = verify(sealed, trust, now(), book)
    text = words(report)
    for part in (
        "结论：证照已作废，不能使用",
        "文件是登记机关签发的",
        "于2026年1月3日作废",
        "以欺骗手段取得",
        "样例法第六十九条",
        "2026-01-0300:00:00",
    ):
        assert part in text, part
    assert "结论：可以采信" not in text and "文件自称" not in text


def test_what_an_altered_file_claims_is_marked_as_a_claim(sealed: bytes, trust: TrustList) -> None:
    report = verify(sealed + b"\n% more\n", trust, now())
    assert report.licence is not None
    assert words(report).count("文件自称，未经证实") == 4


@pytest.mark.parametrize("data", [b"", b"junk", b"%PDF-1.7\n%%EOF\n"])
def test_any_bytes_get_both_reports(trust: TrustList, data: bytes) -> None:
    report = verify(data, trust, now())
    assert "结论：无法核验" in words(report) and "已被改动" not in words(report)
    path = "vr:SignatureValidationReport/vr:SignatureValidationStatus/"
    assert found(report, path + "vr:MainIndication") == "urn:etsi:019102:mainindication:total-failed"
    assert found(report, path + "vr:SubIndication") == "urn:etsi:019102:subindication:FORMAT_FAILURE"


def test_long_and_strange_claims_do_not_push_the_verdict_off_the_page(good: VerificationReport) -> None:
    assert good.licence is not None
    claim = replace(good.licence, holder="很长的名称\U0001f600\x07" * 400)
    with pymupdf.open(stream=report_pdf(replace(good, licence=claim))) as pdf:
        assert len(pdf) == 1
        assert max(block[3] for block in pdf[0].get_text("blocks")) < pdf[0].rect.height - 20


def test_the_xml_says_the_same(good: VerificationReport) -> None:
    path = "vr:SignatureValidationReport/"
    status = path + "vr:SignatureValidationStatus/vr:MainIndication"
    assert found(good, status) == "urn:etsi:019102:mainindication:total-passed"
    assert good.signatures[0].time is not None
    proven = good.signatures[0].time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found(good, path + "vr:ValidationTimeInfo/vr:BestSignatureTime/vr:POETime") == proven
    own = path + "vr:OtherInformation/lv:LicenceVerification/"
    verdict = [found(good, own + f"lv:{name}") for name in ("Accepted", "Issued", "LicenceStatus")]
    assert verdict == ["true", "as-issued", "valid"]


def test_the_xml_follows_the_schema_order(good: VerificationReport) -> None:
    root = ET.fromstring(report_xml(good))
    names = [item.tag.removeprefix(f"{{{VR}}}") for item in root[0]]
    assert names == [
        "SignatureIdentifier",
        "ValidationTimeInfo",
        "SignersDocument",
        "SignerInformation",
        "SignatureValidationProcess",
        "SignatureValidationStatus",
        "OtherInformation",
    ]
    targets = {item.get("id") for item in root.iter(f"{{{VR}}}ValidationObject")}
    referred = {item.get("VOReference") for item in root.iter() if item.get("VOReference")}
    assert referred == targets


def test_the_seal_of_a_file_without_time_is_shown_without_one(
    pki: DevPki, trust: TrustList, make_sealed: Callable[..., bytes]
) -> None:
    report = verify(make_sealed(pki, "B-B"), trust, now())
    assert "没有可信时间戳证明" in words(report)


def verdicts(
    pki: DevPki, fresh_pki: DevPki, trust: TrustList, pdf: bytes, sealed: bytes, make_sealed: Callable[..., bytes]
) -> dict[str, VerificationReport]:
    """A verdict of each class."""
    at = now()
    since = {"since": at, "reason": "以欺骗手段取得\x00", "basis": "样例法第六十九条"}
    good = verify(sealed, trust, at, Book(sealed))
    own = good.signatures[0]
    sm2 = replace(own, algorithm="SM2", indication="INDETERMINATE", sub_indication="GENERIC")
    return {
        "TOTAL-PASSED None valid": good,
        "TOTAL-PASSED None unknown": verify(sealed, trust, at),
        "TOTAL-PASSED None revoked": verify(sealed, trust, at, Book(sealed, status="revoked", **since)),
        "TOTAL-PASSED None suspended": verify(sealed, trust, at, Book(sealed, status="suspended", **since)),
        "TOTAL-PASSED None expired": verify(sealed, trust, at, Book(sealed, status="expired", since=at)),
        "TOTAL-PASSED None superseded": verify(sealed, trust, at, Book(sealed, status="superseded", since=at)),
        "TOTAL-FAILED FORMAT_FAILURE altered": verify(sealed.replace(b"/DSS", b"/DST"), trust, at, Book(sealed)),
        "INDETERMINATE SIG_CONSTRAINTS_FAILURE extended": verify(sealed + b"\n% more\n", trust, at, Book(sealed)),
        "INDETERMINATE NO_POE": verify(sealed, trust, at.replace(year=at.year + 20)),
        "INDETERMINATE NO_CERTIFICATE_CHAIN_FOUND": verify(sealed, fresh_pki.trust_list(), at),
        "INDETERMINATE CERTIFICATE_CHAIN_GENERAL_FAILURE": verify(make_sealed(pki, "B-B"), trust, at),
        "NO-SIGNATURE None": verify(pdf, trust, at),
        "TOTAL-FAILED FORMAT_FAILURE": verify(b"", trust, at),
        "TOTAL-PASSED None joint": replace(good, signatures=(own, replace(own, signer="另一机关"))),
        "INDETERMINATE GENERIC": replace(good, indication="INDETERMINATE", sub_indication="GENERIC", signatures=(sm2,)),
    }


def test_every_verdict_is_a_valid_report_in_the_words_of_the_standard(
    pki: DevPki, fresh_pki: DevPki, trust: TrustList, pdf: bytes, sealed: bytes, make_sealed: Callable[..., bytes]
) -> None:
    words = known_urns() | {"urn:etsi:019102:subindication:GENERIC"}  # "any other reason", which EU DSS never gives
    for name, report in verdicts(pki, fresh_pki, trust, pdf, sealed, make_sealed).items():
        assert name.startswith(f"{report.indication} {report.sub_indication}")
        xml = report_xml(report)
        assert report_faults(xml) == [], name
        said = {item.text for item in ET.fromstring(xml).iter() if (item.text or "").startswith("urn:etsi:")}
        assert said <= words, name


def test_the_schema_refuses_what_it_should(good: VerificationReport) -> None:
    xml = report_xml(good)
    assert report_faults(xml.replace(b"MainIndication", b"Indication"))
    assert report_faults(xml.replace(b"<vr:HashOnly>false", b"<vr:HashOnly>nein"))
