"""A licence that is not in force is never shown as good, by any way of asking, however perfect its seal.

And what other departments sealed is shown as theirs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pymupdf
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from docproc.cli.main import app as cli
from docproc.domain import Licence
from docproc.flow.accounts import api_keys
from docproc.flow.core.context import utc_now
from docproc.flow.jobs.engine import migrate_all
from docproc.licence.devpki.pki import AUTHORITY_CODE, make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.licence.report.report import Standing
from docproc.licence.seal.status_list import LIFE, StatusList, make_status_list
from docproc.settings import Settings
from docproc.store.db import open_database
from docproc.store.licences import licences
from tests.api.printed import LICENCE, Shop
from tests.flow.people import ADMIN

GROUNDS = {"reason": "以欺骗手段取得（样例）", "basis": "样例法第六十九条"}
STATES = {"revoked": "作废", "suspended": "暂停", "expired": "有效期"}
FOREIGN_CODE, FOREIGN, NEIGHBOUR = "11340000MB00000000", "邻省样例局（样例）", "邻省政务服务局（样例）"


def licence_in(state: str) -> Licence:
    place = list(STATES).index(state)
    return replace(
        LICENCE,
        number=f"JY299009900001{place:02d}",
        application=f"A-9{place}",
        verify_url=f"http://127.0.0.1:8000/v/code-of-a-licence-{state}",
        valid_to=date(2026, 1, 31) if state == "expired" else LICENCE.valid_to,
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A service with a licence of each state; its trust folder recognises a neighbour's root too."""
    folder = tmp_path_factory.mktemp("green")
    make_dev_pki(folder / "pki", at=utc_now())
    make_dev_pki(folder / "neighbour", at=utc_now(), authority=FOREIGN, authority_code=FOREIGN_CODE)
    trust = folder / "pki" / "trust"
    for name in ("root.crt", "ca.crt"):
        (trust / f"neighbour-{name}").write_bytes((folder / "neighbour" / "trust" / name).read_bytes())
    (trust / "trust.toml").write_text(
        f'[[anchor]]\nfile = "neighbour-root.crt"\nname = "{NEIGHBOUR}"\nauthorities = ["{FOREIGN_CODE[:6]}"]\n',
        encoding="utf-8",
    )
    settings = Settings(
        data_dir=folder,
        trust_dir=trust,
        rate_limit_per_minute=100_000,
        parse_seconds_per_minute=100_000,
        _env_file=None,
    )
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    with TestClient(create_app(settings)) as client:
        opened = Shop(client, settings, DevPki(folder / "pki"))
        for state in STATES:
            (folder / f"{state}.pdf").write_bytes(opened.issue(licence_in(state)))
            if state != "expired":
                with client.app.state.context.database.write() as session:  # type: ignore[attr-defined]
                    row = licences.find_licence(session, licence_in(state).number, lock=True)
                    licences.set_status(session, row, state, "approver-1", utc_now(), **GROUNDS)
        yield opened


def posted(shop: Shop, path: str, data: bytes, **headers: str) -> Any:
    return shop.client.post(path, content=data, headers=headers)


def csrf(shop: Shop) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', shop.client.get("/verify").text)
    assert found
    return found[1]


@pytest.mark.parametrize("state", STATES)
def test_by_file_by_number_by_code_and_in_bulk(shop: Shop, state: str) -> None:
    licence, data = licence_in(state), (shop.settings.data_dir / f"{state}.pdf").read_bytes()
    told = posted(shop, "/v1/licences/verify", data).json()
    assert (told["indication"], told["integrity"], told["issued"]) == ("TOTAL-PASSED", "intact", "as-issued"), "perfect"
    assert (told["ok"], told["licence"]["status"]) == (False, state)
    assert told["licence"]["since"], "since when"
    if state != "expired":
        assert {key: told["licence"][key] for key in GROUNDS} == GROUNDS
    assert STATES[state].removeprefix("已") in told["headline"] and "真实有效" not in told["headline"]
    code = licence.verify_url.rsplit("/", 1)[-1]
    for path in (licence.number, f"by-code/{code}"):
        assert shop.client.get(f"/v1/licences/{path}").json()["status"] == state
    key = api_keys.create_key(
        shop.client.app.state.context, ADMIN, f"bank-{state}", "92510116MA6DEVX00X", ["enterprise"]
    )  # type: ignore[attr-defined]
    signed = {"Authorization": f"Bearer {key['key']}"}
    many = shop.client.post("/v1/licences/verify/many", files=[("files", ("a.pdf", data))], headers=signed).json()
    known = shop.client.post("/v1/licences/lookup", json={"numbers": [licence.number]}, headers=signed).json()
    assert (many["ok"], many["good"], known["ok"], known["good"]) == (False, 0, False, 0)


@pytest.mark.parametrize("state", STATES)
def test_on_the_pages_and_in_the_reports(shop: Shop, state: str) -> None:
    licence, data = licence_in(state), (shop.settings.data_dir / f"{state}.pdf").read_bytes()
    code = licence.verify_url.rsplit("/", 1)[-1]
    shown = shop.client.post("/verify", data={"csrf": csrf(shop)}, files={"file": ("a.pdf", data, "application/pdf")})
    assert shown.status_code == 200
    pages = [shown, shop.client.get(f"/verify/number?number={licence.number}"), shop.client.get(f"/v/{code}")]
    for page in pages:
        assert 'class="verdict good"' not in page.text and 'data-light="good"' not in page.text
    report = posted(shop, "/v1/licences/verify/report", data).content
    with pymupdf.open(stream=report) as pdf:
        text = "".join(pdf[0].get_text().split())
        greens = [
            item for item in pdf[0].get_drawings() if item["color"] and item["color"][1] > max(item["color"][::2])
        ]
    assert "，不能使用" in text and "结论：可以采信" not in text and not greens
    xml = ET.fromstring(posted(shop, "/v1/licences/verify/report?format=xml", data).content)
    told = {item.tag.rpartition("}")[2]: item.text for item in xml.iter()}
    assert (told["Accepted"], told["LicenceStatus"]) == ("false", state)


@pytest.mark.parametrize("state", ["revoked", "suspended", "expired"])
def test_on_the_command_line_with_a_status_list(shop: Shop, state: str, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    standings = {licence_in(name).number: Standing(name, now, **GROUNDS) for name in ("revoked", "suspended")}  # type: ignore[arg-type]
    listed = tmp_path / "list.jws"
    listed.write_text(make_status_list(StatusList(AUTHORITY_CODE, 1, now, now + LIFE, standings), shop.pki.signer()))
    file = str(shop.settings.data_dir / f"{state}.pdf")
    command = ["verify", file, "--trust", str(shop.settings.trust_dir), "--status-list", str(listed)]
    done = CliRunner().invoke(cli, [*command, "--json"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"], told["indication"]) == (1, False, "TOTAL-PASSED")
    assert told["licence"]["status"] == state
    spoken = CliRunner().invoke(cli, command)
    assert spoken.exit_code == 1 and STATES[state] in spoken.stdout and "\x1b[32m" not in spoken.stdout


def neighbours_shop(shop: Shop) -> Shop:
    return Shop(shop.client, shop.settings, DevPki(shop.settings.data_dir / "neighbour"))


def test_what_a_recognised_neighbour_sealed_is_shown_as_theirs(shop: Shop) -> None:
    theirs = replace(LICENCE, number="JY34000000000015", authority=FOREIGN, authority_code=FOREIGN_CODE)
    data = neighbours_shop(shop).sealed(theirs)
    told = posted(shop, "/v1/licences/verify", data).json()
    assert (told["ok"], told["indication"], told["issued"]) == (True, "TOTAL-PASSED", "unknown")
    assert told["signatures"][0]["recognised"] == NEIGHBOUR and "互认机构" in told["headline"]
    assert told["licence"]["status"] == "unknown", "our register knows nothing of it"
    shown = shop.client.post("/verify", data={"csrf": csrf(shop)}, files={"file": ("a.pdf", data, "application/pdf")})
    assert 'data-light="warn"' in shown.text, "their register must be asked"


def test_a_neighbours_root_does_not_vouch_for_our_licences(shop: Shop) -> None:
    told = posted(shop, "/v1/licences/verify", neighbours_shop(shop).sealed(LICENCE)).json()
    assert (told["ok"], told["indication"]) == (False, "INDETERMINATE")
    assert told["sub_indication"] == "SIG_CONSTRAINTS_FAILURE"
    theirs = replace(LICENCE, authority=FOREIGN, authority_code=FOREIGN_CODE)
    ours = shop.sealed(theirs)
    assert posted(shop, "/v1/licences/verify", ours).json()["sub_indication"] == "SIG_CONSTRAINTS_FAILURE"
