"""The judges accept good files and refuse bad ones; only then is their verdict on our own licences worth something.

The files here are signed by stock pyHanko, not by the code under judgement.
"""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pymupdf
import pytest
from asn1crypto import algos, cms, pem, x509
from cryptography.hazmat.primitives import hashes
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import PdfSignedData

from docproc.licence.devpki.pki import SEALS, make_dev_pki
from docproc.licence.devpki.responder import DevPki
from tests.judges.judges import bouncycastle, dss, verapdf
from tests.judges.tools import openssl_faults, pdfsig, qpdf_check
from tests.servers.processes import find_program

SM3 = "1.2.156.10197.1.401"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
SM2_ID = "distid:1234567812345678"
"""The signer's identity that GB/T 32918 sets when none is agreed."""


def long_after() -> datetime:
    """When all certificates below the root have expired."""
    return datetime.now(UTC) + timedelta(days=20 * 365)


@dataclass(frozen=True)
class Signed:
    """Files signed with RSA and with P-256, in this order, and who vouches for them."""

    basic: list[Path]
    """PAdES B-B."""
    archived: list[Path]
    """PAdES B-LTA."""
    roots: list[Path]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    folder = tmp_path_factory.mktemp("judged")
    make_dev_pki(folder / "pki", at=datetime.now(UTC))
    pki = DevPki(folder / "pki")
    files: dict[bool, list[Path]] = {False: [], True: []}
    for archive, written in files.items():
        for name in SEALS:
            written.append(folder / f"{name}-{archive}.pdf")
            written[-1].write_bytes(sign(pki, name, archive=archive))
    return Signed(files[False], files[True], [pki.folder / "trust" / "root.crt"])


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The root of another PKI whose certificates bear the same names."""
    folder = tmp_path_factory.mktemp("strangers")
    make_dev_pki(folder, at=datetime.now(UTC))
    return [folder / "trust" / "root.crt"]


def page(text: str) -> bytes:
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), text)
    return bytes(document.tobytes())


def sign(pki: DevPki, name: str, *, archive: bool) -> bytes:
    now = datetime.now(UTC)
    key = pki.signer(name)
    context = pki.seal_trust().context(now)
    metadata = signers.PdfSignatureMetadata(
        field_name="Signature",
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        embed_validation_info=archive,
        use_pades_lta=archive,
        validation_context=context if archive else None,
    )
    signer = signers.PdfSigner(
        metadata,
        key,
        timestamper=pki.timestamper(lambda: now) if archive else None,
        new_field_spec=SigFieldSpec("Signature"),
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(page("Judged by others")))
    signed: bytes = asyncio.run(signer.async_sign_pdf(writer)).getvalue()
    return signed


def altered(path: Path, change: Callable[[bytes], bytes]) -> Path:
    target = path.with_name(f"altered-{path.name}")
    data = path.read_bytes()
    target.write_bytes(change(data))
    assert target.read_bytes() != data
    return target


def shrunk_page(data: bytes) -> bytes:
    """One digit inside the signed bytes."""
    return data.replace(b"[0 0 595 842]", b"[0 0 594 842]", 1)


def overdrawn(path: Path) -> Path:
    """A page drawn over in an incremental update, which leaves the signed bytes as they are."""
    target = path.with_name(f"overdrawn-{path.name}")
    target.write_bytes(path.read_bytes())
    with pymupdf.open(target) as document:
        document[0].insert_text((72, 144), "and something else")
        document.saveIncr()
    assert target.read_bytes().startswith(path.read_bytes())
    return target


def test_dss_passes_an_archived_signature(signed: Signed) -> None:
    reports = dss(signed.archived, signed.roots)
    assert len(reports) == 2
    for report in reports:
        (signature,) = report.signatures
        assert (signature.indication, signature.level) == ("TOTAL-PASSED", "PAdES-BASELINE-LTA")
        assert signature.intact
        assert signature.changes == ()
        assert [item.indication for item in report.timestamps] == ["PASSED", "PASSED"]


def test_dss_refuses_changes_garbage_and_missing_proof(signed: Signed, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pdf"
    garbage.write_bytes(b"%PDF-1.7 and nothing else")
    archived = signed.archived[0]
    files = [altered(archived, shrunk_page), overdrawn(archived), garbage, *signed.basic]
    changed, drawn, broken, *unproven = dss(files, signed.roots)
    assert (changed.signatures[0].indication, changed.signatures[0].sub_indication) == ("TOTAL-FAILED", "HASH_FAILURE")
    assert not changed.signatures[0].intact
    assert drawn.signatures[0].changes
    assert broken.error
    for report in unproven:
        assert (report.signatures[0].indication, report.signatures[0].level) == ("INDETERMINATE", "PAdES-BASELINE-B")
        assert "No revocation data found for the certificate!" in report.signatures[0].errors


def test_dss_refuses_strangers(signed: Signed, strangers: list[Path]) -> None:
    for report in dss(signed.archived, strangers):
        assert report.signatures[0].indication == "INDETERMINATE"
        assert report.signatures[0].sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"


def test_dss_judges_for_the_time_that_is_asked(signed: Signed) -> None:
    for report in dss(signed.archived, signed.roots, long_after()):
        assert report.signatures[0].indication == "INDETERMINATE"


def test_bouncycastle_checks_the_mathematics(signed: Signed) -> None:
    changed = [altered(path, shrunk_page) for path in signed.archived]
    reports = bouncycastle([*signed.basic, *signed.archived, *changed])
    for report in reports[:2]:
        assert [(item.valid, item.covers_file) for item in report.signatures] == [(True, True)]
    for report in reports[2:4]:
        assert [(item.valid, item.timestamps) for item in report.signatures] == [(True, (True,)), (True, ())]
        assert [item.sub_filter for item in report.signatures] == ["ETSI.CAdES.detached", "ETSI.RFC3161"]
    for report in reports[4:]:
        assert [item.valid for item in report.signatures] == [False, False]


def test_bouncycastle_checks_sm2(tmp_path: Path) -> None:
    good = tmp_path / "sm2.pdf"
    good.write_bytes(sm2_signed(tmp_path))
    passed, failed = bouncycastle([good, altered(good, shrunk_page)])
    assert [(item.valid, item.algorithm) for item in passed.signatures] == [(True, SM2_WITH_SM3)]
    assert [item.valid for item in failed.signatures] == [False]


def test_openssl_checks_signatures_and_timestamps(signed: Signed, strangers: list[Path], tmp_path: Path) -> None:
    for path in (*signed.basic, *signed.archived):
        assert openssl_faults(path, signed.roots) == []
    for path in signed.archived:
        faults = openssl_faults(altered(path, shrunk_page), signed.roots)
        assert [fault.split(":")[0] for fault in faults] == ["cms", "ts"]
        assert len(openssl_faults(path, strangers)) == 3
        assert len(openssl_faults(path, signed.roots, long_after())) == 3
    unsigned = tmp_path / "unsigned.pdf"
    unsigned.write_bytes(page("unsigned"))
    assert openssl_faults(unsigned, signed.roots) == ["no signature"]


def test_pdfsig_checks_the_signed_bytes(signed: Signed) -> None:
    for path in signed.basic:
        assert pdfsig(path) == ["Signature is Valid."]
        assert pdfsig(altered(path, shrunk_page)) == ["Digest Mismatch."]


def test_qpdf_checks_the_structure(signed: Signed) -> None:
    assert qpdf_check(signed.archived[0]) == ""
    assert qpdf_check(altered(signed.archived[0], lambda data: data.replace(b"startxref", b"startxxxx")))


def test_verapdf_names_the_rules_that_are_broken(signed: Signed, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pdf"
    garbage.write_bytes(b"nothing")
    plain, broken = verapdf([signed.basic[0], garbage], "2b")
    assert not plain.compliant
    assert any("fonts" in rule for rule in plain.failed)
    assert not broken.compliant
    assert broken.error


def test_verapdf_knows_its_flavours(signed: Signed) -> None:
    with pytest.raises(RuntimeError, match="no PDF/A flavour"):
        verapdf(signed.basic, "9z")


def sm2_signed(folder: Path) -> bytes:
    """A PDF signed with SM2 and SM3, its key and certificate made by openssl."""
    key, certificate = folder / "sm2.key", folder / "sm2.crt"
    openssl("ecparam", "-name", "SM2", "-genkey", "-noout", "-out", key)
    subject: list[str | Path] = ["-subj", "/C=CN/CN=SM2 sample", "-days", "2", "-out", certificate]
    openssl("req", "-x509", "-new", "-key", key, "-sm3", "-sigopt", SM2_ID, *subject)
    return embed_cms(page("SM2"), lambda content: sm2_cms(content, key, certificate))


def sm2_cms(content: bytes, key: Path, certificate: Path) -> bytes:
    """A detached CMS in the OIDs of GM/T 0006, with the signed attributes of CMS."""
    signer = x509.Certificate.load(pem.unarmor(certificate.read_bytes())[2])
    digest = algos.DigestAlgorithm({"algorithm": SM3})
    attributes = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [sm3(content)]}),
        ]
    )
    signature = openssl("dgst", "-sm3", "-sigopt", SM2_ID, "-sign", key, stdin=attributes.dump())
    name = cms.IssuerAndSerialNumber({"issuer": signer.issuer, "serial_number": signer.serial_number})
    info = {
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": name}),
        "digest_algorithm": digest,
        "signed_attrs": attributes,
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3}),
        "signature": signature,
    }
    signed_data = {
        "version": "v1",
        "digest_algorithms": [digest],
        "encap_content_info": {"content_type": "data"},
        "certificates": [signer],
        "signer_infos": [info],
    }
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed_data)}).dump())


def embed_cms(pdf: bytes, make: Callable[[bytes], bytes]) -> bytes:
    """Write a signature field, and into it what ``make`` returns for the signed bytes."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    steps = PdfCMSEmbedder().write_cms(field_name="Signature", writer=writer)
    next(steps)
    placeholder = PdfSignedData(pdf_name("/Sig"), SigSeedSubFilter.PADES, bytes_reserved=8192)
    steps.send(SigObjSetup(sig_placeholder=placeholder))
    prepared, output = steps.send(SigIOSetup(md_algorithm="sha256", in_place=False))
    data = output.getvalue()
    prepared.fill_with_cms(output, make(data[: prepared.reserved_region_start] + data[prepared.reserved_region_end :]))
    return bytes(output.getvalue())


def sm3(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def openssl(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    command = [str(find_program("openssl", "scripts/servers tools")), *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout
