from __future__ import annotations

import io
import re
import socket
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms, crl, ocsp, tsp, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm

from docproc.assets.paths import font
from docproc.errors import SealError, SealUnavailableError
from docproc.licence.devpki.pki import AUTHORITY, TSA, issue, make_dev_pki, new_p256, new_rsa, organisation, write_p12
from docproc.licence.devpki.pki_server import serving
from docproc.licence.devpki.responder import DevPki
from docproc.licence.keys.keys import KeySigner, load_pkcs12
from docproc.licence.page.art import SealArt, draw
from docproc.licence.page.canvas import PT
from docproc.licence.page.layout import SealPlace, load_layout
from docproc.licence.pki.trust import RevocationEvidence, SealTrust, TrustList
from docproc.licence.pki.tsa import HttpTimeStamper, LocalTimeStamper, TimeStamper
from docproc.licence.seal.seal import LEVELS, Level, seal
from docproc.licence.verify.verify import verify
from tests.judges.tools import pdfsig_text
from tests.servers.processes import find_program

PLACE = load_layout("food_business").seal
Make = Callable[..., bytes]


def now() -> datetime:
    return datetime.now(UTC)


def embedded(pdf: bytes) -> list[object]:
    return list(PdfFileReader(io.BytesIO(pdf)).embedded_signatures)


@pytest.mark.parametrize("name", ["seal-rsa", "seal-p256"])
def test_an_archived_seal_verifies(pki: DevPki, trust: TrustList, make_sealed: Make, name: str) -> None:
    report = verify(make_sealed(pki, name=name), trust, now())
    assert report.ok, report
    assert (report.indication, report.integrity, report.signatures[0].level) == ("TOTAL-PASSED", "intact", "B-LTA")
    assert report.signatures[0].signer == AUTHORITY
    assert report.signatures[0].time is not None
    assert abs(report.signatures[0].time - now()) < timedelta(minutes=5)


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_the_one_asked_for(pki: DevPki, trust: TrustList, make_sealed: Make, level: Level) -> None:
    found = make_sealed(pki, level)
    report = verify(found, trust, now())
    assert report.signatures[0].level == level
    assert report.integrity == "intact"
    # nobody but the issuer can say that a certificate is not revoked, and the lower levels do not carry its word
    assert report.ok == (level in ("B-LT", "B-LTA"))
    assert (report.indication == "TOTAL-PASSED") == report.ok


def test_the_seal_locks_the_document_and_the_archive_stamp_covers_it_all(sealed: bytes) -> None:
    signature, stamp = embedded(sealed)
    assert signature.docmdp_level == MDPPerm.NO_CHANGES
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.sig_object["/Reason"] == "签发"
    assert stamp.sig_object_type == "/DocTimeStamp"
    end = signature.byte_range[2] + signature.byte_range[3]
    assert b"/DSS" in sealed[end : stamp.byte_range[1]], "validation data come with the stamp, before its gap"
    assert stamp.byte_range[2] + stamp.byte_range[3] == len(sealed)


def test_the_visible_seal_is_the_art_at_its_place(sealed: bytes, art: SealArt) -> None:
    field = embedded(sealed)[0].sig_field
    left, bottom, right, top = (float(value) for value in field["/Rect"])
    assert (right - left) / PT == pytest.approx(art.diameter, abs=0.01)
    assert (top - bottom) / PT == pytest.approx(art.diameter, abs=0.01)
    assert (left + right) / 2 / PT == pytest.approx(PLACE.x, abs=0.01)
    assert 210 - (bottom + top) / 2 / PT == pytest.approx(PLACE.y, abs=0.01)
    form = field["/AP"]["/N"]
    assert form.data.endswith(art.operators)
    assert [float(value) for value in form["/BBox"]] == pytest.approx([0, 0, right - left, top - bottom], abs=0.02)


def test_poppler_accepts_the_signature(sealed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    said = pdfsig_text(path)
    assert "Signature is Valid" in said
    assert "ETSI.CAdES.detached" in said
    assert AUTHORITY in said


def unpadded(contents: bytes) -> bytes:
    """A DER sequence with a two-byte length, without the zeros that fill its place in the file."""
    return contents[: 4 + int.from_bytes(contents[2:4], "big")]


def openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_program("openssl", "scripts/servers tools"), *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["seal-rsa", "seal-p256"])
def test_openssl_accepts_the_cades_signature(pki: DevPki, make_sealed: Make, name: str, tmp_path: Path) -> None:
    pdf = make_sealed(pki, name=name)
    signature = embedded(pdf)[0]
    start, first, second, length = signature.byte_range
    content = pdf[start : start + first] + pdf[second : second + length]
    (tmp_path / "cms.der").write_bytes(unpadded(signature.pkcs7_content))
    (tmp_path / "content").write_bytes(content)
    signed = ("-binary", "-inform", "DER", "-in", str(tmp_path / "cms.der"))
    trusted = ("-CAfile", str(pki.folder / "trust" / "root.crt"), "-purpose", "any")
    common = ("cms", "-verify", "-cades", *signed, *trusted, "-out", str(tmp_path / "out"))
    good = openssl(*common, "-content", str(tmp_path / "content"))
    assert good.returncode == 0, good.stderr
    (tmp_path / "content").write_bytes(content[:-1] + b"?")
    assert openssl(*common, "-content", str(tmp_path / "content")).returncode != 0


def test_openssl_accepts_the_archive_time_stamp(pki: DevPki, sealed: bytes, tmp_path: Path) -> None:
    stamp = embedded(sealed)[1]
    start, first, second, length = stamp.byte_range
    (tmp_path / "data").write_bytes(sealed[start : start + first] + sealed[second : second + length])
    token = cms.ContentInfo.load(stamp.pkcs7_content)
    (tmp_path / "token.der").write_bytes(unpadded(stamp.pkcs7_content))
    trust = pki.folder / "trust"
    stamped = ("-data", str(tmp_path / "data"), "-in", str(tmp_path / "token.der"), "-token_in")
    trusted = ("-CAfile", str(trust / "root.crt"), "-untrusted", str(trust / "ca.crt"))
    done = openssl("ts", "-verify", *stamped, *trusted)
    assert done.returncode == 0, done.stderr
    assert isinstance(token["content"]["encap_content_info"]["content"].parsed, tsp.TSTInfo)


def test_sealing_over_the_network_gives_the_same_level(tmp_path: Path, pdf: bytes, art: SealArt) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    make_dev_pki(tmp_path / "pki", at=now(), base_url=f"http://127.0.0.1:{port}")
    pki = DevPki(tmp_path / "pki")

    def go() -> bytes:
        return seal(
            pdf,
            pki.signer(),
            HttpTimeStamper(f"{pki.base_url}/tsa", timeout=2),
            pki.online_trust(),
            place=PLACE,
            art=art,
            reason="签发",
            at=now(),
        )

    with serving(pki, now, port=port):
        report = verify(go(), pki.trust_list(), now())
        assert report.ok, report
        assert report.signatures[0].level == "B-LTA"
    with pytest.raises(SealUnavailableError):
        go()


def seal_with(pdf: bytes, art: SealArt, pki: DevPki, **changes: object) -> bytes:
    arguments: dict[str, object] = {
        "pdf": pdf,
        "signer": pki.signer(),
        "timestamper": pki.timestamper(now),
        "trust": pki.seal_trust(),
        "place": PLACE,
        "art": art,
        "reason": "签发",
        "at": now(),
    } | changes
    return seal(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", ["B-T", "B-LT", "B-LTA"])
def test_without_a_time_stamp_nothing_is_sealed(pki: DevPki, pdf: bytes, art: SealArt, level: Level) -> None:
    nobody = HttpTimeStamper("http://127.0.0.1:9/tsa", timeout=1)
    with pytest.raises(SealUnavailableError):
        seal_with(pdf, art, pki, timestamper=nobody, level=level)
    with pytest.raises(SealError, match="time-stamping"):
        seal_with(pdf, art, pki, timestamper=None, level=level)


@pytest.mark.parametrize(("minutes", "agree"), [(4, True), (-4, True), (6, False), (-6, False)])
def test_a_time_stamp_that_is_off_this_clock_does_not_seal(
    pki: DevPki, pdf: bytes, art: SealArt, minutes: int, agree: bool
) -> None:
    off = pki.timestamper(lambda: now() + timedelta(minutes=minutes))
    if agree:
        assert seal_with(pdf, art, pki, timestamper=off)
        return
    with pytest.raises(SealUnavailableError, match="set the wrong clock") as waiting:
        seal_with(pdf, art, pki, timestamper=off)
    assert "校准时钟" in waiting.value.message_zh


class Turning(TimeStamper):
    """A service that changes its key and certificate when it is told to."""

    def __init__(self, first: TimeStamper, second: TimeStamper) -> None:
        super().__init__(include_nonce=True)  # type: ignore[no-untyped-call]
        self.now, self.next = first, second

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return await self.now.async_request_tsa_response(req)


def test_a_new_certificate_of_the_time_stamping_service_is_taken_up(
    fresh_pki: DevPki, pdf: bytes, art: SealArt
) -> None:
    ca, root = fresh_pki.issued("ca"), fresh_pki.issued("root")
    made = issue(
        ca, organisation("示例时间戳服务机构二（样例）"), TSA, now() - timedelta(hours=1), fresh_pki.base_url, new_rsa()
    )
    path = fresh_pki.folder / "tsa-new.p12"
    write_p12(path, made, [ca.certificate, root.certificate], fresh_pki.passphrase)
    later = LocalTimeStamper(load_pkcs12(path, fresh_pki.passphrase), now)
    service = Turning(fresh_pki.timestamper(now), later)
    assert seal_with(pdf, art, fresh_pki, timestamper=service)
    service.now = service.next
    with pytest.raises(SealUnavailableError, match="new certificate"):
        seal_with(pdf, art, fresh_pki, timestamper=service)
    sealed = seal_with(pdf, art, fresh_pki, timestamper=service)
    assert verify(sealed, fresh_pki.trust_list(), now()).ok


@pytest.mark.parametrize("level", LEVELS)
def test_without_revocation_information_nothing_is_sealed(pki: DevPki, pdf: bytes, art: SealArt, level: Level) -> None:
    known = pki.seal_trust()

    def down(at: datetime) -> RevocationEvidence:
        raise ConnectionRefusedError("revocation service")

    for evidence in (down, lambda at: RevocationEvidence()):
        with pytest.raises(SealUnavailableError):
            seal_with(pdf, art, pki, level=level, trust=SealTrust(known.roots, known.intermediates, evidence))


@pytest.mark.parametrize("level", LEVELS)
def test_a_revoked_certificate_does_not_seal(fresh_pki: DevPki, pdf: bytes, art: SealArt, level: Level) -> None:
    fresh_pki.revoke(fresh_pki.signer().signing_cert.serial_number, now() - timedelta(minutes=1))
    with pytest.raises(SealError, match="revoked") as caught:
        seal_with(pdf, art, fresh_pki, level=level)
    assert not isinstance(caught.value, SealUnavailableError), "waiting does not help"
    assert "已被撤销" in caught.value.message_zh


@pytest.mark.parametrize("revoked", ["tsa", "seal-rsa"])
def test_a_certificate_that_is_revoked_during_a_batch_does_not_seal_the_next_file(
    fresh_pki: DevPki, pdf: bytes, art: SealArt, revoked: str
) -> None:
    signer, service, trust = fresh_pki.signer(), fresh_pki.timestamper(now), fresh_pki.seal_trust()
    for _ in range(2):  # from the second one on what was checked is remembered
        assert seal_with(pdf, art, fresh_pki, signer=signer, timestamper=service, trust=trust)
    fresh_pki.revoke(fresh_pki.signer(revoked).signing_cert.serial_number, now() - timedelta(seconds=1))
    with pytest.raises(SealError, match="revoked"):
        seal_with(pdf, art, fresh_pki, signer=signer, timestamper=service, trust=trust)


@pytest.mark.parametrize("level", LEVELS)
def test_before_its_period_a_certificate_does_not_seal(
    early_pki: DevPki, pdf: bytes, art: SealArt, level: Level
) -> None:
    with pytest.raises(SealError, match="end-entity certificate is not valid until") as caught:
        seal_with(pdf, art, early_pki, signer=early_pki.signer("seal-early"), level=level)
    assert not isinstance(caught.value, SealUnavailableError), "no retry: somebody must look at the certificate"
    assert "尚未生效" in caught.value.message_zh


def damaged(value: bytes) -> bytes:
    """DER whose signature, the last thing in it, is another."""
    return value[:-1] + bytes([value[-1] ^ 1])


@pytest.mark.parametrize("kind", ["CRLs alone", "CRLs", "OCSP alone", "all"])
def test_damaged_revocation_information_does_not_seal(pki: DevPki, pdf: bytes, art: SealArt, kind: str) -> None:
    known = pki.seal_trust()
    good = known.evidence(now())  # type: ignore[misc]
    crls = tuple(crl.CertificateList.load(damaged(item.dump())) for item in good.crls)
    ocsps = tuple(ocsp.OCSPResponse.load(spoiled(item)) for item in good.ocsps)
    evidence = {
        "CRLs alone": RevocationEvidence(crls),
        "CRLs": RevocationEvidence(crls, good.ocsps),
        "OCSP alone": RevocationEvidence((), ocsps),
        "all": RevocationEvidence(crls, ocsps),
    }[kind]
    with pytest.raises(SealError) as caught:
        seal_with(pdf, art, pki, trust=SealTrust(known.roots, known.intermediates, lambda at: evidence))
    assert re.search("[\u4e00-\u9fff]", caught.value.message_zh)


def spoiled(response: ocsp.OCSPResponse) -> bytes:
    """An OCSP response whose signature does not fit."""
    signature = response.basic_ocsp_response["signature"].native
    return response.dump().replace(signature, damaged(signature))


def test_a_seal_whose_authority_did_not_sign_its_certificate_does_not_seal(
    pki: DevPki, pdf: bytes, art: SealArt
) -> None:
    signer = pki.signer()
    forged = x509.Certificate.load(damaged(signer.signing_cert.dump()))
    with pytest.raises(SealError, match=r"signature .* could not be verified") as caught:
        seal_with(pdf, art, pki, signer=KeySigner(new_p256(), forged, tuple(signer.cert_registry)))
    assert "无效" in caught.value.message_zh


@pytest.mark.parametrize("days", [-2, 3 * 366])
def test_outside_its_period_a_certificate_does_not_seal(pki: DevPki, pdf: bytes, art: SealArt, days: int) -> None:
    at = now() + timedelta(days=days)
    with pytest.raises(SealError, match=r"not valid until|expired") as caught:
        seal_with(pdf, art, pki, at=at, timestamper=pki.timestamper(lambda: at))
    assert not isinstance(caught.value, SealUnavailableError)
    assert ("尚未生效" if days < 0 else "已过期") in caught.value.message_zh


def test_a_certificate_that_is_not_for_sealing_does_not_seal(pki: DevPki, pdf: bytes, art: SealArt) -> None:
    with pytest.raises(SealError, match="not good for sealing"):
        seal_with(pdf, art, pki, signer=pki.signer("tsa"))


def test_a_certificate_of_an_unknown_authority_does_not_seal(
    pki: DevPki, fresh_pki: DevPki, pdf: bytes, art: SealArt
) -> None:
    with pytest.raises(SealError, match="not good for sealing"):
        seal_with(pdf, art, pki, signer=fresh_pki.signer())


def test_a_sealed_file_is_not_sealed_again(pki: DevPki, sealed: bytes, art: SealArt) -> None:
    with pytest.raises(SealError):
        seal_with(sealed, art, pki)


def test_what_is_no_pdf_is_not_sealed(pki: DevPki, art: SealArt) -> None:
    with pytest.raises(SealError, match="cannot be sealed"):
        seal_with(b"not a pdf", art, pki)


def test_art_of_another_size_is_refused(pki: DevPki, pdf: bytes, art: SealArt) -> None:
    with pytest.raises(SealError, match="across"):
        seal_with(pdf, draw(AUTHORITY, font(), diameter=40.0), pki)
    with pytest.raises(SealError, match="across"):
        seal_with(pdf, art, pki, place=SealPlace(100, 100, 45))
