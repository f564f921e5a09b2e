from __future__ import annotations

import stat
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import algos, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from docproc.errors import SealError, SetupError
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE, JOINT_SEAL, SEALS, make_dev_pki
from docproc.licence.devpki.pki_server import serving
from docproc.licence.devpki.responder import DevPki
from docproc.licence.devpki.sm2_pki import MAKER, make_sm2_pki
from docproc.licence.keys.keys import load_pkcs12
from docproc.licence.keys.sm2_signer import load_sm2
from docproc.licence.pki.trust import TrustList
from docproc.licence.verify.sm2_judge import find_chain
from tests.licence.conftest import now


def certificate(pki: DevPki, name: str) -> x509.Certificate:
    signer = load_pkcs12(pki.folder / f"{name}.p12", pki.passphrase)
    return x509.load_der_x509_certificate(signer.signing_cert.dump())


def test_making_it_twice_changes_nothing(fresh_pki: DevPki) -> None:
    before = {path.name: path.read_bytes() for path in fresh_pki.folder.rglob("*") if path.is_file()}
    make_dev_pki(fresh_pki.folder, at=now() + timedelta(days=1))
    assert {path.name: path.read_bytes() for path in fresh_pki.folder.rglob("*") if path.is_file()} == before


def test_a_pki_made_before_is_given_what_it_lacks(fresh_pki: DevPki) -> None:
    folder = fresh_pki.folder
    make_sm2_pki(folder, at=now())
    before = {path.name: path.read_bytes() for path in folder.glob("*.p*")}
    for name in (f"{JOINT_SEAL}.p12", "tsa.p12", f"{MAKER}.pem"):
        (folder / name).unlink()
    with pytest.raises(SetupError, match="docproc seal dev-pki"):
        fresh_pki.signer(JOINT_SEAL)
    with pytest.raises(SetupError, match="docproc seal dev-pki"):
        DevPki(folder)
    later = now() + timedelta(days=400)
    make_dev_pki(folder, at=later)
    make_sm2_pki(folder, at=later)
    whole = DevPki(folder)
    added = certificate(whole, JOINT_SEAL)
    added.verify_directly_issued_by(whole.issued("ca").certificate)
    assert added.not_valid_before_utc >= (later - timedelta(days=1, minutes=1))
    chain = find_chain(load_sm2(folder / f"{MAKER}.pem", whole.passphrase).signing_cert, whole.trust_list(), later)
    assert len(chain) == 3
    after = {path.name: path.read_bytes() for path in folder.glob("*.p*")}
    assert {name for name in before if after[name] != before[name]} == {"seal-joint.p12", "tsa.p12", "maker-sm2.pem"}
    (folder / "ca.p12").write_bytes(b"damaged")
    with pytest.raises(SetupError, match="delete the folder"):
        make_dev_pki(folder, at=later)


def test_keys_and_passphrase_are_private(fresh_pki: DevPki) -> None:
    for path in [fresh_pki.folder / "passphrase", *fresh_pki.folder.glob("*.p12")]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    assert len((fresh_pki.folder / "passphrase").read_bytes()) >= 32


def test_an_interrupted_run_is_repeated(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "root.p12").write_bytes(b"half")
    with pytest.raises(SetupError, match="missing"):
        DevPki(tmp_path / "pki")
    make_dev_pki(tmp_path / "pki", at=now())
    assert DevPki(tmp_path / "pki").signer("seal-rsa")


def test_seals_name_a_sample_authority_and_its_code(pki: DevPki) -> None:
    for name in SEALS:
        subject = certificate(pki, name).subject
        assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == AUTHORITY
        assert "样例" in AUTHORITY
        assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)[0].value == AUTHORITY_CODE


def test_every_certificate_says_what_it_is_for(pki: DevPki) -> None:
    purposes = {"tsa": ExtendedKeyUsageOID.TIME_STAMPING, "ocsp": ExtendedKeyUsageOID.OCSP_SIGNING}
    for name, purpose in purposes.items():
        extension = certificate(pki, name).extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE)
        assert extension.critical
        assert list(extension.value) == [purpose]
    for name in SEALS:
        found = certificate(pki, name)
        usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
        assert usage.content_commitment
        assert not usage.key_cert_sign
        assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        points = found.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        assert points[0].full_name[0].value == f"{pki.base_url}/crl/ca.crl"


def test_a_wrong_passphrase_is_said_plainly(pki: DevPki) -> None:
    with pytest.raises(SealError, match="passphrase"):
        load_pkcs12(pki.folder / "seal-rsa.p12", b"wrong")
    with pytest.raises(SetupError, match="cannot be read"):
        load_pkcs12(pki.folder / "nothing.p12", b"wrong")


def test_crl_lists_what_was_revoked_and_only_since_then(fresh_pki: DevPki) -> None:
    serial = certificate(fresh_pki, "seal-rsa").serial_number
    at = now() + timedelta(minutes=30)
    fresh_pki.revoke(serial, at)
    before = x509.load_der_x509_crl(fresh_pki.crl("ca", at - timedelta(minutes=1)))
    after = x509.load_der_x509_crl(fresh_pki.crl("ca", at + timedelta(minutes=1)))
    assert before.get_revoked_certificate_by_serial_number(serial) is None
    assert after.get_revoked_certificate_by_serial_number(serial) is not None
    assert after.is_signature_valid(fresh_pki.issued("ca").key.public_key())
    assert (fresh_pki.folder / "trust" / "ca.crl").exists()
    assert len(TrustList.from_folder(fresh_pki.folder / "trust").evidence.crls) == 1


def test_ocsp_answers_good_revoked_and_not_for_strangers(fresh_pki: DevPki, pki: DevPki) -> None:
    ca, subject = fresh_pki.issued("ca").certificate, certificate(fresh_pki, "seal-p256")

    def ask(asked: DevPki, at: datetime) -> ocsp.OCSPResponse:
        request = ocsp.OCSPRequestBuilder().add_certificate(subject, ca, hashes.SHA256()).build()
        return ocsp.load_der_ocsp_response(asked.ocsp(request.public_bytes(Encoding.DER), at))

    assert ask(fresh_pki, now()).certificate_status == ocsp.OCSPCertStatus.GOOD
    fresh_pki.revoke(subject.serial_number, now())
    assert ask(fresh_pki, now() + timedelta(seconds=1)).certificate_status == ocsp.OCSPCertStatus.REVOKED
    assert ask(pki, now()).response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_trust_folder_problems_are_named(tmp_path: Path, pki: DevPki) -> None:
    with pytest.raises(SetupError, match="missing"):
        TrustList.from_folder(tmp_path / "none")
    with pytest.raises(SetupError, match="no root"):
        TrustList.from_folder(tmp_path)
    (tmp_path / "bad.crt").write_bytes(b"not a certificate")
    with pytest.raises(SetupError, match=r"bad\.crt"):
        TrustList.from_folder(tmp_path)
    (tmp_path / "bad.crt").unlink()
    (tmp_path / "root.crt").write_bytes((pki.folder / "trust" / "root.crt").read_bytes())
    (tmp_path / "bad.crl").write_bytes(b"not a list")
    with pytest.raises(SetupError, match=r"bad\.crl"):
        TrustList.from_folder(tmp_path)


def test_server_serves_crl_ocsp_certificates_and_time(pki: DevPki) -> None:
    with serving(pki, lambda: datetime.now(UTC)) as url:

        def get(path: str, body: bytes | None = None) -> bytes:
            with urllib.request.urlopen(url + path, data=body, timeout=10) as answer:
                return bytes(answer.read())

        assert x509.load_der_x509_crl(get("/crl/ca.crl")).issuer == pki.issued("ca").certificate.subject
        assert x509.load_der_x509_certificate(get("/ca/root.crt")) == pki.issued("root").certificate
        request = tsp.TimeStampReq(
            {
                "version": 1,
                "message_imprint": {
                    "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                    "hashed_message": b"x" * 32,
                },
                "cert_req": True,
            }
        )
        granted = tsp.TimeStampResp.load(get("/tsa", request.dump()))
        assert granted["status"]["status"].native == "granted"
        request["message_imprint"] = {"hash_algorithm": {"algorithm": "sha1"}, "hashed_message": b"x" * 20}
        refused = get("/tsa", request.dump(force=True))
        assert tsp.PKIStatusInfo.load(refused[2:])["status"].native == "rejection"
        for path, body, status in [("/nothing", None, 404), ("/tsa", b"junk", 400), ("/ocsp", b"junk", 400)]:
            with pytest.raises(urllib.error.HTTPError) as caught:
                get(path, body)
            assert caught.value.code == status
            caught.value.close()
