"""SM2 seals: good by our mathematics and by BouncyCastle's, never passed, refused when anything is wrong."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pymupdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from docproc.cli.main import app
from docproc.domain import Licence
from docproc.errors import SealError, SetupError
from docproc.licence.devpki.pki import AUTHORITY, CA, SEAL, make_dev_pki, seal_subject
from docproc.licence.devpki.responder import DevPki
from docproc.licence.devpki.sm2_pki import SM2_SEAL, IssuedSm2Key, issue_sm2, make_sm2_list, make_sm2_pki
from docproc.licence.keys.sm2 import SM2_WITH_SM3, new_sm2, sm3, verifies
from docproc.licence.keys.sm2_signer import Sm2Signer, load_sm2
from docproc.licence.page.art import SealArt
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import render
from docproc.licence.pki.trust import RevocationEvidence, SealTrust, TrustList
from docproc.licence.report.headline import headline
from docproc.licence.report.report import NATIONAL, VerificationReport
from docproc.licence.report.report_pdf import report_pdf
from docproc.licence.report.report_xml import report_xml
from docproc.licence.seal.seal import PlacedSeal, seal
from docproc.licence.verify.verify import verify
from docproc.licence.verify.verify_limited import verify_limited
from tests.judges.judges import bouncycastle
from tests.licence.conftest import now
from tests.servers.processes import find_program

SM3_OF_ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
AT = now()
"""One moment for all that is made and judged here; nothing reads the clock itself."""
"""GB/T 32905-2016, A.1."""


@pytest.fixture(scope="module")
def sm2_pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pki(tmp_path_factory.mktemp("sm2"))


@pytest.fixture(scope="module")
def known(sm2_pki: Path) -> TrustList:
    return TrustList.from_folder(sm2_pki / "trust")


@pytest.fixture(scope="module")
def signer(sm2_pki: Path) -> Sm2Signer:
    return open_seal(sm2_pki)


@pytest.fixture(scope="module")
def make(pdf: bytes, art: SealArt, known: TrustList, sm2_pki: Path) -> Callable[..., bytes]:
    lists = DevPki(sm2_pki).seal_trust().lists

    def sealed_by(signer: Sm2Signer, data: bytes = pdf, trust: TrustList = known) -> bytes:
        return seal_with(signer, data, art, SealTrust(trust.roots, trust.intermediates, lists=lists))

    return sealed_by


@pytest.fixture(scope="module")
def national(make: Callable[..., bytes], signer: Sm2Signer) -> bytes:
    return make(signer)


def make_pki(folder: Path) -> Path:
    make_dev_pki(folder, at=AT)
    make_sm2_pki(folder, at=AT)
    return folder


def open_seal(folder: Path) -> Sm2Signer:
    return load_sm2(folder / f"{SM2_SEAL}.pem", (folder / "passphrase").read_bytes())


def seal_with(signer: Sm2Signer, data: bytes, art: SealArt, trust: SealTrust) -> bytes:
    place = load_layout("food_business").seal
    return seal(data, signer, None, trust, place=place, art=art, reason="签发", at=AT, level="B-B")


def shrunk_page(data: bytes) -> bytes:
    changed = re.sub(rb"/MediaBox ?\[0 0 595", b"/MediaBox [0 0 594", data, count=1)
    if changed == data:
        changed = data.replace(b"/Lang (zh-CN)", b"/Lang (zh-TW)", 1)
    assert changed != data
    assert len(changed) == len(data)
    return changed


def told(report: VerificationReport) -> tuple[str, str | None, str]:
    return report.indication, report.sub_indication, report.integrity


def test_the_hash_is_that_of_the_standard() -> None:
    assert sm3(b"abc").hex() == SM3_OF_ABC


def test_a_good_seal_is_named_for_what_it_is_and_never_passed(national: bytes, known: TrustList) -> None:
    for report in (verify(national, known, AT), verify_limited(national, known, AT)):
        assert told(report) == ("INDETERMINATE", NATIONAL, "intact")
        assert not report.ok
        (found,) = report.signatures
        assert (found.signer, found.level, found.algorithm, found.time) == (AUTHORITY, "B-B", "SM2", None)
        assert found.coverage == "ENTIRE_FILE"
        assert "国密 SM2/SM3" in headline(report)
        assert "核验相符" in headline(report)
        assert "不能据此认定印章有效" in headline(report)
        assert report.to_json()["signatures"][0]["algorithm"] == "SM2"
        revoked = headline(replace(report, status="revoked"))
        assert revoked.endswith("证照已作废（依法撤销、撤回、吊销或者注销）。")


def test_bouncycastle_accepts_it_and_both_refuse_an_altered_file(
    national: bytes, known: TrustList, tmp_path: Path
) -> None:
    good, changed = tmp_path / "good.pdf", tmp_path / "changed.pdf"
    good.write_bytes(national)
    changed.write_bytes(shrunk_page(national))
    accepted, refused = bouncycastle([good, changed])
    assert [(item.valid, item.covers_file, item.algorithm) for item in accepted.signatures] == [
        (True, True, SM2_WITH_SM3)
    ]
    assert [item.valid for item in refused.signatures] == [False]
    report = verify(changed.read_bytes(), known, AT)
    assert told(report) == ("TOTAL-FAILED", "HASH_FAILURE", "altered")
    assert headline(report) == "文件已被改动或损坏，不是有效的电子证照。"


def test_a_signature_by_another_key_fails(
    make: Callable[..., bytes], signer: Sm2Signer, known: TrustList, tmp_path: Path
) -> None:
    forged = tmp_path / "forged.pdf"
    forged.write_bytes(make(Sm2Signer(new_sm2(), signer.signing_cert, tuple(known.intermediates))))
    assert told(verify(forged.read_bytes(), known, AT)) == ("TOTAL-FAILED", "SIG_CRYPTO_FAILURE", "altered")
    (report,) = bouncycastle([forged])
    assert not report.signatures[0].valid


def test_a_chain_of_strangers_is_not_trusted(national: bytes, tmp_path: Path) -> None:
    strangers = TrustList.from_folder(make_pki(tmp_path / "pki") / "trust")
    report = verify(national, strangers, AT)
    assert told(report) == ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "intact")
    rsa_only = replace(
        strangers, roots=tuple(item for item in strangers.roots if "国密" not in str(item.subject.native))
    )
    assert told(verify(national, rsa_only, AT)) == ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "intact")


def test_an_issuer_of_the_same_name_is_not_the_issuer(national: bytes, known: TrustList, tmp_path: Path) -> None:
    """The real intermediate is known, but the root of its name has another key."""
    strangers = TrustList.from_folder(make_pki(tmp_path / "pki") / "trust")
    report = verify(national, replace(strangers, intermediates=known.intermediates), AT)
    assert told(report) == ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "intact")
    assert "不受信任" in headline(report)


def test_a_seal_is_judged_for_its_term(national: bytes, known: TrustList) -> None:
    assert verify(national, known, AT + timedelta(days=4 * 366)).sub_indication == "OUT_OF_BOUNDS_NO_POE"


def test_another_authoritys_seal_is_refused(make: Callable[..., bytes], sm2_pki: Path, known: TrustList) -> None:
    other = issued(sm2_pki, known, "邻市示例局（样例）", "11999999MB22222222")
    report = verify(make(other), known, AT)
    assert told(report) == ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "intact")


def issued(folder: Path, known: TrustList, owner: str, code: str) -> Sm2Signer:
    authority = ca_of(folder)
    made = issue_sm2(authority, seal_subject(owner, code), SEAL, AT - timedelta(days=1))
    return Sm2Signer(made.key, made.certificate, (authority.certificate,))


def ca_of(folder: Path) -> IssuedSm2Key:
    opened = load_sm2(folder / "ca-sm2.pem", (folder / "passphrase").read_bytes())
    return IssuedSm2Key(opened.key, opened.signing_cert)


def test_a_seal_may_not_issue_seals(sm2_pki: Path, signer: Sm2Signer, known: TrustList) -> None:
    below = issue_sm2(IssuedSm2Key(signer.key, signer.signing_cert), seal_subject(AUTHORITY, "1"), SEAL, AT)
    wider = replace(known, intermediates=(*known.intermediates, signer.signing_cert))
    with pytest.raises(SealError, match="NO_CERTIFICATE_CHAIN_FOUND"):
        refuse(Sm2Signer(below.key, below.certificate, ()), wider)


def test_a_ca_beyond_the_path_length_may_not_issue_seals(sm2_pki: Path, known: TrustList) -> None:
    second = issue_sm2(ca_of(sm2_pki), seal_subject("示例", "2"), CA, AT)
    below = issue_sm2(second, seal_subject(AUTHORITY, "1"), SEAL, AT)
    wider = replace(known, intermediates=(*known.intermediates, second.certificate))
    with pytest.raises(SealError, match="NO_CERTIFICATE_CHAIN_FOUND"):
        refuse(Sm2Signer(below.key, below.certificate, ()), wider)


def refuse(signer: Sm2Signer, trust: TrustList) -> None:
    from docproc.licence.verify.sm2_judge import check_sm2

    check_sm2(signer.signing_cert, trust, AT + timedelta(hours=1))


def test_a_revoked_seal_is_seen_by_a_crl_that_its_issuer_signed(
    national: bytes, sm2_pki: Path, signer: Sm2Signer, known: TrustList
) -> None:
    serial = signer.signing_cert.serial_number
    for authority, expected in ((ca_of(sm2_pki), "REVOKED_NO_POE"), (None, NATIONAL)):
        key = authority.key if authority else new_sm2()
        claimed = Sm2Signer(key, ca_of(sm2_pki).certificate, ())
        listed = make_sm2_list(claimed, AT, AT + timedelta(days=7), {serial: AT})
        report = verify(national, replace(known, evidence=RevocationEvidence(crls=(listed,))), AT)
        assert report.sub_indication == expected


def test_a_licence_with_other_data_or_more_bytes_is_refused(
    national: bytes, make: Callable[..., bytes], signer: Sm2Signer, licence: Licence, known: TrustList
) -> None:
    assert verify(national + b"\n% more", known, AT).integrity == "extended"
    other = render(replace(licence, authority_code="11990099MB99999999"), load_layout("food_business"))
    assert verify(make(signer, other), known, AT).sub_indication == "SIG_CONSTRAINTS_FAILURE"


def test_a_joint_licence_is_no_better_than_its_sm2_seal(
    signer: Sm2Signer, pdf: bytes, art: SealArt, known: TrustList, sm2_pki: Path
) -> None:
    pki = DevPki(sm2_pki)
    place = load_layout("food_business").seal
    made = seal(
        pdf,
        pki.signer(),
        None,
        pki.seal_trust(),
        place=place,
        art=art,
        reason="签发",
        at=AT,
        level="B-B",
        joint=[PlacedSeal(signer, place, art)],
    )
    report = verify(made, known, AT)
    assert not report.ok
    assert [item.algorithm for item in report.signatures] == ["", "SM2"]
    assert report.indication != "TOTAL-PASSED"


def test_reports_say_it_in_chinese(national: bytes, known: TrustList) -> None:
    report = verify(national, known, AT)
    with pymupdf.open(stream=report_pdf(report)) as document:
        text = document[0].get_text()
    assert "国密 SM2/SM3，不按 EN 319 102-1 判定" in text
    assert "结论：不能采信" in text
    xml = report_xml(report).decode()
    assert "mainindication:indeterminate" in xml
    assert "NationalAlgorithm>SM2<" in xml


def test_the_command_makes_the_chain_and_verifies(national: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    assert CliRunner().invoke(app, ["seal", "dev-pki", "--out", str(folder)]).exit_code == 0
    key = (folder / f"{SM2_SEAL}.pem").read_bytes()
    assert (folder / f"{SM2_SEAL}.pem").stat().st_mode & 0o777 == 0o600
    assert CliRunner().invoke(app, ["seal", "dev-pki", "--out", str(folder)]).exit_code == 0
    assert (folder / f"{SM2_SEAL}.pem").read_bytes() == key
    file = tmp_path / "sealed.pdf"
    file.write_bytes(national)
    done = CliRunner().invoke(app, ["verify", str(file), "--trust", str(folder / "trust"), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["ok"] is False


def test_openssl_reads_the_key_and_checks_the_certificates(sm2_pki: Path, tmp_path: Path) -> None:
    openssl = str(find_program("openssl", "scripts/servers tools"))
    key = sm2_pki / f"{SM2_SEAL}.pem"
    secret = f"file:{sm2_pki / 'passphrase'}"
    shown = subprocess.run(
        [openssl, "pkey", "-in", key, "-passin", secret, "-noout", "-text"], capture_output=True, check=True
    )
    assert b"SM2" in shown.stdout
    own = open_seal(sm2_pki).signing_cert
    public, signed, mark = tmp_path / "ca.pub", tmp_path / "signed", tmp_path / "mark"
    authority = sm2_pki / "trust" / "ca-sm2.crt"
    subprocess.run([openssl, "x509", "-in", authority, "-noout", "-pubkey", "-out", public], check=True)
    signed.write_bytes(own["tbs_certificate"].dump())
    mark.write_bytes(own["signature_value"].native)
    identity = ["-sigopt", "distid:1234567812345678"]
    check = [openssl, "dgst", "-sm3", *identity, "-verify", public, "-signature", mark, signed]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0


def test_key_files_that_cannot_be_used_are_refused(sm2_pki: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="dev-pki"):
        load_sm2(tmp_path / "absent.pem", b"x")
    with pytest.raises(SealError, match="passphrase"):
        load_sm2(sm2_pki / f"{SM2_SEAL}.pem", b"wrong")
    with pytest.raises(SealError, match="cannot be opened"):
        load_sm2(sm2_pki / "trust" / "root-sm2.crt", b"x")


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 69), change=st.integers(1, 255))
def test_a_changed_signature_never_verifies(place: int, change: int) -> None:
    made = issue_sm2(None, seal_subject("示例", "1"), CA, AT)
    signature = bytearray(made.key.sign(b"message"))
    assert verifies(made.certificate, b"message", bytes(signature))
    assert not verifies(made.certificate, b"messagf", bytes(signature))
    signature[place % len(signature)] ^= change
    assert not verifies(made.certificate, b"message", bytes(signature))
