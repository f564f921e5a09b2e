"""Officials sign in with password and one-time code; accounts lock; who works on an application has it alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from docproc.errors import AccessError, InputError, NotFoundError
from docproc.fields.working_days import add_working_days
from docproc.flow.accounts import guesses, users
from docproc.flow.applications import applications
from docproc.flow.core.context import Context
from docproc.flow.review import decisions, workbench
from docproc.matter.load import find_matter
from docproc.store.review.claims import ClaimedError
from tests.flow.people import ADMIN, KIOSK, OTHER_REVIEWER, REVIEWER, SEALER, seen, submitted

CHOSEN = "一个足够长的新密码啊啊啊"


class At:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def at(ctx: Context) -> At:
    clock = At()
    object.__setattr__(ctx, "clock", clock)
    return clock


def code(user: users.NewUser, at: At) -> str:
    return pyotp.TOTP(user.totp_secret).at(at.now)


def test_password_and_code_let_in_and_a_code_is_taken_once(ctx: Context, at: At) -> None:
    user = users.add_user(ctx, ADMIN, "wang", "王审核（样例）", "office", ["reviewer"])
    here = users.official(ctx, users.sign_in(ctx, "wang", user.password, code(user, at)))
    assert here is not None and here.must_change and here.caller.subject == "wang" and here.caller.can("accept")
    with pytest.raises(users.SignInError):
        users.sign_in(ctx, "wang", user.password, code(user, at))
    at.now += timedelta(seconds=30)
    assert users.sign_in(ctx, "wang", user.password, code(user, at))


@pytest.mark.parametrize("wrong", ["name", "password", "code"])
def test_anything_wrong_looks_the_same(ctx: Context, at: At, wrong: str) -> None:
    user = users.add_user(ctx, None, "wang", "", "office", ["reviewer"])
    given = {"name": "wang", "password": user.password, "code": code(user, at), wrong: "000000x"}
    with pytest.raises(users.SignInError) as error:
        users.sign_in(ctx, given["name"], given["password"], given["code"])
    assert error.value.message_zh == users.SignInError.message_zh


def test_five_failures_from_one_place_lock_even_the_right_password_out_there(ctx: Context, at: At) -> None:
    user = users.add_user(ctx, None, "wang", "", "office", ["reviewer"])
    for _ in range(guesses.HERE.holds):
        with pytest.raises(users.SignInError):
            users.sign_in(ctx, "wang", "wrong", code(user, at))
    with pytest.raises(users.SignInError):
        users.sign_in(ctx, "wang", user.password, code(user, at))
    assert users.list_users(ctx, ADMIN)[0]["locked"]
    at.now += timedelta(minutes=16)
    assert users.sign_in(ctx, "wang", user.password, code(user, at))


def test_a_session_ends_when_idle_shut_out_or_password_changed(ctx: Context, at: At) -> None:
    user = users.add_user(ctx, None, "wang", "", "office", ["reviewer"])
    token = users.sign_in(ctx, "wang", user.password, code(user, at))
    at.now += users.IDLE - timedelta(minutes=1)
    here = users.official(ctx, token)
    assert here is not None
    with pytest.raises(InputError):
        users.change_password(ctx, here.caller, user.password, "short")
    users.change_password(ctx, here.caller, user.password, CHOSEN)
    assert users.official(ctx, token) is None
    token = users.sign_in(ctx, "wang", CHOSEN, code(user, at))
    here = users.official(ctx, token)
    assert here is not None and not here.must_change
    at.now += users.IDLE + timedelta(minutes=1)
    assert users.official(ctx, token) is None
    token = users.sign_in(ctx, "wang", CHOSEN, code(user, at))
    users.set_enabled(ctx, ADMIN, user.id, False)
    assert users.official(ctx, token) is None


def test_only_an_administrator_adds_users_and_never_with_a_machines_role(ctx: Context, at: At) -> None:
    with pytest.raises(AccessError):
        users.add_user(ctx, REVIEWER, "wang", "", "office", ["reviewer"])
    with pytest.raises(InputError):
        users.add_user(ctx, ADMIN, "wang", "", "office", ["kiosk"])
    assert users.first_user(ctx) is not None
    assert users.first_user(ctx) is None


def test_one_works_on_an_application_and_the_other_is_told_who(office: Context) -> None:
    view = submitted(office)
    number = view["number"]
    assert workbench.claim(office, REVIEWER, number)
    with pytest.raises(ClaimedError, match=REVIEWER.subject):
        workbench.claim(office, OTHER_REVIEWER, number)
    page, reading = next((p, r) for p in view["pages"] for r in p["readings"] if r["fields"])
    field = reading["fields"][0]["name"]
    with pytest.raises(ClaimedError):
        applications.correct_field(office, OTHER_REVIEWER, number, page["id"], reading["index"], field, "改")
    with pytest.raises(ClaimedError):
        decisions.decide(office, OTHER_REVIEWER, number, "return", seen(view), reason="补正")
    assert workbench.next_number(office, OTHER_REVIEWER) != number
    waiting = next(w for w in workbench.queue(office, OTHER_REVIEWER) if w.view["number"] == number)
    assert waiting.by == REVIEWER.subject and not waiting.mine
    assert waiting.term.due.on == add_working_days(office.today(), find_matter("sole_trader").clock.accept_days).on
    workbench.put_back(office, REVIEWER, number)
    assert workbench.claim(office, OTHER_REVIEWER, number)
    decisions.decide(office, OTHER_REVIEWER, number, "return", seen(view), reason="补正")
    assert not workbench.claim(office, REVIEWER, number)


def test_who_handed_in_cannot_take_it_and_personal_data_shows_by_a_logged_click(office: Context) -> None:
    view = submitted(office)
    number = view["number"]
    pages = {r["material"]: p["id"] for p in view["pages"] for r in p["readings"]}
    assert not workbench.sees_picture(office, REVIEWER, number, pages["application"])
    workbench.show_personal(office, REVIEWER, number)
    assert workbench.sees_picture(office, REVIEWER, number, pages["application"])
    assert not workbench.sees_picture(office, REVIEWER, number, pages["idcard"]), "identity cards are apart"
    workbench.show_personal(office, REVIEWER, number, pages["idcard"])
    assert workbench.sees_picture(office, REVIEWER, number, pages["idcard"])
    assert not workbench.sees_picture(office, OTHER_REVIEWER, number, pages["idcard"])
    with pytest.raises(NotFoundError):
        workbench.show_personal(office, REVIEWER, number, "0" * 32)
    with pytest.raises(AccessError):
        workbench.show_personal(office, SEALER, number)
    with pytest.raises(AccessError):
        workbench.claim(office, KIOSK, number)
    workbench.claim(office, OTHER_REVIEWER, number)
    assert workbench.sees_picture(office, OTHER_REVIEWER, number, pages["idcard"]), "who works on it sees all"
