"""The seal registry: two persons for every change, and no seal outside its state, period, scope or owner."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from docproc.assets.paths import SERIF, font
from docproc.cli.main import app
from docproc.domain import Licence
from docproc.errors import AccessError, ConflictError, InputError, NotFoundError, SealError
from docproc.flow.accounts.api_keys import create_key
from docproc.flow.applications.applications import view_application
from docproc.flow.audit.log import audit_lines, check_audit
from docproc.flow.core.context import Context, utc_now
from docproc.flow.review.decisions import decide, release
from docproc.flow.seals.new_seal import NewSeal, check_record
from docproc.flow.seals.registry import confirm_change, list_seals, propose_change, propose_seal, seal_record
from docproc.flow.seals.sealer import development_seals, open_sealer
from docproc.flow.seals.usable import register_own, usable_seal
from docproc.licence.devpki.pki import (
    AUTHORITY,
    AUTHORITY_CODE,
    BASE_URL,
    SEAL,
    PrivateKey,
    issue,
    make_dev_pki,
    new_p256,
    seal_subject,
)
from docproc.licence.devpki.sm2_pki import MAKER, SM2_SEAL, make_sm2_pki
from docproc.licence.keys.sm2_signer import load_sm2
from docproc.licence.page.art import draw
from docproc.licence.pki.trust import TrustList
from docproc.licence.seal.registered_seal import RegisteredSeal, read_chain, to_der, to_pem
from docproc.licence.seal.seal_object import make_seal_object
from docproc.settings import Settings
from tests.flow.conftest import opened
from tests.flow.people import (
    ADMIN,
    APPROVER,
    AUDITOR,
    KIOSK,
    OTHER_REVIEWER,
    SEALER,
    Workers,
    seen,
    submitted,
    until,
)
from tests.flow.sealed import BARE
from tests.flow.small_stages import own_seals


def certificate(owner: str = AUTHORITY, key: PrivateKey | None = None) -> str:
    subject = seal_subject(owner, AUTHORITY_CODE)
    made = issue(None, subject, SEAL, utc_now() - timedelta(days=1), BASE_URL, key or new_p256())
    return made.certificate.public_bytes(Encoding.PEM).decode()


def new_seal(**changes: Any) -> NewSeal:
    seal = NewSeal(
        name="food_office",
        owner=AUTHORITY,
        owner_code=AUTHORITY_CODE,
        kind="special",
        filing_number="SAMPLE-2",
        certificates=certificate(),
        licence_kinds=("food_business",),
        valid_from=utc_now(),
        valid_to=utc_now() + timedelta(days=300),
        purpose="行政审批专用章",
    )
    return replace(seal, **changes)


def nothing() -> list[RegisteredSeal]:
    return []


def added(ctx: Context, **changes: Any) -> None:
    change = propose_seal(ctx, SEALER, new_seal(**changes), "新章启用")
    confirm_change(ctx, APPROVER, change["id"])


def test_a_seal_is_registered_only_when_another_person_confirms(ctx: Context) -> None:
    change = propose_seal(ctx, SEALER, new_seal(), "新章启用")
    with pytest.raises(SealError) as refused:
        usable_seal(ctx, "food_office", BARE, utc_now() + timedelta(hours=1), nothing)
    assert refused.value.code == "seal_unknown"
    with pytest.raises(AccessError, match="another person"):
        confirm_change(ctx, SEALER, change["id"])
    with pytest.raises(AccessError):
        confirm_change(ctx, OTHER_REVIEWER, change["id"])
    with pytest.raises(ConflictError, match="waits already"):
        propose_seal(ctx, APPROVER, new_seal(), "再次提出")
    confirm_change(ctx, APPROVER, change["id"])
    with pytest.raises(ConflictError):
        confirm_change(ctx, APPROVER, change["id"])
    seal = usable_seal(ctx, "food_office", BARE, utc_now() + timedelta(hours=1), nothing)
    view = list_seals(ctx, AUDITOR)
    assert view["changes"] == []
    assert view["seals"][0]["art_sha256"] == seal.art_sha256
    assert len(seal.art) < len(seal.drawing().operators) / 2
    actions = [(line["action"], line["actor"]) for line in audit_lines(ctx, AUDITOR, subject="food_office")]
    assert actions == [("seal.proposed", "sealer-1"), ("seal.confirmed", "approver-1")]
    assert check_audit(ctx, AUDITOR)["ok"]


@pytest.mark.parametrize(
    ("licence", "hours", "code"),
    [
        (BARE, -1, "seal_period"),
        (BARE, 24 * 301, "seal_period"),
        (replace(BARE, kind="sole_trader"), 1, "seal_scope"),
        (replace(BARE, authority="另一示例局（样例）"), 1, "seal_owner"),
        (replace(BARE, authority_code="11990099MB0000001X"), 1, "seal_owner"),
    ],
)
def test_a_seal_refuses_outside_its_period_scope_and_owner(
    ctx: Context, licence: Licence, hours: float, code: str
) -> None:
    added(ctx)
    with pytest.raises(SealError) as refused:
        usable_seal(ctx, "food_office", licence, utc_now() + timedelta(hours=hours), nothing)
    assert refused.value.code == code


def test_suspending_and_resuming_need_two_persons_too(ctx: Context) -> None:
    added(ctx)
    at = utc_now() + timedelta(hours=1)
    with pytest.raises(ConflictError):
        propose_change(ctx, SEALER, "food_office", "resume", "误操作")
    with pytest.raises(NotFoundError):
        propose_change(ctx, SEALER, "no_such_seal", "suspend", "遗失")
    with pytest.raises(InputError):
        propose_change(ctx, SEALER, "food_office", "suspend", " ")
    change = propose_change(ctx, SEALER, "food_office", "suspend", "密钥保管人变动")
    assert usable_seal(ctx, "food_office", BARE, at, nothing).name == "food_office"
    confirm_change(ctx, APPROVER, change["id"])
    with pytest.raises(SealError) as refused:
        usable_seal(ctx, "food_office", BARE, at, nothing)
    assert refused.value.code == "seal_suspended"
    again = propose_change(ctx, APPROVER, "food_office", "resume", "交接完成")
    confirm_change(ctx, SEALER, again["id"], refuse=True)
    with pytest.raises(SealError):
        usable_seal(ctx, "food_office", BARE, at, nothing)
    again = propose_change(ctx, APPROVER, "food_office", "resume", "交接完成")
    confirm_change(ctx, SEALER, again["id"])
    assert usable_seal(ctx, "food_office", BARE, at, nothing).name == "food_office"


def test_what_cannot_be_a_seal_is_refused_at_once(ctx: Context) -> None:
    wrong: list[dict[str, Any]] = [
        {"certificates": certificate("另一示例局（样例）")},
        {"certificates": "no certificate"},
        {"certificates": certificate() + certificate()},
        {"valid_to": utc_now() + timedelta(days=365 * 4)},
        {"licence_kinds": ("passport",)},
        {"licence_kinds": ()},
        {"kind": "private"},
        {"owner_code": "123"},
        {"name": "Food Office"},
        {"filing_number": " "},
        {"diameter": 60.0},
        {"purpose": "一二三四五六七八九十一"},
        {"certificates": certificate(key=ec.generate_private_key(ec.SECP384R1()))},
        {"certificates": certificate(key=rsa.generate_private_key(public_exponent=65537, key_size=1024))},
    ]
    for changes in wrong:
        with pytest.raises(InputError):
            propose_seal(ctx, SEALER, new_seal(**changes), "新章启用")
    with pytest.raises(AccessError):
        propose_seal(ctx, ADMIN, new_seal(), "新章启用")
    assert list_seals(ctx, SEALER) == {"seals": [], "changes": []}


def test_an_entry_changed_in_the_database_is_not_used(ctx: Context) -> None:
    added(ctx)
    with ctx.database.write() as session:
        session.execute(sa.text("UPDATE seals SET art = X'00'"))
    with pytest.raises(SealError, match="damaged"):
        usable_seal(ctx, "food_office", BARE, utc_now() + timedelta(hours=1), nothing)


@pytest.fixture
def certified(settings: Settings, tmp_path: Path) -> Iterator[Context]:
    """A service beside a development PKI."""
    make_dev_pki(tmp_path / "pki", at=utc_now())
    make_sm2_pki(tmp_path / "pki", at=utc_now())
    folders = {"certs_dir": tmp_path / "pki", "trust_dir": tmp_path / "pki" / "trust"}
    yield from opened(settings.model_copy(update=folders))


def by_maker(settings: Settings, given: NewSeal) -> str:
    """The seal object for a proposal, by the sample maker."""
    chain = read_chain(given.certificates.encode())
    seal = RegisteredSeal(
        name=given.name,
        owner=given.owner,
        owner_code=given.owner_code,
        kind=given.kind,
        filing_number=given.filing_number,
        certificates=to_der(chain),
        diameter=given.diameter,
        art=draw(given.owner, font(SERIF), diameter=given.diameter, purpose=given.purpose).compressed(),
        licence_kinds=given.licence_kinds,
        valid_from=given.valid_from,
        valid_to=given.valid_to,
    )
    maker = load_sm2(settings.certs_dir / f"{MAKER}.pem", (settings.certs_dir / "passphrase").read_bytes())
    return base64.b64encode(make_seal_object(seal, maker, utc_now())).decode()


def test_a_seal_object_is_checked_kept_and_given_out(certified: Context) -> None:
    given = new_seal()
    record = by_maker(certified.settings, given)
    for wrong in (replace(given, filing_number="SAMPLE-7"), replace(given, purpose="另一专用章")):
        with pytest.raises(InputError, match="seal object"):
            propose_seal(certified, SEALER, replace(wrong, record=record), "新章启用")
    with pytest.raises(InputError, match="base64"):
        propose_seal(certified, SEALER, replace(given, record="%"), "新章启用")
    change = propose_seal(certified, SEALER, replace(given, record=record), "新章启用")
    confirm_change(certified, APPROVER, change["id"])
    assert base64.b64encode(seal_record(certified, AUDITOR, "food_office")).decode() == record
    (view,) = list_seals(certified, AUDITOR)["seals"]
    assert (view["has_record"], view["algorithm"]) == (True, "P-256")
    (line, _) = audit_lines(certified, AUDITOR, subject="food_office")
    assert line["detail"]["record"] == hashlib.sha256(base64.b64decode(record)).hexdigest()
    with pytest.raises(NotFoundError):
        seal_record(certified, AUDITOR, "market_regulation")


def test_an_sm2_seal_needs_its_seal_object(certified: Context) -> None:
    pem = (certified.settings.certs_dir / f"{SM2_SEAL}.pem").read_bytes()
    given = new_seal(certificates=to_pem(read_chain(pem)), purpose="")
    with pytest.raises(InputError, match="has no seal object"):
        propose_seal(certified, SEALER, given, "国密印章启用")
    change = propose_seal(certified, SEALER, replace(given, record=by_maker(certified.settings, given)), "国密印章启用")
    confirm_change(certified, APPROVER, change["id"])
    assert list_seals(certified, AUDITOR)["seals"][0]["algorithm"] == "SM2"


def test_development_seals_come_with_seal_objects(certified: Context) -> None:
    seals = development_seals(certified.settings)
    known = TrustList.from_folder(certified.settings.trust_dir)
    assert {seal.name for seal in seals} >= {"market_regulation"}
    for seal in seals:
        check_record(seal, known, utc_now())
    damaged = replace(seals[0], record=seals[0].record[:-2] + b"\0\0")
    sealer = open_sealer(certified.settings)
    with pytest.raises(SealError) as refused:
        sealer(BARE, [damaged], utc_now())
    assert refused.value.code == "seal_object"


def test_the_development_seal_is_registered_only_on_a_registry_never_used(ctx: Context) -> None:
    register_own(ctx, own_seals)
    register_own(ctx, own_seals)
    assert [seal["name"] for seal in list_seals(ctx, SEALER)["seals"]] == ["market_regulation", "social_insurance"]
    lines = audit_lines(ctx, AUDITOR, subject="market_regulation")
    assert [(line["action"], line["actor"]) for line in lines] == [("seal.registered", "system")]


def test_a_proposal_keeps_the_development_seal_out(ctx: Context) -> None:
    propose_seal(ctx, SEALER, new_seal(), "新章启用")
    register_own(ctx, own_seals)
    assert list_seals(ctx, SEALER)["seals"] == []


def approved(ctx: Context) -> str:
    view = submitted(ctx)
    made = decide(ctx, APPROVER, view["number"], "approve", seen(view))
    release(ctx, SEALER, view["number"], made["version"])
    return str(view["number"])


def failed(ctx: Context, number: str) -> str:
    until(lambda: view_application(ctx, KIOSK, number)["seal"]["state"] == "failed")
    return str(view_application(ctx, KIOSK, number)["seal"]["note"])


def test_a_suspended_seal_stops_issuing_until_it_is_resumed_and_released_again(ctx: Context, workers: Workers) -> None:
    workers.start("w1")
    until(lambda: list_seals(ctx, SEALER)["seals"])
    change = propose_change(ctx, SEALER, "market_regulation", "suspend", "密钥保管人变动")
    confirm_change(ctx, APPROVER, change["id"])
    number = approved(ctx)
    assert "停用" in failed(ctx, number)
    view = view_application(ctx, KIOSK, number)
    assert view["status"] == "approved"
    assert view["licence"] is None
    change = propose_change(ctx, SEALER, "market_regulation", "resume", "交接完成")
    confirm_change(ctx, APPROVER, change["id"])
    release(ctx, SEALER, number, view["version"])
    until(lambda: view_application(ctx, KIOSK, number)["status"] == "issued")


def test_a_licence_changed_after_its_number_was_given_is_not_sealed(ctx: Context, workers: Workers) -> None:
    workers.start("w1")
    (ctx.settings.data_dir / "tsa-down").touch()
    number = approved(ctx)
    until(lambda: view_application(ctx, KIOSK, number)["seal"]["state"] == "waiting")
    with ctx.database.write() as session:
        body = json.loads(session.execute(sa.text("SELECT body FROM licences")).scalar_one())
        body["holder"] = "冒名者（样例）"
        session.execute(sa.text("UPDATE licences SET body = :body"), {"body": json.dumps(body)})
    (ctx.settings.data_dir / "tsa-down").unlink()
    assert "审批时不一致" in failed(ctx, number)


def run_cli(settings: Settings, key: str, *arguments: str) -> Any:
    """What a command answers; raises what it raises."""
    env = {"DOCPROC_DATA_DIR": str(settings.data_dir), "DOCPROC_KEY": key}
    done = CliRunner().invoke(app, ["seal", *arguments, "--json"], env=env, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_command_line_keeps_the_registry_with_two_keys(ctx: Context, settings: Settings, tmp_path: Path) -> None:
    one = create_key(ctx, None, "li", "office", ["sealer"])["key"]
    two = create_key(ctx, None, "wang", "office", ["approver"])["key"]
    (tmp_path / "seal.pem").write_text(certificate())
    change = run_cli(
        settings,
        one,
        *("add", "food_office", "--certificates", str(tmp_path / "seal.pem")),
        *("--owner", AUTHORITY, "--owner-code", AUTHORITY_CODE),
        *("--filing-number", "SAMPLE-3", "--licence-kind", "food_business", "--reason", "新章启用"),
    )
    with pytest.raises(AccessError, match="another person"):
        run_cli(settings, one, "confirm", change["id"])
    assert run_cli(settings, two, "confirm", change["id"])["state"] == "confirmed"
    found = run_cli(settings, two, "list")
    assert [(seal["name"], seal["state"]) for seal in found["seals"]] == [("food_office", "active")]
    for action, state in (("suspend", "suspended"), ("resume", "active")):
        change = run_cli(settings, two, action, "food_office", "--reason", "密钥保管人变动")
        run_cli(settings, one, "confirm", change["id"])
        assert run_cli(settings, two, "list")["seals"][0]["state"] == state
    with pytest.raises(AccessError, match="wrong or revoked"):
        run_cli(settings, "dp_wrong", "list")
