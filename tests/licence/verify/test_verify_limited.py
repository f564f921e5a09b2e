from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime

from docproc.licence.pki.trust import TrustList
from docproc.licence.verify.verify import verify
from docproc.licence.verify.verify_limited import MAX_BYTES, verify_limited
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


def test_too_little_memory_is_a_verdict(sealed: bytes, trust: TrustList) -> None:
    report = verify_limited(sealed, trust, now(), memory_mb=64)
    assert (report.ok, report.indication, report.sub_indication) == (False, "TOTAL-FAILED", "FORMAT_FAILURE")


def test_too_little_time_is_a_verdict(sealed: bytes, trust: TrustList) -> None:
    report = verify_limited(sealed, trust, now(), seconds=0)
    assert (report.ok, report.indication, report.sub_indication) == (False, "TOTAL-FAILED", "FORMAT_FAILURE")


def test_a_decompression_bomb_is_a_verdict(sealed: bytes, trust: TrustList) -> None:
    bomb = zlib.compress(bytes(300_000_000), 9)
    body = b"<< /Length %d /Filter /FlateDecode /Type /XRef /Size 5 /W [1 2 1] /Root 1 0 R >>\nstream\n" % len(bomb)
    data = b"%PDF-1.7\n1 0 obj\n" + body + bomb + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"
    report = verify_limited(data, trust, now(), memory_mb=512, seconds=10)
    assert (report.ok, report.sub_indication) == (False, "FORMAT_FAILURE")


def test_a_huge_file_is_not_even_opened(trust: TrustList) -> None:
    report = verify_limited(bytes(MAX_BYTES + 1), trust, now())
    assert not report.ok
    assert re.search("larger", report.reasons[0])
