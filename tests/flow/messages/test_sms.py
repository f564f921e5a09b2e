"""Short messages: signed as the provider wants it, once for each event, with receipts, and no number kept anywhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.app import create_app
from docproc.errors import AccessError, InputError, NotFoundError, SetupError
from docproc.flow.applications.applications import correct_field, view_application
from docproc.flow.core.context import Context
from docproc.flow.licences.licences import change_licence
from docproc.flow.messages import sms as texting
from docproc.flow.messages import sms_templates
from docproc.flow.messages.sms import keep_receipts, sms_log
from docproc.flow.messages.tencent_sms import TencentSms, authorization
from docproc.flow.review.decisions import accept, decide, release
from docproc.settings import Settings
from docproc.store.messages import outbox
from docproc.store.messages import sms as store
from tests.cases import TRADER, pages
from tests.flow.conftest import opened
from tests.flow.messages import tencent
from tests.flow.messages.tencent import DROP, RECEIPT_SECRET, TEMPLATES, Tencent
from tests.flow.people import (
    ADMIN,
    APPROVER,
    AUDITOR,
    CLERK,
    KIOSK,
    REVIEWER,
    SEALER,
    Workers,
    caller,
    hand_in,
    seen,
    submitted,
    until,
)
from tests.flow.small_stages import paper

MOBILE = TRADER["application/1"]["phone"] or ""
MESSAGE = sms_templates.Message(MOBILE, "1001", ("样例事项", "510116-ST-20260101-000001"), "docproc-1")


@pytest.fixture
def provider() -> Iterator[Tencent]:
    with tencent.serve() as state:
        yield state


@pytest.fixture
def settings(tmp_path: Path, provider: Tencent) -> Settings:
    return Settings(data_dir=tmp_path, _env_file=None, **tencent.settings_of(provider.url))  # type: ignore[arg-type]


@pytest.fixture
def workers(settings: Settings) -> Iterator[Workers]:
    running = Workers(settings, env=environment(settings))
    yield running
    running.stop_all()


def environment(settings: Settings) -> dict[str, str]:
    told = {f"DOCPROC_{key.upper()}": value for key, value in tencent.settings_of(settings.sms_url).items()}
    return {**told, "DOCPROC_DATA_DIR": str(settings.data_dir), "DOCPROC_DATABASE_URL": ""}


def accepted(ctx: Context, papers: list[bytes] | None = None) -> str:
    view = submitted(ctx, papers=papers)
    accept(ctx, REVIEWER, view["number"], view["version"])
    return str(view["number"])


def line(ctx: Context, number: str) -> dict[str, Any]:
    """The newest line of an application in the log."""
    found = sms_log(ctx, ADMIN, application=number)
    return found[0] if found else {"state": ""}


# ------------------------------------------------------------------ the provider's own shape


def test_a_request_is_signed_as_the_provider_publishes_it() -> None:
    body = b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    made = authorization("AKID", "*" * 32, "cvm", "DescribeInstances", "cvm.tencentcloudapi.com", body, 1551113065)
    assert made.endswith("Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f")


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        ("", "accepted", "Ok"),
        ("RequestLimitExceeded", "put off", "RequestLimitExceeded"),
        ("number:LimitExceeded.PhoneNumberThirtySecondLimit", "put off", "LimitExceeded.PhoneNumberThirtySecondLimit"),
        ("FailedOperation.TemplateIncorrectOrUnapproved", "refused", "FailedOperation.TemplateIncorrectOrUnapproved"),
        ("number:FailedOperation.PhoneNumberInBlacklist", "refused", "FailedOperation.PhoneNumberInBlacklist"),
        ("InternalError.Timeout", "unknown", "InternalError.Timeout"),
        (403, "put off", "HTTP 403"),
        (502, "unknown", "HTTP 502"),
        (200, "unknown", "unreadable answer"),
        (DROP, "unknown", "RemoteProtocolError"),
    ],
)
def test_only_what_was_certainly_not_taken_may_be_handed_over_again(
    settings: Settings, provider: Tencent, answer: str | int, state: str, code: str
) -> None:
    provider.answers.append(answer)
    service = texting.open_provider(settings)
    assert service is not None
    sent = service.send(MESSAGE, datetime.now(UTC))
    assert (sent.state, sent.code) == (state, code)
    assert (sent.serial is not None) == (state == "accepted")


def test_a_wrong_key_and_a_service_that_is_away_put_a_message_off(provider: Tencent) -> None:
    at = datetime.now(UTC)
    wrong = TencentSms(provider.url, "ap-guangzhou", tencent.SECRET_ID, "another", tencent.APP_ID, tencent.SIGN)
    assert wrong.send(MESSAGE, at) == sms_templates.Sent("put off", "AuthFailure.SignatureFailure")
    assert replace(wrong, url="http://127.0.0.1:9").send(MESSAGE, at) == sms_templates.Sent("put off", "ConnectError")
    assert provider.taken == []


def test_neither_a_number_nor_a_key_is_shown_when_objects_are_printed(settings: Settings) -> None:
    shown = f"{MESSAGE!r} {texting.open_provider(settings)!r} {settings!r}"
    assert MOBILE not in shown and tencent.SECRET_KEY not in shown and RECEIPT_SECRET not in shown


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"sms_secret_key": ""}, "DOCPROC_SMS_SECRET_KEY"),
        ({"sms_templates": "accepted=1,birthday=2"}, "birthday"),
        ({"sms_url": "http://sms.example.com"}, "https"),
        ({"sms_receipt_secret": "short"}, "DOCPROC_SMS_RECEIPT_SECRET"),
    ],
)
def test_wrong_settings_are_told_at_the_start(settings: Settings, changes: dict[str, str], hint: str) -> None:
    told = {**tencent.settings_of(settings.sms_url), **changes}
    with pytest.raises(SetupError, match=hint):
        texting.open_provider(Settings(_env_file=None, **told))  # type: ignore[arg-type]


def test_texts_hold_nothing_but_the_matter_and_the_number() -> None:
    found = sms_templates.templates()
    assert [item.name for item in found.values()] == ["受理", "补件", "办结", "领证", "超时"]
    assert set(found) == set(TEMPLATES)
    for item in found.values():
        assert set(item.params) <= {"matter", "number"}
        assert [f"{{{place}}}" in item.text for place in range(1, 9)] == [
            place <= len(item.params) for place in range(1, 9)
        ]


# ------------------------------------------------------------------ from the event to the receipt


def test_an_applicant_is_told_once_and_the_receipt_is_in_the_log(
    ctx: Context, workers: Workers, provider: Tencent, settings: Settings
) -> None:
    workers.start("w1")
    provider.answers.append("RequestLimitExceeded")
    number = accepted(ctx)
    until(lambda: line(ctx, number)["state"] == "accepted")
    assert (provider.calls, line(ctx, number)["attempts"]) == (2, 2)
    [message] = provider.taken
    assert message["PhoneNumberSet"] == [f"+86{MOBILE}"]
    assert message["TemplateParamSet"] == ["个体工商户设立登记", number]
    view = view_application(ctx, REVIEWER, number)
    decide(ctx, REVIEWER, number, "return", seen(view), reason="请补充材料")
    until(lambda: line(ctx, number)["state"] == "accepted" and line(ctx, number)["kind_zh"] == "补件")
    assert provider.about(number) == [TEMPLATES["accepted"], TEMPLATES["returned"]]

    with TestClient(create_app(settings)) as client:
        both = [provider.receipt(0), provider.receipt(1, status="FAIL", word="MK:0001")]
        for _ in range(2):
            answer = client.post(f"/v1/sms/receipts/{RECEIPT_SECRET}", json=both)
            assert (answer.status_code, answer.json()) == (200, {"result": 0, "errmsg": "OK"})
        assert client.post("/v1/sms/receipts/wrong", json=both).status_code == 404
        assert client.post(f"/v1/sms/receipts/{RECEIPT_SECRET}", json=[{"mobile": MOBILE}]).status_code == 422
    told = [(item["kind"], item["receipt"]["delivered"], item["receipt"]["code"]) for item in sms_log(ctx, ADMIN)]
    assert told == [("returned", False, "MK:0001"), ("accepted", True, "DELIVRD")]

    assert workers.stop("w1") == 0
    with ctx.database.read() as session:
        tables = sa.inspect(session.connection()).get_table_names()
        rows = {t: session.execute(sa.text(f'SELECT * FROM "{t}"')).all() for t in tables}
    kept = [table for table, found in rows.items() if any(MOBILE in str(value) for row in found for value in row)]
    assert kept == ["readings"], "the form's own field is the only place"
    assert MOBILE not in (settings.data_dir / "log-w1").read_text()


@pytest.mark.parametrize("answered", [False, True])
def test_a_worker_killed_while_the_provider_takes_a_message_sends_nothing_twice(
    ctx: Context, settings: Settings, provider: Tencent, answered: bool
) -> None:
    workers = Workers(settings, "tests.flow.dying_stages", environment(settings))
    try:
        process = workers.start("w1")
        if answered:
            (settings.data_dir / "die-at").write_text("hand_over:done")
        else:
            provider.on_taken = lambda: os.kill(process.pid, signal.SIGKILL)
        number = accepted(ctx)
        until(lambda: workers.is_dead("w1"))
        provider.on_taken = lambda: None
        assert line(ctx, number)["state"] == ("accepted" if answered else "sending")
        workers.start("w1")
        other = accepted(ctx)  # the queue is worked off again behind it
        until(lambda: line(ctx, other)["state"] == "accepted" and line(ctx, number)["state"] != "sending")
    finally:
        workers.stop_all()
    assert line(ctx, number)["state"] == ("accepted" if answered else "unknown")
    assert provider.about(number) == [TEMPLATES["accepted"]]
    lost = next(place for place, item in enumerate(provider.taken) if number in item["TemplateParamSet"])
    keep_receipts(ctx, RECEIPT_SECRET, [provider.receipt(lost, ext=provider.taken[lost]["SessionContext"])])
    assert line(ctx, number)["receipt"]["delivered"] is True


def test_a_number_that_was_not_read_for_sure_is_not_dialled_until_a_person_gave_it(
    ctx: Context, workers: Workers, provider: Tencent
) -> None:
    workers.start("w1")
    doubtful = [
        paper(
            [
                replace(
                    r,
                    fields={**r.fields, **{k: replace(f, confidence=0.5) for k, f in r.fields.items() if k == "phone"}},
                )
            ]
        )
        for r in pages("sole_trader", TRADER)
    ]
    number = accepted(ctx, doubtful)
    until(lambda: line(ctx, number)["state"] == "no number")
    assert provider.calls == 0
    view = view_application(ctx, REVIEWER, number)
    page = next(p["id"] for p in view["pages"] for r in p["readings"] for f in r["fields"] if f["name"] == "phone")
    correct_field(ctx, REVIEWER, number, page, 0, "phone", "13900139000")
    until(lambda: view_application(ctx, REVIEWER, number)["checked"])
    view = view_application(ctx, REVIEWER, number)
    decide(ctx, REVIEWER, number, "return", seen(view), reason="请补充材料")
    until(lambda: provider.about(number) == [TEMPLATES["returned"]])
    assert provider.taken[0]["PhoneNumberSet"] == ["+8613900139000"]


def test_nobody_is_told_of_a_licence_that_was_revoked_while_the_message_waited(
    ctx: Context, workers: Workers, provider: Tencent
) -> None:
    provider.answers += ["RequestLimitExceeded"] * 8
    workers.start("w1")
    view = submitted(ctx)
    number = view["number"]
    approved = decide(ctx, REVIEWER, number, "approve", seen(view))
    release(ctx, SEALER, number, approved["version"])
    licence = until(lambda: view_application(ctx, REVIEWER, number)["licence"])
    change_licence(ctx, APPROVER, licence, "revoke", "以欺骗手段取得许可", "《中华人民共和国行政许可法》第六十九条")
    found = until(lambda: [m for m in sms_log(ctx, ADMIN, application=number) if m["code"] == "not in force"])
    assert [(item["kind"], item["state"]) for item in found] == [("issued", "refused")]
    assert TEMPLATES["issued"] not in provider.about(number)


def test_who_waits_past_the_term_is_told_once(ctx: Context, workers: Workers, provider: Tencent) -> None:
    workers.start("w1")
    number = accepted(ctx)
    until(lambda: line(ctx, number)["state"] == "accepted")

    def overdue() -> list[str]:
        with ctx.database.read() as session:
            return [row.subject for row in outbox.events(session, org=None) if row.topic == texting.OVERDUE]

    texting.tell_overdue(ctx)
    assert overdue() == []
    late = replace(ctx, clock=lambda: datetime.now(UTC) + timedelta(days=200))
    for _ in range(2):
        texting.tell_overdue(late)
    assert overdue() == [number]
    until(lambda: provider.about(number) == [TEMPLATES["accepted"], TEMPLATES["overdue"]])


# ------------------------------------------------------------------ who sees what, and when nothing is sent


def test_the_log_shows_each_administrator_the_own_office(ctx: Context) -> None:
    with ctx.database.write() as session:
        event = outbox.add_event(session, ctx.clock(), "application.accepted", "A-1", "office")
        session.add(
            store.SmsRow(
                event_id=event.id,
                org="office",
                application="A-1",
                kind="accepted",
                session="docproc-1",
                state="unknown",
                attempt=1,
                code="ReadTimeout",
                serial=None,
                created_at=ctx.clock(),
                updated_at=ctx.clock(),
            )
        )
    assert [item["application"] for item in sms_log(ctx, ADMIN)] == ["A-1"]
    assert [item["application"] for item in sms_log(ctx, AUDITOR)] == ["A-1"]
    assert sms_log(ctx, caller("admin-2", "admin", org="elsewhere")) == []
    for who in (KIOSK, CLERK, REVIEWER):
        with pytest.raises(AccessError):
            sms_log(ctx, who)


def test_receipts_need_the_secret_and_the_providers_shape(ctx: Context) -> None:
    with pytest.raises(NotFoundError):
        keep_receipts(ctx, "", [])
    for body in ({"sid": "1"}, [{"sid": "1"}], ["x"]):
        with pytest.raises(InputError):
            keep_receipts(ctx, RECEIPT_SECRET, body)


def test_nothing_is_queued_while_no_provider_is_set(tmp_path: Path) -> None:
    for ctx in opened(Settings(data_dir=tmp_path, _env_file=None)):
        number = hand_in(ctx)
        with ctx.database.write() as session:
            event = outbox.add_event(session, ctx.clock(), "application.accepted", number, "office")
            texting.queue(ctx, session, event)
        assert not any(part.jobs for part in ctx.jobs.waiting() if part.queue == "notify")
        with pytest.raises(NotFoundError):
            keep_receipts(ctx, "", [])
