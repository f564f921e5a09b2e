"""SM2 seals of the shape of B-LTA: time-stamped by RSA, with CRLs inside, still judged as what they are years later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from docproc.domain import Licence
from docproc.errors import SealError, SealUnavailableError
from docproc.flow.seals.sealer import development_seals, open_sealer
from docproc.licence.devpki.responder import DevPki
from docproc.licence.devpki.sm2_pki import SM2_SEAL, make_sm2_list, make_sm2_pki
from docproc.licence.keys.sm2 import SM2_WITH_SM3
from docproc.licence.keys.sm2_signer import load_sm2
from docproc.licence.page.art import SealArt
from docproc.licence.page.layout import load_layout
from docproc.licence.pki.trust import RevocationEvidence
from docproc.licence.report.report import NATIONAL, VerificationReport
from docproc.licence.seal.renew import renew
from docproc.licence.seal.seal import Level, PlacedSeal, seal
from docproc.licence.verify.verify import verify
from docproc.settings import Settings
from tests.judges.judges import bouncycastle
from tests.licence.conftest import now

PLACE = load_layout("food_business").seal
Make = Callable[..., bytes]
AT = now()
"""One moment for all that is made and judged here; nothing reads the clock itself."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> DevPki:
    """A development PKI with its SM2 chain."""
    from docproc.licence.devpki.pki import make_dev_pki

    folder = tmp_path_factory.mktemp("both")
    make_dev_pki(folder, at=AT)
    make_sm2_pki(folder, at=AT)
    return DevPki(folder)


@pytest.fixture(scope="module")
def make(both: DevPki, pdf: bytes, art: SealArt) -> Make:
    key = load_sm2(both.folder / f"{SM2_SEAL}.pem", both.passphrase)

    def made(level: Level = "B-LTA", **changes: object) -> bytes:
        given: dict[str, object] = {
            "timestamper": both.timestamper(lambda: AT),
            "trust": both.seal_trust(),
            "place": PLACE,
            "art": art,
            "reason": "签发",
            "at": AT,
        } | changes
        return seal(pdf, key, level=level, **given)  # type: ignore[arg-type]

    return made


@pytest.fixture(scope="module")
def archived(make: Make) -> bytes:
    return make()


def told(report: VerificationReport) -> tuple[str, str | None, str, bool]:
    return report.indication, report.sub_indication, report.integrity, report.ok


@pytest.mark.parametrize("level", ["B-LT", "B-LTA"])
def test_it_has_the_shape_of_the_level_and_a_proven_time(both: DevPki, make: Make, level: Level) -> None:
    report = verify(make(level), both.trust_list(), AT)
    assert told(report) == ("INDETERMINATE", NATIONAL, "intact", False)
    (found,) = report.signatures
    assert (found.level, found.algorithm, found.time) == (level, "SM2", AT.replace(microsecond=0))


def test_a_time_stamp_that_nothing_proves_good_proves_nothing(both: DevPki, make: Make) -> None:
    report = verify(make("B-T"), both.trust_list(), AT)  # as with RSA, the lower levels carry no word on the TSA
    assert told(report) == ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "intact", False)
    assert report.signatures[0].time is None


def test_bouncycastle_accepts_signature_and_both_time_stamps(archived: bytes, tmp_path: Path) -> None:
    path = tmp_path / "archived.pdf"
    path.write_bytes(archived)
    (report,) = bouncycastle([path])
    own, stamp = report.signatures
    assert (own.valid, own.algorithm, own.timestamps) == (True, SM2_WITH_SM3, (True,))
    assert (stamp.valid, stamp.covers_file) == (True, True)


def test_it_outlives_its_certificate_as_long_as_the_archive_stamp_holds(both: DevPki, archived: bytes) -> None:
    trust = both.trust_list()
    for years, expected in ((4, NATIONAL), (7, "NO_POE")):
        report = verify(archived, trust, AT + timedelta(days=366 * years))
        assert told(report) == ("INDETERMINATE", expected, "intact", False)
    later = AT + timedelta(days=366 * 4)
    strangers = replace(trust, roots=tuple(item for item in trust.roots if "国密" in str(item.subject.native)))
    assert verify(archived, strangers, later).sub_indication in ("NO_POE", "FORMAT_FAILURE")


def test_it_is_renewed_like_any_other(both: DevPki, archived: bytes) -> None:
    later = AT + timedelta(hours=3)
    fresh = renew(archived, both.timestamper(lambda: later), both.seal_trust(), at=later)
    report = verify(fresh, both.trust_list(), later)
    assert told(report) == ("INDETERMINATE", NATIONAL, "intact", False)
    assert report.signatures[0].time == AT.replace(microsecond=0)


def test_a_revocation_after_the_proven_time_does_not_spoil_it(both: DevPki, archived: bytes) -> None:
    ca = load_sm2(both.folder / "ca-sm2.pem", both.passphrase)
    serial = load_sm2(both.folder / f"{SM2_SEAL}.pem", both.passphrase).signing_cert.serial_number
    for hours, expected in ((-1, "REVOKED_NO_POE"), (1, NATIONAL)):
        when = AT + timedelta(hours=hours)
        listed = make_sm2_list(ca, when, when + timedelta(days=7), {serial: when})
        known = replace(both.trust_list(), evidence=RevocationEvidence(crls=(listed,)))
        assert verify(archived, known, AT + timedelta(hours=2)).sub_indication in (expected, "REVOKED")


def test_a_revoked_certificate_or_none_that_says_so_does_not_seal(both: DevPki, make: Make) -> None:
    known = both.seal_trust()
    serial = load_sm2(both.folder / f"{SM2_SEAL}.pem", both.passphrase).signing_cert.serial_number
    ca = load_sm2(both.folder / "ca-sm2.pem", both.passphrase)
    revoked = make_sm2_list(ca, AT, AT + timedelta(days=7), {serial: AT})
    old = make_sm2_list(ca, AT - timedelta(days=9), AT - timedelta(days=2), {})
    for level in ("B-B", "B-LTA"):
        with pytest.raises(SealError, match="REVOKED"):
            make(level, trust=replace(known, lists=lambda at: (revoked,)))
        for lists in ((), (old,)):
            with pytest.raises(SealUnavailableError, match="current CRL"):
                make(level, trust=replace(known, lists=lambda at, lists=lists: lists))


def test_an_rsa_seal_and_an_sm2_seal_on_one_licence(both: DevPki, pdf: bytes, art: SealArt) -> None:
    national = load_sm2(both.folder / f"{SM2_SEAL}.pem", both.passphrase)
    signer, timestamper, trust = both.signer(), both.timestamper(lambda: AT), both.seal_trust()
    joint = [PlacedSeal(national, PLACE, art)]
    made = seal(pdf, signer, timestamper, trust, place=PLACE, art=art, reason="签发", at=AT, joint=joint)
    report = verify(made, both.trust_list(), AT)
    assert [(item.level, item.algorithm) for item in report.signatures] == [("B-LTA", ""), ("B-LTA", "SM2")]
    assert not report.ok


def test_the_sealer_seals_by_sm2_where_the_registry_says_so(both: DevPki, licence: Licence) -> None:
    settings = Settings(
        certs_dir=both.folder, trust_dir=both.folder / "trust", seal_key=f"{SM2_SEAL}.pem", _env_file=None
    )  # type: ignore[call-arg]
    national = next(item for item in development_seals(settings) if licence.kind in item.licence_kinds)
    assert national.algorithm == "SM2"
    usual = next(
        item
        for item in development_seals(settings.model_copy(update={"seal_key": "seal-rsa.p12"}))
        if licence.kind in item.licence_kinds
    )
    at = datetime.now(UTC)
    for key_file in (f"{SM2_SEAL}.pem", "seal-rsa.p12"):
        sealer = open_sealer(settings.model_copy(update={"seal_key": key_file}))
        for seal_used, algorithm in ((national, "SM2"), (usual, "")):
            report = verify(sealer(licence, [seal_used], at), both.trust_list(), at)
            assert (report.signatures[0].algorithm, report.signatures[0].level) == (algorithm, "B-LTA")
            assert report.ok == (algorithm == "")
        assert sealer.signer.signing_cert.public_key.algorithm == "rsa" or key_file != "seal-rsa.p12"
