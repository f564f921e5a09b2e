"""Seals, trust list, kiosks and short messages in the office's pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import FastAPI
from fastapi.testclient import TestClient

from docproc.errors import AccessError, ConflictError, NotFoundError
from docproc.flow.accounts import api_keys
from docproc.flow.applications import applications
from docproc.flow.core.context import Context
from docproc.flow.kiosks import kiosks
from docproc.flow.messages import sms
from docproc.flow.seals import registry, trust_list
from docproc.flow.seals.usable import register_own
from docproc.licence.devpki.pki import (
    AUTHORITY_CODE,
    ROOT,
    SEAL,
    issue,
    make_dev_pki,
    new_p256,
    organisation,
    seal_subject,
)
from docproc.store.messages import outbox
from docproc.store.tables.messages import SmsRow
from tests.api.pages.inside import at_desk, browser, running, with_key, word
from tests.api.pages.officials import neighbour
from tests.flow.messages import tencent
from tests.flow.people import ADMIN, APPROVER, AUDITOR, CLERK, KIOSK, REVIEWER, SEALER, caller
from tests.flow.small_stages import own_seals

URL = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, Context]]:
    folder = tmp_path_factory.mktemp("registry")
    make_dev_pki(folder / "certs", at=datetime.now(UTC))
    more = tencent.settings_of(URL)
    with running(folder / "var", trust_dir=folder / "certs" / "trust", certs_dir=folder / "certs", **more) as opened:
        yield opened


@pytest.fixture(scope="module")
def desks(office: tuple[FastAPI, Context]) -> dict[str, TestClient]:
    app, ctx = office
    return {
        "one": at_desk(app, ctx, "one", "approver"),
        "two": at_desk(app, ctx, "two", "sealer"),
        "admin": at_desk(app, ctx, "boss", "admin"),
        "auditor": at_desk(app, ctx, "watch", "auditor"),
    }


def test_a_seal_is_suspended_by_two_persons_on_the_page(
    office: tuple[FastAPI, Context], desks: dict[str, TestClient]
) -> None:
    _, ctx = office
    register_own(ctx, own_seals)
    one, two = desks["one"], desks["two"]
    sent = {"csrf": word(one, "/office/seals"), "action": "suspend", "reason": "印章遗失"}
    page = one.post("/office/seals/market_regulation/changes", data=sent)
    assert page.status_code == 200 and "印章遗失" in page.text
    change = re.findall(r"/office/seals/changes/([0-9a-f]{12})", two.get("/office/seals").text)[0]
    assert change not in page.text, "who proposed it has no button"
    mine = one.post(f"/office/seals/changes/{change}", data={"csrf": sent["csrf"], "to": "true"})
    assert mine.status_code == 403 and "不能是同一人" in mine.text
    done = two.post(f"/office/seals/changes/{change}", data={"csrf": word(two, "/office/seals"), "to": "true"})
    assert done.status_code == 200 and "已停用" in done.text
    assert 'name="action"' not in desks["auditor"].get("/office/seals").text, "an auditor looks on"


def test_a_seal_is_registered_from_a_form_and_what_is_wrong_is_said(
    office: tuple[FastAPI, Context], desks: dict[str, TestClient]
) -> None:
    _, ctx = office
    one, owner, code = desks["one"], "样例县行政审批局", AUTHORITY_CODE
    root = issue(None, organisation("样例根"), ROOT, ctx.clock() - timedelta(days=9), URL, new_p256())
    seal = issue(root, seal_subject(owner, code), SEAL, ctx.clock() - timedelta(days=8), URL, new_p256())
    chain = b"".join(item.certificate.public_bytes(Encoding.PEM) for item in (seal, root))
    day = ctx.today()
    sent = {
        "csrf": word(one, "/office/seals"),
        "name": "county",
        "owner": owner,
        "owner_code": code,
        "kind": "official",
        "filing_number": "样例-2",
        "licence_kinds": "sole_trader",
        "valid_from": day.isoformat(),
        "valid_to": (day + timedelta(days=30)).isoformat(),
        "diameter": "42",
        "reason": "新机构",
    }
    files = {"certificates": ("chain.pem", chain)}
    for wrong in ({"owner": "别的单位"}, {"valid_to": "9999-99-99"}, {"diameter": "x"}, {"licence_kinds": "fishing"}):
        answer = one.post("/office/seals", data={**sent, **wrong}, files=files)
        assert answer.status_code == 422 and 'role="alert"' in answer.text, wrong
    assert one.post("/office/seals", data=sent, files={"certificates": ("x", b"no")}).status_code == 422
    assert one.post("/office/seals", data=sent, files=files).status_code == 200
    waiting = [c for c in registry.list_seals(ctx, AUDITOR)["changes"] if c["seal"] == "county"]
    registry.confirm_change(ctx, SEALER, waiting[0]["id"])
    assert owner in desks["auditor"].get("/office/seals").text


def test_another_departments_root_is_trusted_after_two_persons_within_its_limits(
    office: tuple[FastAPI, Context], desks: dict[str, TestClient]
) -> None:
    _, ctx = office
    one, two, pem, day = desks["one"], desks["two"], neighbour(ctx), ctx.today()
    sent = {
        "csrf": word(one, "/office/trust"),
        "name": "邻市政务局（样例）",
        "authorities": "113400 1151",
        "valid_from": day.isoformat(),
        "valid_to": (day + timedelta(days=90)).isoformat(),
        "use": "seal",
        "reason": "省内互认协议",
    }
    before = len(trust_list.trust_list(ctx).roots)
    for wrong in ({"authorities": " "}, {"valid_to": "2020-01-01"}, {"use": ""}, {"reason": ""}, {"name": ""}):
        answer = one.post("/office/trust", data={**sent, **wrong}, files={"certificates": ("r.pem", pem)})
        assert answer.status_code == 422 and 'role="alert"' in answer.text, wrong
    for data in (b"", b"no certificate", neighbour(ctx, weak=True), pem + neighbour(ctx)):
        assert one.post("/office/trust", data=sent, files={"certificates": ("r.pem", data)}).status_code == 422
    own = next((ctx.settings.trust_dir).glob("*.crt")).read_bytes()
    assert one.post("/office/trust", data=sent, files={"certificates": ("r.pem", own)}).status_code == 422
    assert one.post("/office/trust", data=sent, files={"certificates": ("r.pem", pem)}).status_code == 200
    assert len(trust_list.trust_list(ctx).roots) == before, "one person is not enough"
    change = re.findall(r"/office/trust/changes/([0-9a-f]{12})", two.get("/office/trust").text)[0]
    assert one.post(f"/office/trust/changes/{change}", data={"csrf": sent["csrf"], "to": "true"}).status_code == 403
    word_two = word(two, "/office/trust")
    assert two.post(f"/office/trust/changes/{change}", data={"csrf": word_two, "to": "true"}).status_code == 200
    found = trust_list.trust_list(ctx)
    assert len(found.roots) == before + 1
    anchor = found.anchor(found.roots[-1])
    assert anchor.vouches_for("11340000MB1") and not anchor.vouches_for("113500")
    assert anchor.covers(ctx.clock(), "seal") and not anchor.covers(ctx.clock(), "timestamp")
    assert not anchor.covers(ctx.clock() + timedelta(days=100), "seal")
    with pytest.raises(ConflictError):
        trust_list.confirm_change(ctx, SEALER, change)
    gone = trust_list.propose_removal(ctx, APPROVER, anchor.sha256, "协议终止")
    trust_list.confirm_change(ctx, SEALER, gone["id"])
    assert len(trust_list.trust_list(ctx).roots) == before
    with pytest.raises(NotFoundError):
        trust_list.propose_removal(ctx, APPROVER, anchor.sha256, "再来一次")
    for who in (ADMIN, REVIEWER, CLERK):
        with pytest.raises(AccessError):
            trust_list.list_roots(ctx, who)


def test_a_kiosk_says_how_it_is(office: tuple[FastAPI, Context], desks: dict[str, TestClient]) -> None:
    app, ctx = office
    hall = with_key(app, ctx, ADMIN, "kiosk", "hall-1")
    api_keys.create_key(ctx, ADMIN, "hall-2", "office", ["kiosk"])
    api_keys.create_key(ctx, ADMIN, "hall-9", "elsewhere", ["kiosk"])
    assert hall.get("/kiosk").status_code == 200
    number = applications.create_application(ctx, replace(KIOSK, subject="hall-1"), "sole_trader", "kiosk")["number"]
    applications.add_page(ctx, replace(KIOSK, subject="hall-1"), number, b"\x89PNG\r\n\x1a\n", filename="a.png")
    found = {item.subject: item for item in kiosks.health(ctx, CLERK)}
    assert set(found) == {"hall-1", "hall-2"}, "of one's own office"
    assert found["hall-1"].states == ("good",) and found["hall-2"].states == ("never",)
    assert (found["hall-1"].waiting, found["hall-1"].begun, found["hall-1"].handed_in) == (1, 1, 0)
    later = replace(ctx, clock=lambda: ctx.clock() + timedelta(hours=1))
    assert set({item.subject: item for item in kiosks.health(later, CLERK)}["hall-1"].states) == {"quiet", "late"}
    page = desks["admin"].get("/office/kiosks").text
    assert "hall-9" in page and "未启用" in page
    assert "hall-1" in desks["admin"].get("/office/keys").text


def test_a_short_message_that_failed_is_sent_again_when_a_person_asks(
    office: tuple[FastAPI, Context], desks: dict[str, TestClient]
) -> None:
    _, ctx = office
    with ctx.database.write() as session:
        for number, state in ((1, "refused"), (2, "accepted")):
            event = outbox.add_event(session, ctx.clock(), "application.accepted", f"A-{number}", "office")
            session.add(
                SmsRow(
                    event_id=event.id,
                    org="office",
                    application=f"A-{number}",
                    kind="accepted",
                    session=f"s-{event.id}",
                    state=state,
                    attempt=1,
                    code="LimitExceeded",
                    serial=None,
                    created_at=ctx.clock(),
                    updated_at=ctx.clock(),
                )
            )
    admin = desks["admin"]
    events = {line["application"]: line["event"] for line in sms.sms_log(ctx, ADMIN)}
    page = admin.get("/office/sms").text
    assert page.count("/again") == 1 and "/again" not in desks["auditor"].get("/office/sms").text
    sent = {"csrf": word(admin, "/office/sms")}
    assert admin.post(f"/office/sms/{events['A-2']}/again", data=sent).status_code == 409
    assert admin.post(f"/office/sms/{events['A-1']}/again", data=sent).status_code == 200
    line = next(line for line in sms.sms_log(ctx, ADMIN) if line["application"] == "A-1")
    assert (line["state"], line["code"]) == ("put off", "again")
    assert sum(part.jobs for part in ctx.jobs.waiting() if part.queue == "notify") == 1
    with pytest.raises(NotFoundError):
        sms.send_again(ctx, caller("admin-2", "admin", org="elsewhere"), events["A-1"])
    with pytest.raises(AccessError):
        sms.send_again(ctx, AUDITOR, events["A-1"])


def test_nobody_else_comes_in(office: tuple[FastAPI, Context]) -> None:
    app, _ = office
    for path in ("/office/seals", "/office/trust", "/office/kiosks", "/office/sms"):
        assert browser(app).get(path).url.path == "/office/login"
