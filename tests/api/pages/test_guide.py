"""The kiosk's guide of a matter: what it prints, and what a matter that is closed no longer offers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from docproc.flow.accounts import api_keys, seats
from docproc.flow.core import in_force
from docproc.flow.core.context import Context
from docproc.flow.jobs.engine import migrate_all
from docproc.flow.matters import catalogue
from docproc.matter.load import MATTERS_DIR, put_in_force
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.flow.people import ADMIN, APPROVER

RETIRED = (
    (MATTERS_DIR / "social_insurance.toml")
    .read_text("utf-8")
    .replace('region = "510116"', 'region = "510116"\nstatus = "retired"', 1)
)


@pytest.fixture
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Context]]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("guide"), rate_limit_per_minute=10_000, _env_file=None)
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    with TestClient(create_app(settings), follow_redirects=False) as client:
        ctx: Context = client.app.state.context  # type: ignore[attr-defined]
        key = api_keys.create_key(ctx, ADMIN, "kiosk-1", "office", ["kiosk"])["key"]
        client.cookies.set("dp_kiosk", seats.sign_in(ctx, key, "kiosk"))
        yield client, ctx
    put_in_force(MATTERS_DIR)
    in_force._seen = ("", ())


def test_a_form_with_a_table_is_offered_on_several_sheets(kiosk: tuple[TestClient, Context]) -> None:
    client, _ = kiosk
    page = client.get("/kiosk/matters/social_insurance").text
    assert "/v1/matters/social_insurance/forms/staff_list.pdf?sheets=2" in page
    assert "forms/application.pdf?sheets=" not in page
    assert client.get("/v1/matters/social_insurance/forms/staff_list.pdf?sheets=2").status_code == 200
    refused = client.get("/v1/matters/social_insurance/forms/application.pdf?sheets=2")
    assert refused.status_code == 422 and "续页" in refused.json()["detail"]


def test_a_retired_matter_is_explained_and_offers_nothing(kiosk: tuple[TestClient, Context]) -> None:
    client, ctx = kiosk
    change = catalogue.propose(ctx, ADMIN, [("a.toml", RETIRED.encode())], date.today(), "试验")["id"]
    catalogue.confirm(ctx, APPROVER, change)
    page = client.get("/kiosk/matters/social_insurance").text
    assert "该事项已停止受理" in page and ".pdf" not in page and 'action="/kiosk/open"' not in page
    assert "social_insurance" not in client.get("/kiosk").text
    answer = client.get("/v1/matters/social_insurance/forms/staff_list.pdf")
    assert answer.status_code == 409 and answer.json()["code"] == "matter_closed"
    told = client.get("/v1/matters/social_insurance").json()
    assert (told["status"], told["open"], told["closed_because"]) == ("retired", False, "该事项已停止受理")
    assert all(item["form_url"] is None for item in told["materials"])
