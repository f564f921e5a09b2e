"""Joint approval from matter file to sealed licence: which seals are needed, and that the licence waits for all."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from docproc.assets.paths import font
from docproc.domain import Licence
from docproc.errors import CatalogueError, SealError, SealUnavailableError
from docproc.flow.core.context import Context, utc_now
from docproc.flow.seals.registry import confirm_change, propose_change
from docproc.flow.seals.sealer import open_sealer
from docproc.flow.seals.usable import register_own, usable_seals
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE, JOINT_AUTHORITY, JOINT_AUTHORITY_CODE, make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.licence.keys.keys import load_pkcs12
from docproc.licence.page.art import draw
from docproc.licence.page.layout import FOLDER
from docproc.licence.seal.registered_seal import RegisteredSeal
from docproc.licence.verify.verify import verify
from docproc.matter.load import MATTERS_DIR, find_matter, load_matter
from docproc.matter.model import CoSeal, LicenceSpec
from docproc.settings import Settings
from tests.flow.people import APPROVER, SEALER
from tests.flow.sealed import BARE

HEALTH = CoSeal(seal="health", authority=JOINT_AUTHORITY, authority_code=JOINT_AUTHORITY_CODE)
TOGETHER: Licence = replace(BARE, joint=((JOINT_AUTHORITY, JOINT_AUTHORITY_CODE),))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DevPki:
    folder = tmp_path_factory.mktemp("pki")
    make_dev_pki(folder, at=utc_now())
    return DevPki(folder)


def registered(pki: DevPki, name: str, file: str, owner: str, code: str) -> RegisteredSeal:
    key = load_pkcs12(pki.folder / f"{file}.p12", pki.passphrase)
    return RegisteredSeal(
        name=name,
        owner=owner,
        owner_code=code,
        kind="official",
        filing_number="SAMPLE-9",
        certificates=(key.signing_cert.dump(),),
        diameter=42.0,
        art=draw(owner, font(), diameter=42.0).compressed(),
        licence_kinds=("food_business",),
        valid_from=utc_now() - timedelta(hours=1),
        valid_to=utc_now() + timedelta(days=300),
    )


@pytest.fixture
def seals(pki: DevPki) -> list[RegisteredSeal]:
    return [
        registered(pki, "market_regulation", "seal-rsa", AUTHORITY, AUTHORITY_CODE),
        registered(pki, "health", "seal-joint", JOINT_AUTHORITY, JOINT_AUTHORITY_CODE),
    ]


@pytest.fixture
def spec() -> LicenceSpec:
    return find_matter("food_licence").licence.model_copy(update={"co_seals": (HEALTH,)})


def test_every_seal_of_a_joint_approval_is_held_against_the_registry(
    ctx: Context, spec: LicenceSpec, seals: list[RegisteredSeal]
) -> None:
    found = usable_seals(ctx, spec, TOGETHER, utc_now(), lambda: seals)
    assert [item.name for item in found] == ["market_regulation", "health"]
    assert [item.name for item in usable_seals(ctx, spec, BARE, utc_now(), lambda: seals)] == ["market_regulation"]
    with pytest.raises(SealError, match="names no seal") as refused:
        usable_seals(ctx, find_matter("food_licence").licence, TOGETHER, utc_now(), lambda: seals)
    assert not isinstance(refused.value, SealUnavailableError)
    other = replace(TOGETHER, joint=((JOINT_AUTHORITY, AUTHORITY_CODE),))
    with pytest.raises(SealError, match="names no seal"):
        usable_seals(ctx, spec, other, utc_now(), lambda: seals)


def test_a_licence_waits_for_a_joint_seal_that_is_not_registered_suspended_or_out_of_its_period(
    ctx: Context, spec: LicenceSpec, seals: list[RegisteredSeal]
) -> None:
    late = replace(seals[1], valid_from=utc_now() + timedelta(hours=1))
    register_own(ctx, lambda: [seals[0], late])
    with pytest.raises(SealUnavailableError, match="registered from") as waits:
        usable_seals(ctx, spec, TOGETHER, utc_now(), list)
    assert JOINT_AUTHORITY in waits.value.message_zh
    later = utc_now() + timedelta(hours=2)
    assert len(usable_seals(ctx, spec, TOGETHER, later, list)) == 2
    confirm_change(ctx, APPROVER, propose_change(ctx, SEALER, "health", "suspend", "交接")["id"])
    with pytest.raises(SealUnavailableError, match="suspended"):
        usable_seals(ctx, spec, TOGETHER, later, list)
    elsewhere = spec.model_copy(update={"co_seals": (HEALTH.model_copy(update={"seal": "health_two"}),)})
    with pytest.raises(SealUnavailableError, match="not registered"):
        usable_seals(ctx, elsewhere, TOGETHER, later, list)


def test_a_joint_seal_of_another_scope_is_refused_for_good(
    ctx: Context, spec: LicenceSpec, seals: list[RegisteredSeal]
) -> None:
    register_own(ctx, lambda: [seals[0], replace(seals[1], licence_kinds=("sole_trader",))])
    with pytest.raises(SealError) as refused:
        usable_seals(ctx, spec, TOGETHER, utc_now(), list)
    assert (refused.value.code, isinstance(refused.value, SealUnavailableError)) == ("seal_scope", False)


def test_the_sealer_sets_all_seals_and_waits_where_a_key_is_not_at_hand(
    pki: DevPki, seals: list[RegisteredSeal], tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, certs_dir=pki.folder, trust_dir=pki.folder / "trust", _env_file=None)
    sealer = open_sealer(settings)
    report = verify(sealer(TOGETHER, seals, utc_now()), pki.trust_list(), utc_now())
    assert report.ok, report.reasons
    assert [item.signer for item in report.signatures] == [AUTHORITY, JOINT_AUTHORITY]
    with pytest.raises(SealError, match="does not verify"):
        sealer(TOGETHER, seals[::-1], utc_now())
    stranger = pki.issued("ca").certificate.public_bytes(Encoding.DER)
    with pytest.raises(SealError, match="no key here is that of seal"):
        sealer(TOGETHER, [replace(seals[0], certificates=(stranger,)), seals[1]], utc_now())
    key = pki.folder / "seal-joint.p12"
    data = key.read_bytes()
    try:
        key.unlink()
        with pytest.raises(SealUnavailableError, match="no key") as waits:
            open_sealer(settings)(TOGETHER, seals, utc_now())
    finally:
        key.write_bytes(data)
    assert JOINT_AUTHORITY in waits.value.message_zh
    with pytest.raises(SealError, match="no place"):
        sealer(TOGETHER, [*seals, seals[1]], utc_now())


def test_a_licence_that_names_two_authorities_is_not_given_out_with_one_seal(
    pki: DevPki, seals: list[RegisteredSeal], tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, certs_dir=pki.folder, trust_dir=pki.folder / "trust", _env_file=None)
    with pytest.raises(SealError, match="does not verify"):
        open_sealer(settings)(TOGETHER, seals[:1], utc_now())


def matter_file(folder: Path, co_seals: str) -> Path:
    path = folder / "food_licence.toml"
    text = (MATTERS_DIR / "food_licence.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("[licence]\n", f"[licence]\nco_seals = [{co_seals}]\n", 1), encoding="utf-8")
    (folder / "_common.toml").write_bytes((MATTERS_DIR / "_common.toml").read_bytes())
    return path


def entry(seal: str, code: str) -> str:
    return f'{{ seal = "{seal}", authority = "{JOINT_AUTHORITY}", authority_code = "{code}" }}'


def test_the_examples_of_the_guide_are_a_matter_and_a_layout(tmp_path: Path) -> None:
    guide = (MATTERS_DIR.parents[1] / "docs" / "seal.md").read_text(encoding="utf-8")
    examples = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)]
    (licence,) = [item["licence"] for item in examples if "licence" in item]
    (co_seal,) = licence["co_seals"]
    found = load_matter(matter_file(tmp_path, entry(co_seal["seal"], co_seal["authority_code"])))
    assert found.licence.seal == licence["seal"]
    assert [item.model_dump() for item in found.licence.co_seals] == [co_seal]
    shipped = tomllib.loads((FOLDER / "food_business.toml").read_text(encoding="utf-8"))
    for key in ("annex", "co_seal"):
        assert [item[key] for item in examples if key in item] == [shipped[key]]


def test_the_matter_file_names_further_seals(tmp_path: Path) -> None:
    found = load_matter(matter_file(tmp_path, entry("health", JOINT_AUTHORITY_CODE)))
    assert found.licence.co_seals == (HEALTH,)
    two = entry("health", JOINT_AUTHORITY_CODE)
    for wrong in (
        entry("market_regulation", JOINT_AUTHORITY_CODE),
        f"{two}, {two}",
        f"{two}, {entry('fire', JOINT_AUTHORITY_CODE)}",
        entry("health", "123"),
        '{ seal = "health" }',
    ):
        with pytest.raises(CatalogueError):
            load_matter(matter_file(tmp_path, wrong))
