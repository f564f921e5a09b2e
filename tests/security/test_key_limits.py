"""A key ends by itself, and is of no use from where it was not made for; whoever rewrites its row gains nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from docproc.errors import InputError
from docproc.flow.accounts import api_keys, seats
from docproc.flow.accounts.api_keys import Limits
from docproc.flow.core.context import Context, utc_now
from docproc.ops.key_checks import check_api_keys
from docproc.store.signatures import _columns, _statement, is_signed
from docproc.store.tables.accounts import ApiKeyRow
from tests.api.pages.inside import at_desk, running, word

HERE = "10.20.3.4"
NETWORKS = ("10.20.0.0/16", "2001:db8:20::/48")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, Context]]:
    with running(tmp_path_factory.mktemp("keys") / "var") as found:
        yield found


def new(ctx: Context, subject: str, limits: Limits = api_keys.UNLIMITED, role: str = "kiosk") -> str:
    return str(api_keys.create_key(ctx, None, subject, "office", [role], limits=limits)["key"])


def client(app: FastAPI, address: str, key: str = "") -> TestClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return TestClient(app, headers=headers, client=(address, 50000), follow_redirects=False)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (HERE, 200),
        ("::ffff:10.20.3.4", 200),
        ("2001:db8:20:1::9", 200),
        ("10.21.3.4", 401),
        ("2001:db8:21::9", 401),
        ("203.0.113.9", 401),
        ("testclient", 401),
    ],
)
def test_a_key_is_used_from_its_networks_alone(service: tuple[FastAPI, Context], address: str, status: int) -> None:
    app, ctx = service
    key = new(ctx, "kiosk-near", Limits(networks=NETWORKS))
    assert client(app, address, key).get("/v1/applications").status_code == status


def test_a_browser_of_a_kiosk_is_bound_to_them_too(service: tuple[FastAPI, Context]) -> None:
    app, ctx = service
    key = new(ctx, "kiosk-browser", Limits(networks=NETWORKS))
    token = seats.sign_in(ctx, key, "kiosk", HERE)
    assert seats.seat(ctx, token, "kiosk", HERE) is not None
    assert seats.seat(ctx, token, "kiosk", "203.0.113.9") is None
    far = client(app, "203.0.113.9")
    far.get("/kiosk")
    shown = far.post("/kiosk/device", data={"key": key, "csrf": word(far, "/kiosk")})
    assert shown.status_code == 403 and "dp_kiosk" not in shown.cookies


def test_a_key_ends_by_itself_and_so_does_its_browser(service: tuple[FastAPI, Context]) -> None:
    app, ctx = service
    key = new(ctx, "kiosk-short", Limits(days=2))
    far = replace(ctx, settings=ctx.settings.model_copy(update={"kiosk_days": 9}))
    token = seats.sign_in(far, key, "kiosk")
    near = client(app, HERE, key)
    assert near.get("/v1/applications").status_code == 200
    later = replace(far, clock=lambda: utc_now() + timedelta(days=2, minutes=1))
    app.state.context = later
    try:
        assert near.get("/v1/applications").status_code == 401
        assert seats.seat(later, token, "kiosk") is None
    finally:
        app.state.context = ctx
    assert seats.seat(far, token, "kiosk") is not None


def test_a_new_key_lives_a_year_unless_it_says_otherwise(service: tuple[FastAPI, Context]) -> None:
    app, ctx = service
    admin = client(app, HERE, new(ctx, "root-1", role="admin"))
    made = admin.post("/v1/keys", json={"subject": "k-1", "org": "office", "roles": ["kiosk"]}).json()
    assert made["networks"] == [] and made["expires_at"][:4] == str((utc_now() + timedelta(days=365)).year)
    asked = {"subject": "k-2", "org": "office", "roles": ["kiosk"], "days": 10, "networks": ["10.20.3.4", "fd00::1/64"]}
    made = admin.post("/v1/keys", json=asked).json()
    assert made["networks"] == ["10.20.3.4/32", "fd00::/64"]
    for wrong in ({"days": 0}, {"days": 9999}, {"networks": ["here"]}, {"networks": ["10.0.0.0/99"]}):
        assert admin.post("/v1/keys", json={**asked, **wrong}).status_code == 422, wrong


def test_limits_that_make_no_sense_are_refused(service: tuple[FastAPI, Context]) -> None:
    for limits in (Limits(days=0), Limits(networks=["x"]), Limits(networks=[f"10.0.{n}.0/24" for n in range(60)])):
        with pytest.raises(InputError):
            new(service[1], "nobody-1", limits)


def test_who_takes_a_key_over_keeps_its_limits(service: tuple[FastAPI, Context]) -> None:
    ctx = service[1]
    made = api_keys.create_key(ctx, None, "li.na", "office", ["clerk"], limits=Limits(3, NETWORKS))
    own = api_keys.take_over(ctx, None, made["id"])
    assert (own["expires_at"], own["networks"]) == (made["expires_at"], list(NETWORKS))


@pytest.mark.parametrize(
    ("change", "value"),
    [("expires_at", "2099-01-01 00:00:00"), ("networks", json.dumps(["0.0.0.0/0"])), ("networks", "[]")],
)
def test_limits_that_were_rewritten_in_the_database_end_the_key(
    service: tuple[FastAPI, Context], change: str, value: str
) -> None:
    app, ctx = service
    key = new(ctx, "kiosk-forged", Limits(1, NETWORKS))
    with ctx.database.write() as session:
        query = sa.text(f"UPDATE api_keys SET {change} = :value WHERE id = :id")
        session.execute(query, {"value": value, "id": key.split("_")[1]})
    assert client(app, HERE, key).get("/v1/applications").status_code == 401


def test_a_key_of_the_version_before_works_and_is_named(service: tuple[FastAPI, Context]) -> None:
    """Its row was signed before there were the columns."""
    app, ctx = service
    key = new(ctx, "kiosk-old")
    own = ctx.keys.own
    assert own is not None
    with ctx.database.write() as session:
        row = session.get_one(ApiKeyRow, key.split("_")[1])
        row.expires_at, row.networks = None, []
        columns = sorted(_columns(row, "signed") - {"expires_at", "networks"})
        from docproc import process_keys

        signature = process_keys.sign(own, "row:api_keys:signed", _statement(row, columns, {}))
        row.signed = {"columns": columns, "said": {}, "signature": signature}
        assert is_signed(session, row)
    assert client(app, HERE, key).get("/v1/applications").status_code == 200
    told = check_api_keys(ctx)
    assert not told.ok and "kiosk-old" in told.detail and not told.needed
    desk = at_desk(app, ctx, "admin-keys", "admin")
    assert "未设有效期" in desk.get("/office/keys").text
    with ctx.database.write() as session:
        session.execute(
            sa.text("UPDATE api_keys SET expires_at = '2099-01-01' WHERE id = :id"), {"id": key.split("_")[1]}
        )
    assert client(app, HERE, key).get("/v1/applications").status_code == 401, "an end cannot be put in afterwards"


def test_the_console_makes_a_key_with_its_limits(service: tuple[FastAPI, Context]) -> None:
    app, ctx = service
    desk = at_desk(app, ctx, "admin-page", "admin")
    form = {"subject": "hall-9", "org": "office", "roles": "kiosk", "days": "30", "networks": "10.20.0.0/16, fd00::/8"}
    page = desk.post("/office/keys", data={**form, "csrf": word(desk, "/office/keys")})
    assert page.status_code == 200 and "10.20.0.0/16, fd00::/8" in page.text
    wrong = desk.post("/office/keys", data={**form, "networks": "x", "csrf": word(desk, "/office/keys")})
    assert wrong.status_code == 422 and "网络地址格式不正确" in wrong.text
