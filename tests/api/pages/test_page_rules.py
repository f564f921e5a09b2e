"""What holds for every page: guarded forms, closed sessions, headers."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.api.group import Group, group
from tests.flow.people import trader_papers, until

PUBLIC = ("/", "/verify", "/progress", "/kiosk", "/wallet")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    with group(tmp_path_factory.mktemp("rules") / "var", DOCPROC_RATE_LIMIT_PER_MINUTE="5000") as running:
        yield running


def browse(server: Group) -> httpx.Client:
    return httpx.Client(base_url=server.base, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30)


def word(client: httpx.Client, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found, path
    return found[1]


@contextmanager
def kiosk(server: Group, subject: str) -> Iterator[httpx.Client]:
    with browse(server) as client:
        sent = {"csrf": word(client, "/kiosk"), "key": server.new_key(subject, "kiosk")}
        assert client.post("/kiosk/device", data=sent).url.path == "/kiosk"
        yield client


def open_case(client: httpx.Client) -> None:
    sent = {"csrf": word(client, "/kiosk/matters/sole_trader"), "matter": "sole_trader"}
    assert client.post("/kiosk/open", data=sent).url.path == "/kiosk/case"


def scan(client: httpx.Client, data: bytes, **more: str) -> httpx.Response:
    fields = {"csrf": word(client, "/kiosk/case"), **more}
    return client.post("/kiosk/case/pages", data=fields, files={"file": ("page.png", data)})


def test_pages_allow_nothing_inline_and_nothing_from_elsewhere(small: Group) -> None:
    with browse(small) as client:
        for path in PUBLIC:
            answer = client.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=|https?://(?!www\.w3\.org)", answer.text), path


def test_a_form_from_elsewhere_is_refused(small: Group) -> None:
    with kiosk(small, "kiosk-csrf") as client:
        for path, sent in (
            ("/kiosk/open", {"matter": "sole_trader"}),
            ("/kiosk/open", {"matter": "sole_trader", "csrf": "x" * 43}),
            ("/kiosk/leave", {}),
            ("/kiosk/device", {"key": "x"}),
            ("/wallet/sign-in", {"key": "x"}),
            ("/language", {"to": "en"}),
        ):
            answer = client.post(path, data=sent)
            assert answer.status_code == 403 and "页面已失效" in answer.text, path
        assert client.post("/verify", files={"file": ("a.pdf", b"%PDF-")}).status_code == 403


def test_without_a_session_the_kiosk_and_the_wallet_show_only_their_entrance(small: Group) -> None:
    with browse(small) as client:
        for path in (
            "/kiosk/case",
            "/kiosk/case/review",
            "/kiosk/case/done",
            "/kiosk/matters/sole_trader",
            "/kiosk/resume",
        ):
            assert client.get(path).url.path == "/kiosk", path
        for path in ("/wallet/webhooks", "/wallet/licences/JY00000000000000"):
            assert client.get(path).url.path == "/wallet", path
        wrong = client.post(
            "/kiosk/device", data={"csrf": word(client, "/kiosk"), "key": "dp_000000000000_" + "0" * 64}
        )
        assert wrong.status_code == 403 and "密钥不正确" in wrong.text
        enterprise = small.new_key("firm-1", "enterprise", org="92510116MA6DEVX00X")
        other = client.post("/kiosk/device", data={"csrf": word(client, "/kiosk"), "key": enterprise})
        assert other.status_code == 403, "an enterprise's key makes no kiosk"


def test_a_revoked_key_ends_the_kiosk_at_once(small: Group) -> None:
    with kiosk(small, "kiosk-gone") as client, small.client(small.admin_key) as admin:
        mine = next(k for k in admin.get("/v1/keys").json() if k["subject"] == "kiosk-gone")
        assert "请选择要办理的事项" in client.get("/kiosk").text
        assert admin.delete(f"/v1/keys/{mine['id']}").status_code == 200
        assert "启用自助终端" in client.get("/kiosk").text


def test_kiosks_do_not_reach_each_other_and_leaving_takes_the_draft_back(small: Group) -> None:
    with kiosk(small, "kiosk-a") as one, kiosk(small, "kiosk-b") as two:
        open_case(one)
        open_case(two)
        assert scan(one, trader_papers()[0]).status_code == 200
        page_id = until(lambda: re.search(r"/kiosk/case/pages/([0-9a-f]{32})/remove", one.get("/kiosk/case").text))[1]
        removed = two.post(f"/kiosk/case/pages/{page_id}/remove", data={"csrf": word(two, "/kiosk/case")})
        assert removed.status_code == 404
        assert two.get(f"/kiosk/case/pages/{page_id}/0.webp").status_code == 404
        left = one.post("/kiosk/leave", data={"csrf": word(one, "/kiosk/case")})
        assert left.url.path == "/kiosk"
        assert one.get(f"/kiosk/case/pages/{page_id}/0.webp").url.path == "/kiosk"
        with small.client(small.new_key("clerk-a", "clerk")) as clerk:
            mine = [a for a in clerk.get("/v1/applications").json() if a["status"] == "withdrawn"]
            assert len(mine) == 1


def test_a_file_that_is_no_scan_is_refused_in_plain_words(small: Group) -> None:
    with kiosk(small, "kiosk-files") as client:
        open_case(client)
        answer = scan(client, b"MZ not a picture")
        assert answer.status_code == 415 and "请上传 JPEG" in answer.text
        nothing = client.post("/kiosk/case/pages", data={"csrf": word(client, "/kiosk/case")}, files={"x": ("", b"")})
        assert nothing.status_code == 422


def test_a_replacement_takes_the_old_page_away(small: Group) -> None:
    papers = trader_papers()
    with kiosk(small, "kiosk-again") as client:
        open_case(client)
        assert scan(client, papers[0]).status_code == 200
        found = until(lambda: re.findall(r"/kiosk/case/pages/([0-9a-f]{32})/remove", client.get("/kiosk/case").text))
        assert scan(client, papers[1], replaces=found[0], back="review").url.path == "/kiosk/case/review"
        left = until(
            lambda: (
                (now := re.findall(r"/kiosk/case/pages/([0-9a-f]{32})/remove", client.get("/kiosk/case").text)) and now
            )
        )
        assert len(left) == 1 and left != found


def test_leaving_while_the_line_was_down_is_made_good_at_the_next_request(small: Group) -> None:
    with kiosk(small, "kiosk-line") as client:
        open_case(client)
        client.cookies.set("dp_leaving", "1", "127.0.0.1", "/kiosk")
        answer = client.get("/kiosk/case")
        assert answer.url.path == "/kiosk" and "请选择要办理的事项" in answer.text
        assert "dp_leaving" not in client.cookies, "and the next citizen is not sent away"
        open_case(client)
        left = client.post("/kiosk/leave", data={"csrf": word(client, "/kiosk/case")}, follow_redirects=False)
        assert left.headers["clear-site-data"] == '"cache", "storage"'


def test_a_kiosk_sends_parts_for_its_own_case_only_and_a_whole_file_takes_the_place_of_another(small: Group) -> None:
    first, second, *_ = trader_papers()
    with kiosk(small, "kiosk-parts") as client, kiosk(small, "kiosk-other") as other:
        open_case(client)
        open_case(other)
        scan(client, first)
        old = until(lambda: re.findall(r"/kiosk/case/pages/([0-9a-f]{32})/remove", client.get("/kiosk/case").text))[0]
        tus = {"Tus-Resumable": "1.0.0", "X-CSRF-Token": word(client, "/kiosk/case"), "Upload-Length": str(len(second))}
        names = {"Upload-Metadata": f"replaces {base64.b64encode(old.encode()).decode()}"}
        assert other.post("/kiosk/case/uploads", headers={**tus, **names}).status_code == 403, "another one's word"
        theirs = {**tus, "X-CSRF-Token": word(other, "/kiosk/case")}
        assert other.post("/kiosk/case/uploads", headers={**theirs, **names}).status_code == 404, "another one's page"
        place = client.post("/kiosk/case/uploads", headers={**tus, **names}).headers["location"]
        part = {**tus, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        del part["Upload-Length"]
        assert other.head(place, headers=part).status_code == 404
        assert client.patch(place, headers={**part, "X-CSRF-Token": ""}, content=second).status_code == 403
        assert client.patch(place, headers=part, content=second[:50]).headers["upload-offset"] == "50"
        assert client.head(place, headers=part).headers["upload-offset"] == "50"
        part["Upload-Offset"] = "50"
        assert client.patch(place, headers=part, content=second[50:]).status_code == 204
        left = until(lambda: re.findall(r"/kiosk/case/pages/([0-9a-f]{32})/remove", client.get("/kiosk/case").text))
        assert len(left) == 1 and left != [old]


def test_what_a_pages_script_is_told_is_in_the_pages_language(small: Group) -> None:
    with kiosk(small, "kiosk-english") as client:
        open_case(client)
        sent = {"Tus-Resumable": "1.0.0", "X-CSRF-Token": word(client, "/kiosk/case"), "Upload-Length": "999999999"}
        sent["Accept"] = "*/*"  # as a script asks
        for language, told in (("zh", "文件过大"), ("en", "The file is too large")):
            client.cookies.set("lang", language)
            refused = client.post("/kiosk/case/uploads", headers=sent)
            assert refused.status_code == 413 and told in refused.json()["detail"], refused.text
            assert refused.headers["content-type"] == "application/problem+json"


def test_the_number_tells_the_stage_only_and_the_code_tells_more(small: Group) -> None:
    with kiosk(small, "kiosk-follow") as client, browse(small) as phone:
        open_case(client)
        for data in trader_papers():
            assert scan(client, data).status_code == 200
        until(lambda: "确认提交" in client.get("/kiosk/case/review").text)
        done = client.post("/kiosk/case/submit", data={"csrf": word(client, "/kiosk/case/review")})
        number = re.search(r"data-number>([^<]+)<", done.text)
        code = re.search(r'data-address="[^"]*/p/([^"]+)"', done.text)
        assert number and code
        by_number = phone.get("/progress", params={"number": number[1]})
        assert "已提交" in by_number.text and code[1] not in by_number.text
        with small.client(small.new_key("reviewer-follow", "reviewer")) as reviewer:
            seen = reviewer.get(f"/v1/applications/{number[1]}").json()
            told = {"action": "return", "version": seen["version"], "content_sha256": seen["content_sha256"]}
            answer = reviewer.post(f"/v1/applications/{number[1]}/decisions", json={**told, "reason": "请补交租赁合同"})
            assert answer.status_code == 201, answer.text
        assert "请补交租赁合同" not in phone.get("/progress", params={"number": number[1]}).text
        assert "请补交租赁合同" in phone.get(f"/p/{code[1]}").text
        assert phone.get("/p/" + "x" * 22).status_code == 404
        client.post("/kiosk/leave", data={"csrf": word(client, "/kiosk/case/done")})
        back = client.post(
            "/kiosk/resume", data={"csrf": word(client, "/kiosk/resume"), "code": f"https://x/p/{code[1]}"}
        )
        assert back.url.path == "/kiosk/case" and "请补交租赁合同" in back.text


def test_the_language_is_kept_and_sends_nobody_elsewhere(small: Group) -> None:
    with browse(small) as client:
        client.post("/language", data={"csrf": word(client, "/verify"), "to": "en", "back": "/verify"})
        assert "Verify a licence" in client.get("/verify").text
        for back in ("https://example.com/", "//example.com", "/\\example.com"):
            sent = {"csrf": word(client, "/verify"), "to": "zh", "back": back}
            answer = client.post("/language", data=sent, follow_redirects=False)
            assert answer.headers["location"] == "/", back
