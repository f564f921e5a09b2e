from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from docproc.errors import SealError, SealUnavailableError
from docproc.licence.devpki.pki import TSA, issue, new_p256, seal_subject, write_p12
from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.trust import TrustList
from docproc.licence.pki.tsa import HttpTimeStamper
from docproc.licence.seal.renew import due, expires_on, renew
from docproc.licence.verify.verify import verify
from tests.licence.conftest import now
from tests.licence.old_tsa import with_old_tsa

YEAR = timedelta(days=365)


def new_service(pki: DevPki, at: datetime) -> DevPki:
    """Give the PKI the time-stamping certificate of a later generation."""
    ca = pki.issued("ca")
    item = issue(
        ca, seal_subject("示例时间戳服务机构二代（样例）", "-"), TSA, at - timedelta(days=1), pki.base_url, new_p256()
    )
    chain = [ca.certificate, pki.issued("root").certificate]
    write_p12(pki.folder / "tsa.p12", item, chain, pki.passphrase)
    return DevPki(pki.folder)


@pytest.fixture
def old(fresh_pki: DevPki, make_sealed: Callable[..., bytes]) -> tuple[DevPki, bytes]:
    """A licence sealed now, and its PKI."""
    return fresh_pki, make_sealed(fresh_pki)


def test_without_renewal_it_is_good_while_the_time_stamp_lasts(old: tuple[DevPki, bytes]) -> None:
    pki, data = old
    for days, good in ((1, True), (6, True), (30, True), (4 * 365, True), (7 * 365, False)):
        at = now() + timedelta(days=days)
        report = verify(data, pki.trust_list(), at)
        assert report.ok is good, (days, report)
    assert (report.indication, report.sub_indication, report.integrity) == ("INDETERMINATE", "NO_POE", "intact")


def test_renewed_in_time_it_stays_good(old: tuple[DevPki, bytes]) -> None:
    pki, data = old
    then = now() + 5 * YEAR
    later = new_service(pki, then)
    answers = DevPki(pki.folder)
    renewed = renew(data, later.timestamper(lambda: then), with_old_tsa(answers, data), at=then)
    assert verify(renewed, pki.trust_list(), then).ok
    assert renewed.startswith(data), "nothing that was there has changed"
    stamps = list(PdfFileReader(io.BytesIO(renewed)).embedded_timestamp_signatures)
    assert [stamp.field_name for stamp in stamps] == ["ArchiveTimestamp1", "ArchiveTimestamp2"]
    long_after = then + 3 * YEAR
    report = verify(renewed, pki.trust_list(), long_after)
    assert report.ok, report
    assert not verify(data, pki.trust_list(), long_after).ok


def test_renewed_too_late_is_refused(old: tuple[DevPki, bytes]) -> None:
    pki, data = old
    then = now() + 8 * YEAR
    later = new_service(pki, then)
    with pytest.raises(SealError, match="only a good"):
        renew(data, later.timestamper(lambda: then), later.seal_trust(), at=then)


def test_renewing_twice_keeps_every_stamp(pki: DevPki, trust: TrustList, sealed: bytes) -> None:
    again = sealed
    for _ in range(2):
        again = renew(again, pki.timestamper(now), pki.seal_trust(), at=now())
    report = verify(again, trust, now())
    assert report.ok, report
    assert len(list(PdfFileReader(io.BytesIO(again)).embedded_timestamp_signatures)) == 3


def test_a_bad_file_is_not_made_to_look_better(pki: DevPki, sealed: bytes, make_sealed: Callable[..., bytes]) -> None:
    for data in (sealed + b"\n", sealed.replace(b"/Lang (zh", b"/Lang (en", 1), make_sealed(pki, "B-LT"), b"junk"):
        with pytest.raises(SealError, match="only a good"):
            renew(data, pki.timestamper(now), pki.seal_trust(), at=now())


def test_an_outage_leaves_the_file_as_it_was(pki: DevPki, sealed: bytes) -> None:
    nobody = HttpTimeStamper("http://127.0.0.1:9/tsa", timeout=1)
    with pytest.raises(SealUnavailableError):
        renew(sealed, nobody, pki.seal_trust(), at=now())


def test_due_counts_from_the_end_of_the_newest_stamp(pki: DevPki, sealed: bytes, pdf: bytes, tmp_path: Path) -> None:
    end = expires_on(sealed)
    assert 5 * YEAR < end - now() < 7 * YEAR
    assert not due(sealed, now())
    assert due(sealed, end - timedelta(days=179))
    assert not due(sealed, end - timedelta(days=181))
    assert due(sealed, end - timedelta(days=181), margin_days=200)
    with pytest.raises(SealError, match="no archive"):
        due(pdf, now())
    with pytest.raises(SealError, match="cannot be read"):
        due(b"junk", now())
