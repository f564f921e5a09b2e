"""Officials sign in at an OpenID Connect provider that runs as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from docproc.errors import SetupError
from docproc.flow.accounts import oidc, users
from docproc.flow.core.context import Context
from docproc.flow.jobs.engine import migrate_all
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.flow.people import ADMIN, AUDITOR
from tests.servers.oidc import CLIENT, SECRET, oidc_provider

HERE = "http://testserver"
ROLES = "双流/审核=reviewer@shuangliu, 双流/审批=approver@shuangliu, tax=approver@tax_office, ops=admin@system"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("oidc")
    with oidc_provider(folder, HERE) as issuer:
        settings = Settings(
            data_dir=folder,
            public_url=HERE,
            rate_limit_per_minute=100_000,
            oidc_issuer=issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret=SecretStr(SECRET),
            oidc_roles=ROLES,
            oidc_acr="two-factors,card",
            _env_file=None,
        )
        database = open_database(settings.database)
        migrate_all(database)
        database.close()
        with TestClient(create_app(settings), headers={"Accept": "text/html"}) as opened:
            yield opened


def context(client: TestClient) -> Context:
    found: Context = client.app.state.context  # type: ignore[attr-defined]
    return found


def way_back(client: TestClient, who: str) -> str:
    """Go to the provider and sign in there; the address that it sends the browser back to."""
    client.cookies.clear()
    away = client.get("/office/oidc", follow_redirects=False)
    assert away.status_code == 303
    asked = httpx.URL(away.headers["location"]).params
    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code") and asked["nonce"]
    with httpx.Client() as browser:
        assert "样例身份认证" in browser.get(away.headers["location"]).text
        address = away.headers["location"].partition("?")[0]
        back = browser.post(address, data={**asked, "user": who})
        assert back.status_code == 302, back.text
        return str(back.headers["location"]).removeprefix(HERE)


def come(client: TestClient, who: str) -> httpx.Response:
    return client.get(way_back(client, who))


def test_who_is_in_a_mapped_group_comes_in_with_its_roles_and_nothing_else(client: TestClient) -> None:
    assert "统一身份认证" in client.get("/office/login").text
    there = come(client, "lan:双流/审核,guests")
    assert there.status_code == 200 and 'content="0;url=/office"' in there.text
    assert client.get("/office").url.path == "/office/queue"
    assert client.get("/office/users").status_code == 403
    user = next(u for u in users.list_users(context(client), ADMIN) if u["name"] == "lan")
    assert (user["roles"], user["org"], user["elsewhere"]) == (["reviewer"], "shuangliu", True)
    with pytest.raises(users.SignInError):
        users.sign_in(context(client), "lan", "elsewhere", "000000")


def test_roles_follow_the_groups_and_who_loses_them_is_out_at_once(client: TestClient) -> None:
    assert come(client, "mei:双流/审核").status_code == 200
    first = dict(client.cookies)
    assert come(client, "mei:双流/审核,双流/审批").status_code == 200
    user = next(u for u in users.list_users(context(client), ADMIN) if u["name"] == "mei")
    assert user["roles"] == ["approver", "reviewer"]
    assert users.official(context(client), first["dp_office"]) is None, "sessions with the former roles are over"
    mine = client.cookies["dp_office"]
    assert come(client, "mei:guests").status_code == 403
    assert users.official(context(client), mine) is None


@pytest.mark.parametrize("groups", ["", "guests", "双流/审核,tax", "kiosk"])
def test_who_is_in_no_mapped_group_or_in_those_of_two_offices_is_not_let_in(client: TestClient, groups: str) -> None:
    answer = come(client, f"stranger:{groups}")
    assert answer.status_code == 403 and "没有本系统的权限" in answer.text
    assert "dp_office" not in client.cookies
    assert "stranger" not in {u["name"] for u in users.list_users(context(client), ADMIN)}


def test_a_name_of_a_local_account_is_not_taken_over(client: TestClient) -> None:
    users.add_user(context(client), None, "local", "本地（样例）", "system", ["admin"])
    assert come(client, "local:ops").status_code == 403
    user = next(u for u in users.list_users(context(client), ADMIN) if u["name"] == "local")
    assert not user["elsewhere"]


def test_an_account_that_was_shut_stays_out(client: TestClient) -> None:
    assert come(client, "gone:tax").status_code == 200
    user = next(u for u in users.list_users(context(client), ADMIN) if u["name"] == "gone")
    users.set_enabled(context(client), ADMIN, user["id"], False)
    assert client.get("/office/queue").url.path == "/office/login"
    assert come(client, "gone:tax").status_code == 403


@pytest.mark.parametrize("spoil", ["nonce", "aud", "iss", "expired", "acr", "key", "shared"])
def test_an_id_token_in_which_anything_is_wrong_lets_nobody_in(client: TestClient, spoil: str) -> None:
    answer = come(client, f"mallory:tax:{spoil}")
    assert answer.status_code == 403 and "没有成功" in answer.text
    assert "mallory" not in {u["name"] for u in users.list_users(context(client), ADMIN)}


def test_a_way_back_serves_once_and_only_the_browser_that_went(client: TestClient) -> None:
    back = way_back(client, "once:tax")
    kept = client.cookies["dp_oidc"]
    client.cookies.clear()
    assert client.get(back).status_code == 403, "another browser"
    client.cookies.set("dp_oidc", kept, path="/office/oidc")
    assert client.get(back).status_code == 200
    client.cookies.clear()
    client.cookies.set("dp_oidc", kept, path="/office/oidc")
    assert client.get(back).status_code == 403, "a second time"
    forged = way_back(client, "once:tax").replace("code=", "code=x")
    assert client.get(forged).status_code == 403
    elsewhere = way_back(client, "once:tax") + "&iss=https%3A%2F%2Fexample.com"
    assert client.get(elsewhere).status_code == 403


def test_who_comes_and_goes_is_in_the_audit_log(client: TestClient) -> None:
    from docproc.flow.audit.log import search_audit

    lines = search_audit(context(client), AUDITOR, text="mei")
    actions = {line["action"] for line in lines}
    assert actions >= {"user.added", "user.roles_given", "user.signed_in", "user.not_let_in"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"oidc_roles": ""},
        {"oidc_roles": "g=nobody@office"},
        {"oidc_roles": "g=kiosk@office"},
        {"oidc_roles": "g=reviewer"},
        {"oidc_issuer": "http://id.example.com"},
        {"oidc_client_id": ""},
        {"oidc_scope": "profile"},
    ],
)
def test_wrong_settings_are_told_at_the_start(wrong: dict[str, str]) -> None:
    good = {"oidc_issuer": "https://id.example.com", "oidc_client_id": "x", "oidc_roles": "g=reviewer@office"}
    oidc.check(Settings(**good, _env_file=None))  # type: ignore[arg-type]
    with pytest.raises(SetupError):
        oidc.check(Settings(**{**good, **wrong}, _env_file=None))  # type: ignore[arg-type]


def test_a_provider_that_is_out_of_reach_is_said_and_not_a_failure(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        oidc_issuer="http://127.0.0.1:9",
        oidc_client_id="x",
        oidc_roles="g=reviewer@office",
        _env_file=None,
    )
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    with TestClient(create_app(settings), headers={"Accept": "text/html"}) as opened:
        assert opened.get("/office/oidc").status_code == 503
        assert opened.get("/office/login").status_code == 200
