"""A matter that is closed while the service runs: nothing begins or is granted, what is there stays readable."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from docproc.flow.applications import forms
from docproc.flow.applications.applications import create_application, page_file, submit, view_application, withdraw
from docproc.flow.core import in_force
from docproc.flow.core.context import Context
from docproc.flow.matters import catalogue
from docproc.flow.review.decisions import accept, decide
from docproc.matter.load import MATTERS_DIR, put_in_force
from docproc.matter.opening import MatterClosedError
from tests.flow.people import ADMIN, APPROVER, CLERK, KIOSK, REVIEWER, Workers, caller, hand_in, seen, submitted, until

SHIPPED = (MATTERS_DIR / "sole_trader.toml").read_text("utf-8")
ENDED = re.sub(r"(\[\[basis\]\][^\[]*valid_from = \S+\n)", r"\1valid_to = 2023-12-31\n", SHIPPED)
RETIRED = SHIPPED.replace('region = "510116"', 'region = "510116"\nstatus = "retired"', 1)
PASSED_DOWN = SHIPPED.replace('region = "510116"', 'region = "510116"\nstatus = "delegated"', 1).replace(
    "[clock]",
    '[delegated]\nauthority = "样例镇便民服务中心"\nbasis = "sole_trader_rules"\norg = ["town"]\n\n[clock]',
    1,
)
TOWN = caller("kiosk-9", "kiosk", org="town")


@pytest.fixture(autouse=True)
def as_shipped() -> Iterator[None]:
    yield
    put_in_force(MATTERS_DIR)
    in_force._seen = ("", ())


@pytest.fixture
def working(ctx: Context, workers: Workers) -> Context:
    workers.start("w1")
    return ctx


def put(ctx: Context, text: str) -> None:
    change = catalogue.propose(ctx, ADMIN, [("sole_trader.toml", text.encode())], ctx.today(), "试验")["id"]
    catalogue.confirm(ctx, APPROVER, change)


@pytest.mark.parametrize("text", [ENDED, RETIRED], ids=["laws ended", "retired"])
def test_nothing_begins_and_nothing_is_granted(working: Context, text: str) -> None:
    ctx = working
    before, waiting = submitted(ctx), submitted(ctx)
    draft = hand_in(ctx)
    back = submitted(ctx)
    decide(ctx, REVIEWER, back["number"], "return", seen(back), reason="请补正")
    accepted = accept(ctx, REVIEWER, before["number"], before["version"])
    until(lambda: view_application(ctx, KIOSK, draft)["checked"])
    put(ctx, text)
    for attempt in (
        lambda: create_application(ctx, KIOSK, "sole_trader", "kiosk"),
        lambda: submit(ctx, KIOSK, draft),
        lambda: submit(ctx, KIOSK, back["number"]),
        lambda: accept(ctx, REVIEWER, waiting["number"], waiting["version"]),
        lambda: decide(ctx, REVIEWER, accepted["number"], "approve", seen(accepted)),
        lambda: forms.blank_form(ctx, "sole_trader", "application"),
        lambda: forms.blank_form(ctx, "sole_trader", "application", "2026-05"),
        lambda: forms.form_of_papers(ctx, CLERK, draft, "application"),
        lambda: forms.form_by_follow(ctx, KIOSK, "sole_trader", "application", before["follow_code"], before["number"]),
    ):
        with pytest.raises(MatterClosedError):
            attempt()
    refused = decide(ctx, APPROVER, accepted["number"], "reject", seen(accepted), reason="依据已失效", basis="依据")
    assert refused["status"] == "rejected", "the way out stays"
    assert withdraw(ctx, KIOSK, draft)["status"] == "withdrawn"
    page = view_application(ctx, CLERK, waiting["number"])["pages"][0]
    assert page_file(ctx, CLERK, waiting["number"], page["id"])[0].read()


def test_what_was_passed_down_begins_there_and_is_finished_here(working: Context) -> None:
    ctx = working
    before, draft = submitted(ctx), hand_in(ctx)
    until(lambda: view_application(ctx, KIOSK, draft)["checked"])
    put(ctx, PASSED_DOWN)
    with pytest.raises(MatterClosedError) as caught:
        create_application(ctx, KIOSK, "sole_trader", "kiosk")
    assert "样例镇便民服务中心" in caught.value.message_zh
    with pytest.raises(MatterClosedError):
        submit(ctx, KIOSK, draft)
    assert decide(ctx, REVIEWER, before["number"], "approve", seen(before))["status"] == "approved"
    assert create_application(ctx, TOWN, "sole_trader", "kiosk")["status"] == "draft"
    assert forms.blank_form(ctx, "sole_trader", "application").startswith(b"%PDF-")


def test_a_form_of_a_change_that_closes_the_matter_prints_for_nobody(ctx: Context) -> None:
    change = catalogue.propose(ctx, ADMIN, [("sole_trader.toml", RETIRED.encode())], ctx.today(), "试验")["id"]
    with pytest.raises(MatterClosedError):
        catalogue.preview(ctx, APPROVER, change, "sole_trader", "application", "2026-05")
