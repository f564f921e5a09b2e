"""Other departments' roots: recognised within their limits, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from docproc.errors import SetupError
from docproc.licence.devpki.pki import AUTHORITY_CODE
from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.headline import headline
from docproc.licence.verify.verify import verify
from docproc.licence.verify.verify_limited import verify_limited


def limited(pki: DevPki, tmp_path: Path, entry: str) -> TrustList:
    """The trust folder of a PKI with one entry for its root."""
    for path in (pki.folder / "trust").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "trust.toml").write_text(f'[[anchor]]\nfile = "root.crt"\n{entry}\n', encoding="utf-8")
    return TrustList.from_folder(tmp_path)


def test_another_departments_seal_is_shown_as_such(sealed: bytes, pki: DevPki, tmp_path: Path) -> None:
    trust = limited(pki, tmp_path, f'name = "邻市数据局（样例）"\nauthorities = ["{AUTHORITY_CODE[:6]}"]')
    report = verify_limited(sealed, trust, datetime.now(UTC))
    assert (report.ok, report.indication) == (True, "TOTAL-PASSED")
    assert report.to_json()["signatures"][0]["recognised"] == "邻市数据局（样例）"
    assert "互认机构“邻市数据局（样例）”" in headline(report)


def test_it_vouches_for_its_own_authorities_only(sealed: bytes, pki: DevPki, tmp_path: Path) -> None:
    trust = limited(pki, tmp_path, 'name = "邻市数据局（样例）"\nauthorities = ["11340000"]')
    report = verify(sealed, trust, datetime.now(UTC))
    assert (report.ok, report.indication, report.sub_indication) == (False, "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE")


@pytest.mark.parametrize(
    ("begin", "end", "good"),
    [(-10, 10, True), (10, 20, False), (-20, -10, False)],
)
def test_it_is_trusted_within_its_window(
    sealed: bytes, pki: DevPki, tmp_path: Path, begin: int, end: int, good: bool
) -> None:
    now = datetime.now(UTC)
    first, last = (now.date() + timedelta(days=days) for days in (begin, end))
    entry = f"valid_from = {first}\nvalid_to = {last}"
    report = verify(sealed, limited(pki, tmp_path, entry), now)
    assert report.ok is good
    assert report.indication == ("TOTAL-PASSED" if good else "INDETERMINATE")


def test_a_root_for_time_stamps_alone_vouches_for_no_seal(
    pki: DevPki, tmp_path: Path, make_sealed: Callable[..., bytes]
) -> None:
    report = verify(make_sealed(pki), limited(pki, tmp_path, 'use = ["timestamp"]'), datetime.now(UTC))
    assert (report.ok, report.sub_indication) == (False, "NO_CERTIFICATE_CHAIN_FOUND")


@pytest.mark.parametrize(
    "entry",
    [
        'name = "邻市"',
        "valid_to = 2026-01-01T00:00:00",
        "until = 2027-01-01",
        'use = ["all"]',
        '[[anchor]]\nfile = "root.crt"',
        '[[anchor]]\nfile = "ca.crt"',
        "= broken",
    ],
)
def test_a_limit_that_is_not_understood_stops_the_verifier(pki: DevPki, tmp_path: Path, entry: str) -> None:
    with pytest.raises(SetupError, match=r"trust\.toml"):
        limited(pki, tmp_path, entry)
