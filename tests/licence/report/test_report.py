from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from docproc.domain import Licence
from docproc.licence.report.conclude import conclude
from docproc.licence.report.headline import headline
from docproc.licence.report.report import Examination, IssuedRecord, LicenceStatus, VerificationReport

DATA = b"the file"
DIGEST = hashlib.sha256(DATA).hexdigest()
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Book:
    def __init__(self, **changes: str) -> None:
        self.record = replace(IssuedRecord("JY29900990000015", DIGEST, "valid"), **changes)  # type: ignore[arg-type]

    def by_sha256(self, digest: str) -> IssuedRecord | None:
        return self.record if digest == self.record.sha256 else None

    def by_number(self, number: str) -> IssuedRecord | None:
        return self.record if number == self.record.number else None


@pytest.fixture
def good(licence: Licence) -> Examination:
    return Examination("TOTAL-PASSED", None, "intact", (), licence)


def test_offline_a_good_seal_is_enough(good: Examination) -> None:
    report = conclude(good, DIGEST, None, AT)
    assert (report.ok, report.issued, report.status) == (True, "unknown", "unknown")
    assert "未联网核对" in headline(report)


def test_with_a_register_the_bytes_must_be_those_issued(good: Examination) -> None:
    assert conclude(good, DIGEST, Book(), AT).ok
    other = conclude(good, "0" * 64, Book(), AT)
    assert (other.ok, other.issued, other.status) == (False, "unknown", "valid")
    earlier = conclude(good, DIGEST, Book(issued="superseded"), AT)
    assert (earlier.ok, earlier.issued) == (False, "superseded")
    stranger = conclude(good, "0" * 64, Book(number="another"), AT)
    assert (stranger.ok, stranger.status) == (False, "unknown")


@pytest.mark.parametrize("status", ["suspended", "revoked", "superseded", "expired", "unknown"])
def test_only_a_valid_licence_is_ok(good: Examination, status: LicenceStatus) -> None:
    report = conclude(good, DIGEST, Book(status=status), AT)
    assert (report.ok, report.status) == (False, status)
    assert "真实有效" not in headline(report)


def test_a_licence_ends_at_midnight_in_china(good: Examination, licence: Licence) -> None:
    ending = replace(good, licence=replace(licence, valid_to=date(2026, 6, 1)))
    last = datetime(2026, 6, 1, 15, 59, tzinfo=UTC)  # 23:59 in China
    assert conclude(ending, DIGEST, Book(), last).ok
    late = conclude(ending, DIGEST, Book(), last + timedelta(minutes=2))
    assert (late.ok, late.status) == (False, "expired")
    assert conclude(ending, DIGEST, None, last + timedelta(minutes=2)).status == "expired"
    assert conclude(ending, DIGEST, Book(status="revoked"), last + timedelta(days=9)).status == "revoked"


def test_a_licence_that_has_not_begun_is_not_ok(good: Examination, licence: Licence) -> None:
    early = replace(good, licence=replace(licence, valid_from=date(2026, 6, 3)))
    assert not conclude(early, DIGEST, Book(), AT).ok
    assert not conclude(early, DIGEST, None, AT).ok


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"indication": "NO-SIGNATURE", "integrity": "unknown", "reason": "no-signature"}, "没有电子印章"),
        ({"indication": "INDETERMINATE", "integrity": "unknown", "reason": "limit"}, "没有核验完成，请稍后再试"),
        ({"indication": "TOTAL-FAILED", "integrity": "altered"}, "已被改动"),
        ({"indication": "INDETERMINATE", "integrity": "extended"}, "追加"),
        ({"indication": "INDETERMINATE"}, "逐字节一致，但不能确认"),
        ({"indication": "TOTAL-PASSED", "integrity": "extended"}, "追加"),
    ],
)
def test_a_bad_seal_is_never_ok_whatever_the_register_says(
    good: Examination, changes: dict[str, str], words: str
) -> None:
    report = conclude(replace(good, **changes), DIGEST, Book(), AT)  # type: ignore[arg-type]
    assert not report.ok
    assert words in headline(report)


def test_json_has_the_promised_shape(good: Examination) -> None:
    report: VerificationReport = conclude(good, DIGEST, Book(), AT)
    assert report.to_json() == {
        "ok": True,
        "indication": "TOTAL-PASSED",
        "sub_indication": None,
        "integrity": "intact",
        "reason": None,
        "issued": "as-issued",
        "licence": {"number": "JY29900990000015", "status": "valid", "since": None, "reason": "", "basis": ""},
        "signatures": [],
    }
