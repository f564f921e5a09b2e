"""The templated CMS is the one that pyHanko makes, and the speed it is for can be measured."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from asn1crypto import cms
from pyhanko.sign.signers import Signer
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes

from docproc.licence.devpki.responder import DevPki
from docproc.licence.keys.fastcms import TemplatedSigner, templated, tlv
from docproc.licence.pki.trust import TrustList
from docproc.licence.seal.seal import LEVELS, Level
from docproc.licence.verify.verify import verify

ATTRIBUTES = PdfCMSSignedAttributes(signing_time=datetime(2026, 1, 2, 16, tzinfo=UTC))


def signed(signer: Signer, text: bytes) -> bytes:
    digest = hashlib.sha256(text).digest()
    made = asyncio.run(signer.async_sign(digest, "sha256", use_pades=True, signed_attr_settings=ATTRIBUTES))
    return made if isinstance(made, bytes) else bytes(made.dump())


def test_an_rsa_signature_is_the_stock_one_byte_for_byte(pki: DevPki) -> None:
    signer = pki.signer("seal-rsa")
    fast = templated(signer)
    assert templated(signer) is fast
    for text in (b"one", b"two"):
        assert signed(fast, text) == signed(signer, text)


def test_an_ecdsa_signature_differs_from_the_stock_one_in_the_signature_alone(pki: DevPki) -> None:
    signer = pki.signer("seal-p256")
    for number in range(8):  # the length of an ECDSA signature varies
        text = str(number).encode()
        one, other = (cms.ContentInfo.load(signed(s, text), strict=True) for s in (templated(signer), signer))
        parts = [item["content"]["signer_infos"][0] for item in (one, other)]
        for name in ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm"):
            assert parts[0][name].dump() == parts[1][name].dump()
        for name in ("version", "digest_algorithms", "encap_content_info", "certificates"):
            assert one["content"][name].dump() == other["content"][name].dump()


def test_what_the_template_does_not_fit_is_built_as_ever(pki: DevPki) -> None:
    signer = pki.signer("seal-rsa")
    fast = TemplatedSigner(signer)
    digest = hashlib.sha512(b"x").digest()
    made = asyncio.run(fast.async_sign(digest, "sha512", use_pades=True, signed_attr_settings=ATTRIBUTES))
    assert made["content"]["signer_infos"][0]["digest_algorithm"]["algorithm"].native == "sha512"


@pytest.mark.parametrize("name", ["seal-rsa", "seal-p256"])
@pytest.mark.parametrize("level", LEVELS)
def test_files_sealed_from_the_template_verify(
    pki: DevPki, trust: TrustList, make_sealed: Callable[..., bytes], level: Level, name: str
) -> None:
    for _ in range(2):
        report = verify(make_sealed(pki, level, name), trust, datetime.now(UTC))
        assert report.signatures[0].level == level
        assert report.integrity == "intact"


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths_are_encoded_by_der(size: int) -> None:
    from asn1crypto.core import OctetString

    assert tlv(0x04, bytes(size)) == OctetString(bytes(size)).dump()


def test_the_benchmark_stands_beside_stock_and_openssl() -> None:
    command = [sys.executable, "-m", "docproc.cli", "bench", "seal", "--times", "1", "--json"]
    result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert list(result) == ["profiles", "stock", "openssl", "machine"]
    for side in ("profiles", "stock"):
        assert list(result[side]) == list(LEVELS)
        assert all(item["cpu_ms"] > 0 and item["per_second_core"] > 0 for item in result[side].values())
    assert result["openssl"]["p256"] > 0
    assert result["openssl"]["rsa2048"] > result["profiles"]["B-B"]["per_second_core"]
    assert result["profiles"]["B-B"]["cpu_ms"] < result["stock"]["B-B"]["cpu_ms"] / 2
