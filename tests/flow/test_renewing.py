"""The renewal sweep over a registered licence with a real seal and real time-stamps."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from docproc.assets import font
from docproc.domain import Decision, Licence
from docproc.errors import SealUnavailableError
from docproc.flow.context import Context
from docproc.flow.renewing import look, renew_due
from docproc.flow.verifying import StoredRegister
from docproc.licence.art import draw
from docproc.licence.layout import load_layout
from docproc.licence.pki import AUTHORITY, AUTHORITY_CODE, make_dev_pki
from docproc.licence.record import licence_json
from docproc.licence.render import render
from docproc.licence.renew import renew
from docproc.licence.responder import DevPki
from docproc.licence.seal import seal
from docproc.store import applications, licences

NOW = datetime.now(UTC)
NUMBER = "JY29900990000015"
LICENCE = Licence(
    number=NUMBER,
    kind="food_business",
    matter="food_licence",
    version=1,
    application="A-1",
    title="食品经营许可证",
    holder="示例市样例餐饮店（样例）",
    authority=AUTHORITY,
    authority_code=AUTHORITY_CODE,
    issued_on=NOW.date(),
    valid_from=NOW.date(),
    valid_to=None,
    fields=(("items", "经营项目", "热食类食品制售"),),
)


@pytest.fixture
def pki(tmp_path: Path) -> DevPki:
    make_dev_pki(tmp_path / "pki", at=NOW)
    return DevPki(tmp_path / "pki")


@pytest.fixture
def registered(ctx: Context, pki: DevPki) -> str:
    """SHA-256 of the file of one licence in the register."""
    layout = load_layout("food_business")
    sealed = seal(
        render(LICENCE, layout), pki.signer(), pki.timestamper(lambda: NOW), pki.seal_trust(),
        place=layout.seal, art=draw(AUTHORITY, font(), diameter=42.0), reason="签发", at=NOW,
    )  # fmt: skip
    digest = ctx.blobs.put(sealed)
    with ctx.database.write() as session:
        application = applications.add_application(
            session, "A-1", matter="food_licence", org="office", channel="kiosk", by="kiosk-1", at=NOW
        )
        decision = applications.add_decision(session, application, Decision("approve", "reviewer-1", NOW))
        body = json.loads(licence_json(LICENCE))
        licences.add_licence(session, LICENCE, decision=decision.id, application=application, code="code", body=body)
        licences.register_sealed(session, NUMBER, digest, NOW)
    return digest


def current(ctx: Context) -> list[tuple[str, str]]:
    with ctx.database.read() as session:
        return [(item.sha256, item.reason) for item in licences.files_of(session, NUMBER)]


def test_what_is_not_due_is_left_alone(ctx: Context, registered: str) -> None:
    sweep = renew_due(ctx, lambda pdf, at: pdf)
    assert (sweep.looked, sweep.due, sweep.renewed) == (1, 0, 0)
    assert sweep.ends == {str((NOW - timedelta(days=1) + timedelta(days=6 * 365.25)).year): 1}
    assert look(ctx).looked == 0, "an end that is known is not looked up again"


def test_a_due_licence_gets_a_new_file_and_keeps_the_former(ctx: Context, registered: str, pki: DevPki) -> None:
    trust = pki.seal_trust()
    stamper = pki.timestamper(lambda: datetime.now(UTC))
    sweep = renew_due(ctx, lambda pdf, at: renew(pdf, stamper, trust, at=at), margin_days=7 * 365)
    assert (sweep.due, sweep.renewed, sweep.failed) == (1, 1, {})
    (first, _), (second, reason) = sorted(current(ctx), key=lambda item: item[0] != registered)
    assert (first, reason) == (registered, "renewed")
    data = ctx.blobs.get(second)
    assert data.startswith(ctx.blobs.get(registered)) and hashlib.sha256(data).hexdigest() == second
    register = StoredRegister(ctx)
    found = [register.by_sha256(digest) for digest in (first, second)]
    assert [item.issued for item in found if item is not None] == ["superseded", "as-issued"]


def test_without_a_time_stamp_service_nothing_changes_and_the_next_sweep_goes_on(
    ctx: Context, registered: str, pki: DevPki
) -> None:
    def away(pdf: bytes, at: datetime) -> bytes:
        raise SealUnavailableError("TSA is down")

    with pytest.raises(SealUnavailableError):
        renew_due(ctx, away, margin_days=7 * 365)
    assert current(ctx) == [(registered, "issued")]
    trust, stamper = pki.seal_trust(), pki.timestamper(lambda: datetime.now(UTC))
    again = renew_due(ctx, lambda pdf, at: renew(pdf, stamper, trust, at=at), margin_days=7 * 365)
    assert (again.looked, again.renewed) == (0, 1)


def test_a_file_that_is_not_good_is_named_and_left(ctx: Context, registered: str, tmp_path: Path) -> None:
    make_dev_pki(tmp_path / "other", at=NOW)
    other = DevPki(tmp_path / "other")
    stamper = other.timestamper(lambda: datetime.now(UTC))
    sweep = renew_due(ctx, lambda pdf, at: renew(pdf, stamper, other.seal_trust(), at=at), margin_days=7 * 365)
    assert (sweep.due, sweep.renewed, list(sweep.failed)) == (1, 0, [NUMBER])
    assert current(ctx) == [(registered, "issued")]
