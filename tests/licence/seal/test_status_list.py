"""The signed status list: who may say what about whom, and what a verdict makes of it."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from docproc.domain import CHINA, Licence
from docproc.errors import InputError
from docproc.licence.devpki.pki import AUTHORITY_CODE, SEAL, issue, new_p256, seal_subject, write_p12
from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.jose import sign_statement
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.headline import headline
from docproc.licence.report.report import Standing
from docproc.licence.seal.status_list import KIND, LIFE, StatusList, make_status_list, read_status_list
from docproc.licence.verify.verify import verify
from docproc.licence.verify.verify_limited import verify_limited
from tests.licence.conftest import now

SINCE = datetime(2026, 1, 2, 16, tzinfo=UTC)
REVOKED = Standing("revoked", SINCE, "以欺骗手段取得（样例）", "样例法第六十九条")


def listing(**changes: object) -> StatusList:
    at = now()
    given = {"authority_code": AUTHORITY_CODE, "sequence": 7, "issued_at": at, "next_update": at + LIFE, **changes}
    return StatusList(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["seal-rsa", "seal-p256"])
def test_it_comes_back_as_it_was_signed(pki: DevPki, trust: TrustList, name: str) -> None:
    said = listing(standings={"JY1": REVOKED}, superseded=frozenset({"ab" * 32}))
    assert read_status_list(make_status_list(said, pki.signer(name)), trust, now()) == said


def test_a_revoked_licence_with_a_perfect_seal_is_never_good(
    sealed: bytes, licence: Licence, pki: DevPki, trust: TrustList
) -> None:
    text = make_status_list(listing(standings={licence.number: REVOKED}), pki.signer())
    listed = read_status_list(text, trust, now())
    report = verify_limited(sealed, trust, now(), listed=listed)
    assert (report.ok, report.indication, report.integrity) == (False, "TOTAL-PASSED", "intact")
    assert report.to_json()["licence"] == {
        "number": licence.number,
        "status": "revoked",
        "since": SINCE.isoformat(),
        "reason": REVOKED.reason,
        "basis": REVOKED.basis,
    }
    day = f"{SINCE.astimezone(CHINA):%Y年%-m月%-d日}"
    assert headline(report) == f"电子印章有效，但证照已于{day}作废（依法撤销、撤回、吊销或者注销）。"


def test_a_licence_that_is_not_named_is_in_force(sealed: bytes, pki: DevPki, trust: TrustList) -> None:
    listed = read_status_list(make_status_list(listing(), pki.signer()), trust, now())
    report = verify(sealed, trust, now(), listed=listed)
    assert (report.ok, report.status, report.checked_with) == (True, "valid", "status-list")


def test_the_file_of_a_former_version_is_superseded(sealed: bytes, pki: DevPki, trust: TrustList) -> None:
    digest = hashlib.sha256(sealed).hexdigest()
    listed = read_status_list(make_status_list(listing(superseded=frozenset({digest})), pki.signer()), trust, now())
    report = verify(sealed, trust, now(), listed=listed)
    assert (report.ok, report.issued) == (False, "superseded")


@pytest.mark.parametrize("later", [-timedelta(hours=1), LIFE + timedelta(minutes=1)])
def test_a_list_out_of_date_is_not_believed(pki: DevPki, trust: TrustList, later: timedelta) -> None:
    with pytest.raises(InputError, match="fetch a fresh one"):
        read_status_list(make_status_list(listing(), pki.signer()), trust, now() + later)


def test_one_changed_word_is_seen(pki: DevPki, trust: TrustList) -> None:
    head, body, tail = make_status_list(listing(standings={"JY1": REVOKED}), pki.signer()).split(".")
    raw = json.loads(base64.urlsafe_b64decode(body + "=="))
    raw["licences"] = {}
    forged = base64.urlsafe_b64encode(json.dumps(raw).encode()).rstrip(b"=").decode()
    with pytest.raises(InputError, match="damaged"):
        read_status_list(f"{head}.{forged}.{tail}", trust, now())
    with pytest.raises(InputError, match="damaged"):
        read_status_list("not a list", trust, now())


def test_another_kind_of_statement_is_no_list(pki: DevPki, trust: TrustList) -> None:
    with pytest.raises(InputError, match="kind"):
        read_status_list(sign_statement(b"{}", "something-else", pki.signer()), trust, now())
    assert KIND != "something-else"


def test_nobody_speaks_for_another_authority(fresh_pki: DevPki) -> None:
    ca, subject = fresh_pki.issued("ca"), seal_subject("别的机关（样例）", "11990099MB0000001X")
    item = issue(ca, subject, SEAL, now() - timedelta(days=1), fresh_pki.base_url, new_p256())
    chain = [ca.certificate, fresh_pki.issued("root").certificate]
    write_p12(fresh_pki.folder / "other.p12", item, chain, fresh_pki.passphrase)
    with pytest.raises(InputError, match="another authority"):
        read_status_list(make_status_list(listing(), fresh_pki.signer("other")), fresh_pki.trust_list(), now())


def test_a_stranger_or_a_revoked_signer_is_not_believed(pki: DevPki, trust: TrustList, fresh_pki: DevPki) -> None:
    text = make_status_list(listing(), fresh_pki.signer())
    with pytest.raises(InputError, match="not trusted"):
        read_status_list(text, trust, now())
    assert read_status_list(text, fresh_pki.trust_list(), now())
    leaf = fresh_pki.signer().signing_cert
    assert leaf is not None
    fresh_pki.revoke(leaf.serial_number, now())
    with pytest.raises(InputError, match="revoked"):
        read_status_list(text, fresh_pki.trust_list(), now())
