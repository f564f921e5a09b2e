"""A time-stamp token from the template is the one that objects give, byte for byte, and others accept it."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import algos, cms, core, tsp
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute

from docproc.licence.devpki.responder import DevPki
from docproc.licence.keys.keys import KeySigner
from docproc.licence.pki.fast_token import integer
from docproc.licence.pki.timestamp_token import check_token
from docproc.licence.pki.trust import TrustList

AT = datetime(2026, 1, 2, 16, 4, 5, tzinfo=UTC)


def request(digest: bytes, nonce: int | None, algorithm: str = "sha256") -> tsp.TimeStampReq:
    imprint = {"hash_algorithm": algos.DigestAlgorithm({"algorithm": algorithm}), "hashed_message": digest}
    asked = {"version": "v1", "message_imprint": tsp.MessageImprint(imprint), "cert_req": True}
    return tsp.TimeStampReq(asked if nonce is None else {**asked, "nonce": nonce})


def from_objects(info: bytes, key: KeySigner) -> bytes:
    """The token over a statement, built from objects."""
    certificate = key.signing_cert
    attributes = cms.CMSAttributes(
        [
            simple_cms_attribute("content_type", "tst_info"),
            simple_cms_attribute("signing_certificate_v2", as_signing_certificate_v2(certificate)),
            simple_cms_attribute("message_digest", hashlib.sha256(info).digest()),
        ]
    )
    named = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    algorithm = algos.DigestAlgorithm({"algorithm": "sha256"})
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": named}),
        "digest_algorithm": algorithm,
        "signature_algorithm": key.get_signature_mechanism_for_digest("sha256"),
        "signed_attrs": attributes,
        "signature": asyncio.run(key.async_sign_raw(attributes.untag().dump(), "sha256")),
    }
    signed = {
        "version": "v3",
        "digest_algorithms": [algorithm],
        "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(info)},
        "certificates": [certificate, *(item for item in key.cert_registry if not item.self_issued)],
        "signer_infos": [signer],
    }
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)}).dump())


@pytest.mark.parametrize("nonce", [None, 0, 127, 128, 2**63 - 1, 2**64 - 1])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_token_is_the_one_that_objects_give(pki: DevPki, nonce: int | None, algorithm: str) -> None:
    tsa = pki.timestamper(lambda: AT)
    for number in range(3):  # the first one is cut, the others are put together
        digest = hashlib.new(algorithm, str(number).encode()).digest()
        asked = request(digest, nonce, algorithm)
        token = asyncio.run(tsa.async_request_tsa_response(asked))["time_stamp_token"]
        info = token["content"]["encap_content_info"]["content"]
        said = info.parsed
        assert said["message_imprint"].dump() == asked["message_imprint"].dump()
        assert said["gen_time"].native == AT and said["nonce"].native == nonce
        rebuilt = {name: said[name].native for name in ("version", "policy", "serial_number", "gen_time", "accuracy")}
        parts = {**rebuilt, "message_imprint": said["message_imprint"], "tsa": said["tsa"]}
        assert tsp.TSTInfo(parts if nonce is None else {**parts, "nonce": nonce}).dump() == bytes(info)
        assert token.dump() == from_objects(bytes(info), pki._load("tsa"))


def test_every_token_has_a_number_of_its_own(pki: DevPki) -> None:
    tsa = pki.timestamper(lambda: AT)
    tokens = [asyncio.run(tsa.async_timestamp(hashlib.sha256(b"same").digest(), "sha256")) for _ in range(50)]
    numbers = {item["content"]["encap_content_info"]["content"].parsed["serial_number"].native for item in tokens}
    assert len(numbers) == 50


def test_numbers_are_encoded_by_der() -> None:
    for value in (0, 1, 127, 128, 255, 256, 2**31, 2**63 - 1, *(secrets.randbits(63) for _ in range(50))):
        assert integer(value) == core.Integer(value).dump()


def test_a_token_verifies_here_and_with_openssl(pki: DevPki, trust: TrustList, tmp_path: Path) -> None:
    tsa = pki.timestamper(lambda: datetime.now(UTC))
    for text in (b"one", b"two"):
        digest = hashlib.sha256(text).digest()
        answer = tsa.answer(request(digest, 77).dump())
        token = bytes(tsp.TimeStampResp.load(answer, strict=True)["time_stamp_token"].dump())
        check_token(token, digest, trust)
        (tmp_path / "reply.tsr").write_bytes(answer)
        (tmp_path / "data").write_bytes(text)
        given = ["-in", tmp_path / "reply.tsr", "-data", tmp_path / "data"]
        known = ["-CAfile", pki.folder / "trust" / "root.crt", "-untrusted", pki.folder / "trust" / "ca.crt"]
        subprocess.run(["openssl", "ts", "-verify", *given, *known], check=True, capture_output=True)
