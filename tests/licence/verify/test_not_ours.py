"""Files that others signed, that nobody signed, or that cannot be read: none is called altered, none is good."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pymupdf
import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper, Signer, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from docproc.domain import Licence
from docproc.licence.devpki.pki import AUTHORITY_CODE, make_dev_pki, new_rsa
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import render
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.headline import headline
from docproc.licence.report.report import VerificationReport
from docproc.licence.verify.verify import verify
from docproc.licence.verify.verify_limited import verify_limited
from tests.licence.attacks import annotate, edited
from tests.licence.book import Book

Make = Callable[..., bytes]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> DevPki:
    """Another authority's PKI; nobody here trusts its root."""
    folder = tmp_path_factory.mktemp("stranger")
    make_dev_pki(folder, at=now())
    return DevPki(folder)


def paper(objects: bool = False) -> bytes:
    """A contract, or whatever else people sign."""
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "any paper")
    return bytes(document.tobytes(use_objstms=objects, garbage=1 if objects else 0))


def signed(data: bytes, signer: Signer, name: str = "Signature1", stamp: object = None, **meta: object) -> bytes:
    """A signature as the stock library makes it."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    tool = PdfSigner(
        PdfSignatureMetadata(field_name=name, **meta),  # type: ignore[arg-type]
        signer,
        timestamper=stamp,  # type: ignore[arg-type]
        new_field_spec=SigFieldSpec(name, box=(10, 10, 100, 60)),
    )
    return bytes(tool.sign_pdf(writer).getvalue())


def filled(data: bytes) -> bytes:
    """A note added after signing, which the signer allowed."""
    return edited(data, annotate)


def stamped(data: bytes, stranger: DevPki) -> bytes:
    out = PdfTimeStamper(stranger.timestamper(now)).timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(data)), "sha256")
    return bytes(out.getvalue())


CADES = {"subfilter": SigSeedSubFilter.PADES}
SHAPES: dict[str, Callable[[DevPki], bytes]] = {
    "approval": lambda pki: signed(paper(), pki.signer("seal-rsa")),
    "PAdES B-B": lambda pki: signed(paper(), pki.signer("seal-p256"), **CADES),
    "PAdES B-T": lambda pki: signed(paper(), pki.signer("seal-p256"), stamp=pki.timestamper(now), **CADES),
    "in the field that ours use": lambda pki: signed(paper(), pki.signer("seal-rsa"), "Seal", **CADES),
    "certified, nothing allowed": lambda pki: signed(
        paper(), pki.signer("seal-rsa"), certify=True, docmdp_permissions=MDPPerm.NO_CHANGES, **CADES
    ),
    "certified, then a note": lambda pki: filled(
        signed(paper(), pki.signer("seal-rsa"), certify=True, docmdp_permissions=MDPPerm.ANNOTATE)
    ),
    "two persons": lambda pki: signed(signed(paper(), pki.signer("seal-rsa")), pki.signer("seal-p256"), "Signature2"),
    "a file of object streams": lambda pki: signed(paper(objects=True), pki.signer("seal-rsa")),
    "archived": lambda pki: stamped(signed(paper(), pki.signer("seal-rsa"), **CADES), pki),
    "a time-stamp alone": lambda pki: stamped(paper(), pki),
    "SHA-512": lambda pki: signed(paper(), pki.signer("seal-rsa"), md_algorithm="sha512"),
    "bytes after the end": lambda pki: signed(paper(), pki.signer("seal-rsa")) + b"\n\n",
}
_MADE: dict[str, bytes] = {}


def of(stranger: DevPki, shape: str) -> bytes:
    if shape not in _MADE:
        _MADE[shape] = SHAPES[shape](stranger)
    return _MADE[shape]


def told(report: VerificationReport) -> tuple[bool, str, str, str | None]:
    return report.ok, report.indication, report.integrity, report.reason


NOT_OURS = (False, "INDETERMINATE", "unknown", "not-ours")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_others_signed_is_not_ours_and_not_altered(
    stranger: DevPki, trust: TrustList, sealed: bytes, shape: str
) -> None:
    report = verify(of(stranger, shape), trust, now(), Book(sealed))
    assert told(report) == NOT_OURS
    assert report.signatures and report.number is None and report.issued == "unknown"
    said = headline(report)
    assert said.startswith("不是本机关签发，无法核验") and "本机关没有签发过这个文件" in said
    assert "改动" not in said and "请勿采信" not in said
    assert verify(of(stranger, shape), trust, now()).reason == "not-ours"


@pytest.mark.parametrize("shape", SHAPES)
def test_the_child_finds_the_same(stranger: DevPki, trust: TrustList, shape: str) -> None:
    assert told(verify_limited(of(stranger, shape), trust, now(), seconds=5)) == NOT_OURS


@pytest.mark.parametrize("shape", ["approval", "PAdES B-T", "two persons"])
def test_what_others_signed_is_altered_where_a_signed_byte_changed(
    stranger: DevPki, trust: TrustList, shape: str
) -> None:
    data = of(stranger, shape)
    place = data.index(b"/MediaBox")
    report = verify(data[:place] + b"/mediaBox" + data[place + 9 :], trust, now())
    assert told(report) == (False, "TOTAL-FAILED", "altered", None)
    assert report.sub_indication == "HASH_FAILURE"


def test_a_signature_by_another_key_than_it_names_is_altered(stranger: DevPki, trust: TrustList) -> None:
    data = of(stranger, "approval")
    start = data.index(b"/Contents <") + 11
    report = verify(data, trust, now())
    assert report.integrity == "unknown"
    held = bytes.fromhex(data[start : data.index(b">", start)].decode())
    end = len(held.rstrip(b"\0"))
    broken = held[: end - 9] + bytes([held[end - 9] ^ 1]) + held[end - 8 :]
    forged = data[:start] + broken.hex().encode() + data[start + 2 * len(broken) :]
    found = verify(forged, trust, now())
    assert (found.indication, found.sub_indication, found.integrity) == (
        "TOTAL-FAILED",
        "SIG_CRYPTO_FAILURE",
        "altered",
    )


def test_a_self_signed_certificate_is_not_ours(trust: TrustList) -> None:
    from datetime import timedelta

    from asn1crypto.keys import PrivateKeyInfo
    from cryptography import x509 as pyca
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = new_rsa()
    name = pyca.Name([pyca.NameAttribute(pyca.NameOID.COMMON_NAME, "本机关（自称）")])
    made = pyca.CertificateBuilder(
        name, name, key.public_key(), 7, now() - timedelta(days=1), now() + timedelta(days=9)
    )
    certificate = x509.Certificate.load(made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
    secret = PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    signer = SimpleSigner(certificate, secret, SimpleCertificateStore())
    assert told(verify(signed(paper(), signer), trust, now())) == NOT_OURS


def test_a_forgery_that_bears_our_name_is_told_as_none_of_ours(
    stranger: DevPki, trust: TrustList, make_sealed: Make, sealed: bytes, licence: Licence
) -> None:
    """Names, layout and numbers are ours, only the key is not."""
    forged = make_sealed(stranger)
    report = verify(forged, trust, now(), Book(sealed), own=AUTHORITY_CODE)
    assert (report.ok, report.indication, report.sub_indication, report.reason, report.claimed) == (
        *(False, "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "not-ours"),
        True,
    )
    assert headline(report) == "文件自称是本机关签发的证照，但签章不是本机关的：本机关没有签发过这个文件，请勿采信。"
    changed = replace(licence, number="JY29900990000999")
    other = make_sealed(stranger, data=render(changed, load_layout("food_business")))
    assert verify(other, trust, now(), Book(sealed), own=AUTHORITY_CODE).claimed
    assert verify(edited(forged, annotate), trust, now(), Book(sealed), own=AUTHORITY_CODE).claimed
    elsewhere = replace(changed, authority_code="11990099MB0000001X")
    foreign = make_sealed(stranger, data=render(elsewhere, load_layout("food_business")))
    found = verify(foreign, trust, now(), Book(sealed), own=AUTHORITY_CODE)
    assert (found.reason, found.claimed) == ("not-ours", False)


def test_what_the_register_has_is_ours_whoever_is_trusted_today(
    stranger: DevPki, trust: TrustList, make_sealed: Make
) -> None:
    """A PKI was changed, and its root is no longer in the trust folder."""
    data = make_sealed(stranger)
    report = verify(data, trust, now(), Book(data), own=AUTHORITY_CODE)
    assert (report.ok, report.issued, report.reason, report.claimed) == (False, "as-issued", None, False)
    assert "逐字节一致" in headline(report)


def test_our_own_key_on_another_paper_is_not_altered(pki: DevPki, trust: TrustList) -> None:
    """A public CA stands behind many firms' signatures; what they sign is not licences."""
    report = verify(signed(paper(), pki.signer("seal-rsa")), trust, now())
    assert told(report) == NOT_OURS


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("licence.pdf", b"%PDF-1.7")
    return out.getvalue()


def photograph() -> bytes:
    with pymupdf.open(stream=paper()) as document:
        return bytes(document[0].get_pixmap(dpi=50).tobytes("jpeg"))


def locked(**words: str) -> bytes:
    with pymupdf.open(stream=paper()) as document:
        return bytes(document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, permissions=0, **words))


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


OTHERS: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "unsigned": (paper, "no-signature", "没有电子印章"),
    "unsigned, of object streams": (lambda: paper(objects=True), "no-signature", "没有电子印章"),
    "encrypted": (lambda: locked(owner_pw="o", user_pw="u"), "encrypted", "已加密"),
    "encrypted without a password to open": (lambda: locked(owner_pw="o"), "encrypted", "已加密"),
    "JPEG": (photograph, "not-a-pdf", "不是 PDF"),
    "ZIP": (zipped, "not-a-pdf", "不是 PDF"),
    "empty": (lambda: b"", "not-a-pdf", "不是 PDF"),
    "cut": (lambda: cut(paper()), "unreadable", "无法读取"),
    "header alone": (lambda: b"%PDF-1.7\n", "unreadable", "无法读取"),
    "nested": (lambda: b"%PDF-1.7\n1 0 obj\n" + b"[" * 20000 + b"]" * 20000 + b"\nendobj\n", "unreadable", "无法读取"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_cannot_be_judged_says_why(trust: TrustList, kind: str) -> None:
    make, reason, words = OTHERS[kind]
    report = verify_limited(make(), trust, now(), seconds=5)
    assert (report.ok, report.integrity, report.reason) == (False, "unknown", reason)
    assert words in headline(report) and "改动" not in headline(report)
    assert report.to_json()["reason"] == reason


def test_an_unsealed_page_of_ours_has_no_signature(pdf: bytes, trust: TrustList) -> None:
    assert told(verify(pdf, trust, now())) == (False, "NO-SIGNATURE", "unknown", "no-signature")


def test_a_cut_licence_is_altered(sealed: bytes, trust: TrustList) -> None:
    assert told(verify(sealed[: len(sealed) - 40], trust, now()))[2:] == ("altered", None)
