"""The office's pages: signing in, users, keys, matters, audit log, figures, the counter."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from docproc.matter.load import MATTERS_DIR
from tests.api.group import Group, group
from tests.api.pages.officials import Person, person, signed_in, word
from tests.flow.people import insurance_papers, trader_papers, until


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    folder = tmp_path_factory.mktemp("office") / "var"
    with group(folder, DOCPROC_RATE_LIMIT_PER_MINUTE="5000") as running:
        yield running


@pytest.fixture(scope="module")
def admin(small: Group) -> Iterator[httpx.Client]:
    with signed_in(small, person(small, "boss", "admin")) as client:
        yield client


def test_a_wrong_sign_in_is_refused_without_saying_what_was_wrong(small: Group, admin: httpx.Client) -> None:
    with httpx.Client(base_url=small.base, headers={"Accept": "text/html"}, follow_redirects=True) as client:
        said = set()
        for name, password in (("boss", "wrong"), ("nobody-here", "wrong")):
            sent = {"csrf": word(client, "/office/login"), "name": name, "password": password, "code": "000000"}
            answer = client.post("/office/login", data=sent)
            assert answer.status_code == 403
            said.add(re.search(r'role="alert"><p[^>]*>([^<]+)', answer.text)[1])  # type: ignore[index]
        assert len(said) == 1
        assert client.get("/office/users").url.path == "/office/login"


def test_an_administrator_adds_a_user_whose_secrets_show_once_and_who_must_choose_a_password(
    small: Group, admin: httpx.Client
) -> None:
    sent = {"csrf": word(admin, "/office/users"), "name": "new.one", "title": "新来（样例）", "org": "office"}
    made = admin.post("/office/users", data={**sent, "roles": ["clerk", "reviewer"]})
    password, secret = re.findall(r'<dd class="number">([^<]+)</dd>', made.text)
    assert password not in admin.get("/office/users").text
    assert admin.post("/office/users", data={**sent, "roles": ["clerk"]}).status_code == 422, "the name is taken"
    fresh = Person("new.one", password, secret, 0)
    with signed_in(small, fresh) as client:
        assert client.get("/office/queue").url.path == "/office/password"
        chosen = {
            "csrf": word(client, "/office/password"),
            "old": password,
            "new": "另外选一个够长的密码吧",
            "again": "x",
        }
        assert client.post("/office/password", data=chosen).status_code == 422
        chosen["new"] = chosen["again"] = "另外选一个够长的密码才行啊"
        assert client.post("/office/password", data=chosen).url.path == "/office/login"
    fresh.password = chosen["new"]
    with signed_in(small, fresh) as client:
        assert client.get("/office").url.path == "/office/queue"


def test_a_key_shows_once_and_is_revoked(small: Group, admin: httpx.Client) -> None:
    sent = {"csrf": word(admin, "/office/keys"), "subject": "kiosk-hall", "org": "office", "roles": "kiosk"}
    key = re.search(r"dp_[0-9a-f]{12}_[0-9a-f]{64}", admin.post("/office/keys", data=sent).text)
    assert key and key[0] not in admin.get("/office/keys").text
    with small.client(key[0]) as kiosk:
        assert kiosk.get("/v1/applications").status_code == 200
        admin.post(f"/office/keys/{key[0][3:15]}/revoke", data={"csrf": sent["csrf"]})
        assert kiosk.get("/v1/applications").status_code == 401


def test_a_matter_file_is_checked_and_put_in_force_by_a_second_person_without_a_restart(
    small: Group, admin: httpx.Client
) -> None:
    good = (MATTERS_DIR / "sole_trader.toml").read_text(encoding="utf-8")
    sent = {"csrf": word(admin, "/office/matters"), "do": "check"}
    fine = admin.post("/office/matters", data=sent, files={"file": ("m.toml", good.encode())})
    assert fine.status_code == 200 and "检查通过" in fine.text
    wrong = admin.post("/office/matters", data=sent, files={"file": ("m.toml", b"\n\nname = [")})
    assert wrong.status_code == 422 and re.search(r"第 \d+ 行有误", wrong.text)
    rule = '\n[[rule]]\nid = "X-01"\nkind = "avoids"\nseverity = "fix"\nfield = "application.name"\nwords = ["样例"]\n'
    changed = good + rule + 'message = "名称不得含有样例二字"\nbasis = "entity_rules#16"\n'
    told = {**sent, "do": "propose", "reason": "试行"}
    assert admin.post("/office/matters", data=told, files={"file": ("m.toml", changed.encode())}).status_code == 200
    change = re.findall(r"/office/matters/changes/([0-9a-f]{12})", admin.get("/office/matters").text)[0]
    assert "confirm" not in re.findall(r"<button[^>]*>", admin.get(f"/office/matters/changes/{change}").text)
    with signed_in(small, person(small, "second", "approver")) as other:
        page = other.get(f"/office/matters/changes/{change}")
        assert "名称不得含有样例二字" in page.text
        form = re.search(r"/office/matters/changes/[^\"]+\.pdf\?edition=[^\"]+", page.text)
        assert form and other.get(form[0].replace("&amp;", "&")).content.startswith(b"%PDF-")
        sent = {"csrf": word(other, "/office/matters"), "to": "true"}
        assert other.post(f"/office/matters/changes/{change}", data=sent).url.path == "/office/matters"
    with small.client(small.new_key("kiosk-rules", "kiosk")) as kiosk:
        number = str(kiosk.post("/v1/applications", json={"matter": "sole_trader"}).json()["number"])
        for data in trader_papers(turn="rules"):
            assert kiosk.post(f"/v1/applications/{number}/pages", content=data).status_code == 201
        found = until(lambda: (v := kiosk.get(f"/v1/applications/{number}").json())["checked"] and v, 120)
        assert "X-01" in {item["code"] for item in found["findings"]}, "the workers judge by it too"
    back = {**told, "csrf": word(admin, "/office/matters")}
    assert admin.post("/office/matters", data=back, files={"file": ("m.toml", good.encode())}).status_code == 200
    change = re.findall(r"/office/matters/changes/([0-9a-f]{12})", admin.get("/office/matters").text)[0]
    with signed_in(small, person(small, "third", "admin")) as other:
        sent = {"csrf": word(other, "/office/matters"), "to": "true"}
        other.post(f"/office/matters/changes/{change}", data=sent)


def test_departments_give_their_opinions_on_their_own_pages(small: Group) -> None:
    with small.client(small.new_key("kiosk-joint", "kiosk", org="hall")) as kiosk:
        number = kiosk.post("/v1/applications", json={"matter": "social_insurance"}).json()["number"]
        for data in insurance_papers():
            assert kiosk.post(f"/v1/applications/{number}/pages", content=data).status_code == 201
        until(lambda: kiosk.get(f"/v1/applications/{number}").json()["checked"], 120)
        assert kiosk.post(f"/v1/applications/{number}/submit").json()["opinions"][0]["action"] is None
    lead, tax = (
        person(small, "zhou", "approver", org="social_insurance_agency"),
        person(small, "wu", "approver", org="tax_office"),
    )
    for who, given, papers in ((tax, "意见 0/2", 3), (lead, "意见 1/2", 6)):
        with signed_in(small, who) as client:
            assert given in client.get("/office/queue").text
            case = client.get(f"/office/cases/{number}").text
            assert case.count('<section class="group"') == papers
            sent = dict(re.findall(r'name="(csrf|version|content_sha256)" value="([^"]+)"', case))
            done = client.post(f"/office/cases/{number}/decide", data={**sent, "action": "approve"})
            assert done.status_code == 200 and number not in re.findall(r"/office/cases/([^\"/?]+)", done.text)
    with small.client(small.new_key("clerk-joint", "clerk", org="hall")) as clerk:
        assert clerk.get(f"/v1/applications/{number}").json()["status"] == "approved"


def test_a_clerk_hands_in_for_somebody_and_prints_the_receipt(small: Group) -> None:
    with signed_in(small, person(small, "sun", "clerk")) as client:
        begun = client.post("/office/counter", data={"csrf": word(client, "/office/counter"), "matter": "sole_trader"})
        path = begun.url.path
        files = [("file", (f"{n}.png", data)) for n, data in enumerate(trader_papers())]
        sent = {"csrf": word(client, path)}
        assert client.post(f"{path}/pages", data=sent, files=files).status_code == 200
        until(lambda: "/submit" in client.get(path).text, 120)
        receipt = client.post(f"{path}/submit", data=sent)
        number = path.rpartition("/")[2]
        assert receipt.url.path == f"{path}/receipt"
        assert number in receipt.text and receipt.text.count("<svg") >= 2 and "/p/" in receipt.text
        assert not re.search(r"\sstyle=", receipt.text), "the content policy forbids inline styles"
        taken = client.post(
            f"{path}/originals", data={**sent, "material": ["application", "lease"], "copies-lease": "2"}
        )
        paper = re.search(rf"{path}/originals/([^\"/]+)\.pdf", taken.text)
        assert paper and client.get(paper[0]).content.startswith(b"%PDF-")
        assert client.get("/office/counter/find", params={"code": paper[1]}).url.path == path
        assert client.get("/office/counter/find", params={"code": "nothing"}).status_code == 404
        assert client.post(f"{path}/originals", data=sent).status_code == 422, "no paper was named"
        assert "样例甲" in client.post(f"{path}/originals/{paper[1]}/return", data={**sent, "to": "样例甲"}).text
        sheets = client.post(f"{path}/papers/begin", data=sent)
        keys = re.findall(r'name="page" value="([^"]+)"', sheets.text)
        said = {**sent, "page": keys, **{f"result-{key}": "match" for key in keys}}
        wrong = client.post(f"{path}/papers", data={**said, f"result-{keys[0]}": "mismatch"})
        assert wrong.status_code == 422 and "请写明差异" in wrong.text
        assert "纸质材料与扫描件核对" in client.post(f"{path}/papers", data=said).text
        early = client.post(f"{path}/handover", data={**sent, "code": "123456", "to": "样例甲"})
        assert early.status_code == 409 and "没有可以领取的证照" in early.text


def test_figures_and_the_audit_log_tell_of_what_was_done(small: Group) -> None:
    with signed_in(small, person(small, "qian", "auditor")) as client:
        assert client.get("/office/figures", params={"days": 30}).status_code == 200
        found = client.get("/office/audit", params={"text": "sun", "action": "application.submitted"})
        assert found.text.count("<td>application.submitted</td>") == 1
        assert "application.submitted" not in client.get("/office/audit", params={"until": "2020-01-01"}).text
        checked = client.post("/office/audit/check", data={"csrf": word(client, "/office/audit")})
        assert "日志完整，没有被改动或删除" in checked.text
