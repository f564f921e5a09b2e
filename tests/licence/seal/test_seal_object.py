"""Seal objects by GB/T 38540: read by BouncyCastle too, bound to the registered seal, made by known makers only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from docproc.assets.paths import SERIF, font
from docproc.cli.main import app
from docproc.errors import InputError
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE, SEAL, make_dev_pki, seal_subject
from docproc.licence.devpki.responder import DevPki
from docproc.licence.devpki.sm2_pki import MAKER, SM2_SEAL, IssuedSm2Key, issue_sm2, make_sm2_pki
from docproc.licence.keys.sm2 import SM2_WITH_SM3
from docproc.licence.keys.sm2_signer import Sm2Signer, load_sm2
from docproc.licence.page.art import SealArt, draw
from docproc.licence.page.art_svg import to_svg
from docproc.licence.pki.trust import TrustList
from docproc.licence.seal.registered_seal import RegisteredSeal, algorithm, read_chain
from docproc.licence.seal.seal_object import check_maker, check_seal_object, make_seal_object, read_seal_object
from tests.judges.judges import seal_objects
from tests.licence.conftest import now
from tests.licence.drawing import raster

AT = now()
"""One moment for all that is made and judged here; nothing reads the clock itself."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("maker")
    make_dev_pki(made, at=AT)
    make_sm2_pki(made, at=AT)
    return made


@pytest.fixture(scope="module")
def known(folder: Path) -> TrustList:
    return TrustList.from_folder(folder / "trust")


@pytest.fixture(scope="module")
def maker(folder: Path) -> Sm2Signer:
    return load_sm2(folder / f"{MAKER}.pem", (folder / "passphrase").read_bytes())


@pytest.fixture(scope="module")
def bare(folder: Path) -> RegisteredSeal:
    own = DevPki(folder).signer().signing_cert
    return RegisteredSeal(
        name="market_regulation",
        owner=AUTHORITY,
        owner_code=AUTHORITY_CODE,
        kind="official",
        filing_number="SAMPLE-1",
        certificates=(own.dump(),),
        diameter=42.0,
        art=draw(AUTHORITY, font(SERIF), diameter=42.0).compressed(),
        licence_kinds=("food_business",),
        valid_from=AT,
        valid_to=AT + timedelta(days=300),
    )


@pytest.fixture(scope="module")
def seal(bare: RegisteredSeal, maker: Sm2Signer) -> RegisteredSeal:
    return replace(bare, record=make_seal_object(bare, maker, AT))


def test_bouncycastle_reads_it_and_accepts_the_makers_signature(seal: RegisteredSeal, tmp_path: Path) -> None:
    good, changed = tmp_path / "good.esl", tmp_path / "changed.esl"
    good.write_bytes(seal.record)
    changed.write_bytes(seal.record.replace(b"SAMPLE-1", b"SAMPLE-2"))
    accepted, refused = seal_objects([good, changed])
    assert (accepted.valid, accepted.error) == (True, "")
    assert not refused.valid
    assert refused.said["seal_id"] == "SAMPLE-2"
    said = accepted.said
    assert (said["id"], said["version"], said["type"], said["seal_id"]) == ("ES", 4, 1, "SAMPLE-1")
    assert (said["name"], said["algorithm"]) == (AUTHORITY, SM2_WITH_SM3)
    assert said["certificates"] == [hashlib.sha256(seal.certificates[0]).hexdigest()]
    assert (said["picture"], said["width"], said["height"]) == ("SVG", 42, 42)
    assert said["picture_sha256"] == hashlib.sha256(to_svg(seal.drawing())).hexdigest()
    assert said["valid_to"] == f"{AT + timedelta(days=300):%FT%TZ}"


def test_it_holds_for_the_registered_seal(seal: RegisteredSeal, known: TrustList) -> None:
    check_seal_object(seal, known, AT)
    found = read_seal_object(seal.record)
    assert (found.name, found.size_mm, found.created) == (AUTHORITY, (42, 42), AT.replace(microsecond=0))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: replace(s, owner="另一示例局（样例）"), "单位或备案号"),
        (lambda s: replace(s, filing_number="SAMPLE-9"), "单位或备案号"),
        (lambda s: replace(s, certificates=(b"0\x03\x02\x01\x05",)), "印章证书"),
        (lambda s: replace(s, valid_to=s.valid_to + timedelta(days=1)), "有效期"),
        (lambda s: replace(s, art=draw("另一示例局（样例）", font(SERIF), diameter=42.0).compressed()), "图形"),
        (lambda s: replace(s, art=draw(AUTHORITY, font(SERIF), diameter=40.0).compressed(), diameter=40.0), "图形"),
        (lambda s: replace(s, record=s.record[:-1] + bytes([s.record[-1] ^ 1])), "签名无效"),
        (lambda s: replace(s, record=s.record + b"\0"), "格式"),
        (lambda s: replace(s, record=b"\x30\x00"), "格式"),
    ],
)
def test_an_object_about_another_seal_is_refused(
    seal: RegisteredSeal, known: TrustList, change: Callable[[RegisteredSeal], RegisteredSeal], told: str
) -> None:
    with pytest.raises(InputError) as refused:
        check_seal_object(change(seal), known, AT)
    assert told in refused.value.message_zh


def test_only_known_makers_are_believed(bare: RegisteredSeal, maker: Sm2Signer, known: TrustList, folder: Path) -> None:
    secret = (folder / "passphrase").read_bytes()
    own_maker = load_sm2(folder / f"{SM2_SEAL}.pem", secret)  # a seal under the same root signs for itself
    with pytest.raises(InputError, match="maker is unknown"):
        check_seal_object(replace(bare, record=make_seal_object(bare, own_maker, AT)), known, AT)
    with pytest.raises(InputError, match="OUT_OF_BOUNDS"):  # made before the maker's certificate began
        check_seal_object(replace(bare, record=make_seal_object(bare, maker, AT - timedelta(days=9))), known, AT)
    with pytest.raises(InputError, match="future"):
        check_seal_object(replace(bare, record=make_seal_object(bare, maker, AT + timedelta(days=9))), known, AT)
    lone = replace(known, roots=tuple(item for item in known.roots if item.subject != maker.chain[-1].subject))
    with pytest.raises(InputError, match="NO_CERTIFICATE_CHAIN_FOUND"):
        check_seal_object(replace(bare, record=make_seal_object(bare, maker, AT)), lone, AT)


def test_what_the_format_cannot_say_is_refused(bare: RegisteredSeal, maker: Sm2Signer) -> None:
    for seal in (replace(bare, filing_number="样例"), replace(bare, diameter=42.5)):
        with pytest.raises(InputError, match="ASCII"):
            make_seal_object(seal, maker, AT)


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 100_000), change=st.integers(1, 255))
def test_a_changed_object_is_never_believed(seal: RegisteredSeal, known: TrustList, place: int, change: int) -> None:
    data = bytearray(seal.record)
    data[place % len(data)] ^= change
    with pytest.raises(InputError):
        check_seal_object(replace(seal, record=bytes(data)), known, AT)


def test_the_svg_is_the_art(bare: RegisteredSeal) -> None:
    art: SealArt = draw(AUTHORITY, font(SERIF), diameter=42.0, purpose="行政审批专用章", code="9900990012345")
    assert to_svg(art) == to_svg(art)
    assert hashlib.sha256(to_svg(bare.drawing())).hexdigest() == SNAPSHOT
    pixels = pymupdf.open(stream=to_svg(art), filetype="svg")[0].get_pixmap(dpi=300)
    picture = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width, -1)
    drawn, ink = picture[:, :, 1] < 128, raster(art, 300)
    rows, columns = min(len(drawn), len(ink)), min(drawn.shape[1], ink.shape[1])
    assert abs(len(drawn) - len(ink)) <= 1
    assert (drawn[:rows, :columns] != ink[:rows, :columns]).mean() < 0.005
    with pytest.raises(ValueError, match="operator"):
        to_svg(replace(art, operators=b"q BT Q"))


SNAPSHOT = "4db991f6af714fe1eeb6880be291951cb2a63b95c1216d8307d4b1ba02e30498"
"""Of the SVG; a maker has signed these bytes, so they change only with the drawing."""


def test_sm2_chains_can_be_registered_and_wrong_ones_cannot(folder: Path, tmp_path: Path) -> None:
    pem = (folder / f"{SM2_SEAL}.pem").read_bytes()
    chain = read_chain(pem)
    assert len(chain) == 3
    assert algorithm(DevPki(folder).signer().signing_cert.dump()) == "RSA-2048"
    assert algorithm(DevPki(folder).signer("seal-p256").signing_cert.dump()) == "P-256"
    own = load_sm2(folder / f"{SM2_SEAL}.pem", (folder / "passphrase").read_bytes())
    assert algorithm(own.signing_cert.dump()) == "SM2"
    below = issue_sm2(IssuedSm2Key(own.key, own.signing_cert), seal_subject(AUTHORITY, "1"), SEAL, AT)
    from asn1crypto import pem as armour

    other = armour.armor("CERTIFICATE", below.certificate.dump())
    with pytest.raises(InputError, match="each followed by its issuer"):
        read_chain(other + b"".join(armour.armor("CERTIFICATE", item.dump()) for item in own.chain))


def test_the_commands_draw_make_and_check(folder: Path, tmp_path: Path) -> None:
    env = {"DOCPROC_CERTS_DIR": str(folder), "DOCPROC_TRUST_DIR": str(folder / "trust")}

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["seal", *arguments], env=env, catch_exceptions=False)
        return done.exit_code, done.stdout

    made, drawn = str(tmp_path / "own.esl"), tmp_path / "art.svg"
    assert run("art", "--owner", AUTHORITY, "--out", str(drawn))[0] == 0
    given = ["--certificates", str(folder / f"{SM2_SEAL}.pem"), "--owner", AUTHORITY, "--filing-number", "SAMPLE-3"]
    assert run("make-object", *given, "--out", made)[0] == 0
    assert read_seal_object(Path(made).read_bytes()).picture == drawn.read_bytes()
    status, told = run("check-object", made, "--json")
    assert (status, json.loads(told)["ok"], json.loads(told)["seal_id"]) == (0, True, "SAMPLE-3")
    (tmp_path / "trust").mkdir()
    for path in (folder / "trust").glob("*.crt"):
        (tmp_path / "trust" / path.name).write_bytes(path.read_bytes())
    status, told = run("check-object", made, "--trust", str(tmp_path / "trust"), "--json")
    assert (status, json.loads(told)["ok"]) == (1, False)
    assert "maker is unknown" in json.loads(told)["problem"]
    check_maker(read_seal_object(Path(made).read_bytes()), TrustList.from_folder(folder / "trust"))
