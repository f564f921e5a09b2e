"""Archive packages check themselves: every change of any part is named."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from docproc.domain import Licence
from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.timestamp_token import make_token
from docproc.licence.pki.trust import TrustList
from docproc.licence.verify.package import HASHES, LICENCE, METADATA, SIGNED, STAMPED, make_package, verify_package


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def package(sealed: bytes, licence: Licence, pki: DevPki) -> bytes:
    return packed_now(sealed, licence, pki)


def packed_now(sealed: bytes, licence: Licence, pki: DevPki) -> bytes:
    files = {
        LICENCE: sealed,
        METADATA: json.dumps({"number": licence.number}).encode(),
        "originals/001-样例.png": b"\x89PNG sample",
    }
    return make_package(files, pki.signer(), lambda digest: make_token(digest, pki.timestamper(now)))


def changed(package: bytes, changes: dict[str, bytes | None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as packed:
        files: dict[str, bytes | None] = {name: packed.read(name) for name in packed.namelist()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in (files | changes).items():
            if data is not None:
                packed.writestr(name, data)
    return out.getvalue()


def test_a_whole_package_verifies_on_its_own(sealed: bytes, licence: Licence, pki: DevPki, trust: TrustList) -> None:
    begun = now().replace(microsecond=0)  # time-stamps count whole seconds
    report = verify_package(packed_now(sealed, licence, pki), trust, now())
    assert (report.ok, report.problems, report.number, report.files) == (True, (), licence.number, 3)
    assert report.sealed_at is not None and begun <= report.sealed_at <= now()
    assert report.licence is not None and report.licence.indication == "TOTAL-PASSED"


def test_repacking_the_same_files_changes_nothing(package: bytes, trust: TrustList) -> None:
    assert verify_package(changed(package, {}), trust, now()).ok


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"originals/001-样例.png": b"other"}, "originals/001-样例.png was changed"),
        ({"originals/001-样例.png": None}, "originals/001-样例.png is missing"),
        ({"originals/002.png": b"more"}, "originals/002.png was added"),
        ({HASHES: b"{}"}, "hashes.json is not what was signed"),
        ({SIGNED: b"a.b.c"}, "not a whole package"),
        ({STAMPED: None}, "not a whole package"),
        ({METADATA: b'{"number": "JY1"}'}, "metadata.json was changed"),
    ],
)
def test_every_change_is_named(
    package: bytes, trust: TrustList, changes: dict[str, bytes | None], problem: str
) -> None:
    report = verify_package(changed(package, changes), trust, now())
    assert not report.ok
    assert any(problem in item for item in report.problems), report.problems


def test_any_bytes_get_a_verdict(package: bytes, trust: TrustList, fresh_pki: DevPki) -> None:
    for data in (b"", b"PK\x03\x04junk", package[: len(package) // 2]):
        assert not verify_package(data, trust, now()).ok
    assert not verify_package(package, fresh_pki.trust_list(), now()).ok


def test_a_package_whose_time_stamp_wore_out_says_so(package: bytes, trust: TrustList) -> None:
    told = verify_package(package, trust, now() + timedelta(days=366 * 12)).problems
    assert any(item.startswith(f"{STAMPED} wore out on 20") for item in told), told
    assert any(item.startswith(f"{LICENCE}: INDETERMINATE NO_POE") for item in told), told
    assert not verify_package(package, trust, now() + timedelta(days=400)).problems
