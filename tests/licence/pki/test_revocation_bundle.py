"""Verifying where nothing is known but a trust folder and a bundle of revocation information, and no network is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from docproc.cli.common import known_trust
from docproc.errors import SetupError
from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.revocation import revocation, unknown_sources
from docproc.licence.pki.trust import TrustList
from docproc.licence.verify.verify import verify
from docproc.settings import Settings
from tests.licence.conftest import now
from tests.servers.offline import docproc_alone

Make = Callable[..., bytes]


@pytest.fixture
def trust_folder(fresh_pki: DevPki, tmp_path: Path) -> Path:
    """Roots and intermediates as they were handed over once."""
    folder = tmp_path / "trust"
    folder.mkdir()
    for path in (fresh_pki.folder / "trust").glob("*.crt"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def answer(pki: DevPki, name: str, at: datetime) -> bytes:
    """What the OCSP responder says of a certificate."""
    own = pki.signer(name).signing_cert
    assert own is not None
    subject, ca = x509.load_der_x509_certificate(own.dump()), pki.issued("ca").certificate
    asked = ocsp.OCSPRequestBuilder().add_certificate(subject, ca, hashes.SHA256()).build()
    return pki.ocsp(asked.public_bytes(Encoding.DER), at)


def serial(pki: DevPki, name: str = "seal-rsa") -> int:
    own = pki.signer(name).signing_cert
    assert own is not None
    return int(own.serial_number)


def test_a_bundle_tells_offline_what_was_revoked(
    fresh_pki: DevPki, make_sealed: Make, trust_folder: Path, tmp_path: Path
) -> None:
    file, bundle = tmp_path / "licence.pdf", tmp_path / "bundle"
    file.write_bytes(make_sealed(fresh_pki))
    bundle.mkdir()
    later = now() + timedelta(hours=2)

    def verdict() -> tuple[int, bool, str, str | None]:
        options = ["--trust", trust_folder, "--revocation", bundle, "--json", "--at", later.isoformat()]
        done = docproc_alone(tmp_path / "empty", "verify", file, *options)
        told = json.loads(done.stdout)
        return done.returncode, told["ok"], told["indication"], told["sub_indication"]

    (bundle / "ca.crl").write_bytes(fresh_pki.crl("ca", later))
    (bundle / "seal.ocsp").write_bytes(answer(fresh_pki, "seal-rsa", later))
    assert verdict() == (0, True, "TOTAL-PASSED", None)
    fresh_pki.revoke(serial(fresh_pki), now() - timedelta(minutes=5))
    (bundle / "seal.ocsp").write_bytes(answer(fresh_pki, "seal-rsa", later))
    assert verdict() == (1, False, "TOTAL-FAILED", "REVOKED")


def test_a_bundle_that_is_over_is_told(
    fresh_pki: DevPki, make_sealed: Make, trust_folder: Path, tmp_path: Path
) -> None:
    file, bundle, years = tmp_path / "licence.pdf", tmp_path / "bundle", timedelta(days=2 * 365)
    file.write_bytes(make_sealed(fresh_pki))
    bundle.mkdir()
    (bundle / "old.crl").write_bytes(fresh_pki.crl("ca", now() - timedelta(days=300)))

    def told(at: datetime) -> str:
        options = ["--trust", trust_folder, "--revocation", bundle, "--json", "--at", at.isoformat()]
        return " ".join(docproc_alone(tmp_path / "empty", "verify", file, *options).stderr.split())

    assert "CRL of" in told(now()) and "what was revoked since then is not seen" in told(now())
    (bundle / "new.crl").write_bytes(fresh_pki.crl("ca", now()))
    assert "CRL" not in told(now()), "an older one beside it takes nothing away"
    assert "CRL of" in told(now() + years)


def test_an_ocsp_response_alone_tells_of_the_service_too(
    fresh_pki: DevPki, make_sealed: Make, trust_folder: Path, tmp_path: Path
) -> None:
    data, bundle = make_sealed(fresh_pki), tmp_path / "bundle"
    bundle.mkdir()
    fresh_pki.revoke(serial(fresh_pki, "tsa"), now() - timedelta(minutes=5))
    (bundle / "tsa.ocsp").write_bytes(answer(fresh_pki, "tsa", now()))
    known = TrustList.from_folder(trust_folder)
    assert verify(data, known, now()).ok
    report = verify(data, known.informed(bundle), now())
    assert (report.ok, report.sub_indication) == (False, "NO_POE"), "the time-stamps prove nothing"


def test_what_somebody_unknown_signed_counts_for_nothing_and_is_refused(
    pki: DevPki, fresh_pki: DevPki, trust_folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    known = TrustList.from_folder(trust_folder)
    with pytest.raises(SetupError, match="empty"):
        known.informed(bundle)
    (bundle / "seal.ocsp").write_bytes(b"junk")
    with pytest.raises(SetupError, match="is not an OCSP response"):
        known.informed(bundle)
    raw = asn1.OCSPResponse.load(answer(fresh_pki, "seal-rsa", now()))
    (bundle / "seal.ocsp").write_bytes(raw.dump())
    stranger = pki.trust_list()
    assert unknown_sources(known.informed(bundle)) == []
    assert unknown_sources(stranger.informed(bundle)) == ["OCSP"]
    own = fresh_pki.signer().signing_cert
    assert own is not None and revocation(own, stranger.informed(bundle)) is None
    with pytest.raises(SetupError, match="no trusted certificate signed"):
        known_trust(Settings(), pki.folder / "trust", bundle, now())
