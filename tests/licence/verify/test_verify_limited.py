from __future__ import annotations

import re
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest

from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.headline import headline
from docproc.licence.seal.renew import renew
from docproc.licence.verify.specimen import examine_specimen
from docproc.licence.verify.verify import verify
from docproc.licence.verify.verify_limited import MAX_BYTES, MOST, cpu_seconds, verify_limited
from tests.licence.book import Book


def now() -> datetime:
    return datetime.now(UTC)


def test_the_child_says_what_the_parent_would(sealed: bytes, trust: TrustList) -> None:
    at = now()
    for data in (sealed, sealed + b"\n", b"junk"):
        assert verify_limited(data, trust, at).to_json() == verify(data, trust, at).to_json()
    there, here = verify_limited(sealed, trust, at), verify(sealed, trust, at)
    assert there.licence == here.licence
    assert there.signatures == here.signatures


def test_the_register_is_asked_by_the_parent(sealed: bytes, trust: TrustList) -> None:
    report = verify_limited(sealed, trust, now(), Book(sealed, status="suspended"))
    assert (report.ok, report.issued, report.status) == (False, "as-issued", "suspended")


@pytest.mark.parametrize("limits", [{"memory_mb": 32}, {"seconds": 0}, {"seconds": 0.01}])
def test_a_limit_is_no_verdict_on_the_file(sealed: bytes, trust: TrustList, limits: dict[str, Any]) -> None:
    report = verify_limited(sealed, trust, now(), Book(b"another", number="another"), **limits)
    assert (report.ok, report.indication, report.sub_indication) == (False, "INDETERMINATE", "GENERIC")
    assert (report.integrity, report.reason) == ("unknown", "limit")
    assert "没有核验完成" in headline(report) and "再试" in headline(report) and "改动" not in headline(report)


def test_the_register_speaks_for_a_file_that_was_not_checked_in_time(sealed: bytes, trust: TrustList) -> None:
    report = verify_limited(sealed, trust, now(), Book(sealed), seconds=0)
    assert (report.ok, report.reason, report.issued, report.status) == (False, "limit", "as-issued", "valid")
    assert "逐字节一致" in headline(report)
    revoked = verify_limited(sealed, trust, now(), Book(sealed, status="revoked"), seconds=0)
    assert headline(revoked) == "文件是登记机关签发的，但证照已作废（依法撤销、撤回、吊销或者注销）。"


@pytest.fixture(scope="module")
def renewed(pki: DevPki, sealed: bytes) -> dict[int, bytes]:
    """A licence after so many renewals."""
    data, kept = sealed, {}
    for count in range(1, 31):
        data = renew(data, pki.timestamper(now), pki.seal_trust(), at=now())
        if count in (12, 30):
            kept[count] = data
    return kept


@pytest.mark.parametrize("count", [12, 30])
def test_a_licence_that_was_renewed_often_is_good(renewed: dict[int, bytes], trust: TrustList, count: int) -> None:
    report = verify_limited(renewed[count], trust, now(), Book(renewed[count]))
    assert (report.ok, report.indication, report.integrity) == (True, "TOTAL-PASSED", "intact")


@pytest.mark.parametrize("count", [12, 30])
def test_it_has_room_left_where_it_takes_twice_as_long(renewed: dict[int, bytes], trust: TrustList, count: int) -> None:
    """On a machine of half the speed, which half the time stands for here."""
    assert verify_limited(renewed[count], trust, now(), seconds=0.5).indication == "TOTAL-PASSED"


def test_more_time_is_given_to_more_signatures_and_bytes_but_never_without_end(sealed: bytes) -> None:
    assert 1 <= cpu_seconds(b"", 1) <= 1.01 and 1 <= cpu_seconds(sealed, 1) < 1.1
    many = sealed + b"/ByteRange" * 10
    assert cpu_seconds(many, 1) > cpu_seconds(sealed, 1) + 2
    assert cpu_seconds(b"/ByteRange" * 100_000, 2) == 2 * MOST
    assert cpu_seconds(bytes(20_000_000), 1) > cpu_seconds(bytes(2_000_000), 1)


def test_a_decompression_bomb_is_a_verdict(sealed: bytes, trust: TrustList) -> None:
    bomb = zlib.compress(bytes(300_000_000), 9)
    body = b"<< /Length %d /Filter /FlateDecode /Type /XRef /Size 5 /W [1 2 1] /Root 1 0 R >>\nstream\n" % len(bomb)
    data = b"%PDF-1.7\n1 0 obj\n" + body + bomb + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"
    report = verify_limited(data, trust, now(), memory_mb=512, seconds=10)
    assert (report.ok, report.integrity) == (False, "unknown") and report.reason in ("limit", "unreadable")


def test_a_huge_file_is_not_even_opened(trust: TrustList) -> None:
    report = verify_limited(bytes(MAX_BYTES + 1), trust, now())
    assert (report.ok, report.reason) == (False, "limit")
    assert re.search("larger", report.reasons[0])


def test_the_specimen_that_warms_the_helper_is_examined_to_its_end() -> None:
    found = examine_specimen()
    assert (found.indication, found.integrity, [item.level for item in found.signatures]) == (
        "TOTAL-PASSED",
        "intact",
        ["B-LTA"],
    )


def test_the_process_that_verifies_loads_no_http_client() -> None:
    code = (
        "import sys, docproc.licence.verify.job, docproc.licence.verify.specimen as job\n"
        "assert job.examine_specimen().indication == 'TOTAL-PASSED'\n"
        "assert 'aiohttp' not in sys.modules, 'aiohttp'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
