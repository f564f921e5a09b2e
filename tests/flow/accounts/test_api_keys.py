"""Whose deed an act with a key is: two persons are two persons, not one with two keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa

from docproc.errors import AccessError, ConflictError
from docproc.flow.accounts import api_keys, users
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.review import decisions, workbench
from docproc.flow.seals.registry import confirm_change, propose_seal
from docproc.store.audit.accounts import differing_accounts
from docproc.store.migrate import downgrade, migrate
from tests.flow.accounts.test_users import CHOSEN, At, at
from tests.flow.people import ADMIN, APPROVER, SEALER, seen, submitted
from tests.flow.seals.test_seal_registry import new_seal

__all__ = ["at"]


def holder(ctx: Context, maker: Caller | None, subject: str, *roles: str) -> Caller:
    """Who comes with a key that somebody made."""
    key = api_keys.create_key(ctx, maker, subject, "office", roles)["key"]
    found = api_keys.authenticate(ctx, str(key))
    assert found is not None
    return found


def account(ctx: Context, at: At, name: str, *roles: str) -> Caller:
    """An official who signed in and chose a password."""
    made = users.add_user(ctx, ADMIN, name, "", "office", roles)
    first = users.official(ctx, users.sign_in(ctx, name, made.password, pyotp.TOTP(made.totp_secret).at(at.now)))
    assert first is not None
    users.change_password(ctx, first.caller, made.password, CHOSEN)
    at.now += timedelta(seconds=30)
    here = users.official(ctx, users.sign_in(ctx, name, CHOSEN, pyotp.TOTP(made.totp_secret).at(at.now)))
    assert here is not None
    return here.caller


def proposed(ctx: Context, who: Caller) -> str:
    return str(propose_seal(ctx, who, new_seal(), "新章启用")["id"])


def test_two_keys_that_one_admin_made_do_not_change_a_seal_together(ctx: Context) -> None:
    one, two = (holder(ctx, ADMIN, name, "sealer") for name in ("li", "wang"))
    with pytest.raises(AccessError, match="another person"):
        confirm_change(ctx, two, proposed(ctx, one))


def test_nor_does_the_admin_with_a_key_of_her_own_making(ctx: Context) -> None:
    admin = holder(ctx, None, "chen", "admin", "sealer")
    change = proposed(ctx, admin)
    with pytest.raises(AccessError, match="another person"):
        confirm_change(ctx, holder(ctx, admin, "wang", "sealer"), change)
    by_key = holder(ctx, admin, "zhao", "admin")
    assert by_key.person == "chen"
    with pytest.raises(AccessError, match="another person"):  # a key that was made with a key that she had made
        confirm_change(ctx, holder(ctx, by_key, "sun", "sealer"), change)


def test_nor_an_account_with_a_key_that_came_from_it(ctx: Context, at: At) -> None:
    chen = account(ctx, at, "chen", "admin", "sealer")
    key = holder(ctx, chen, "wang", "sealer")
    with pytest.raises(AccessError, match="another person"):
        confirm_change(ctx, key, proposed(ctx, chen))


def test_keys_that_two_admins_made_are_two_persons(ctx: Context) -> None:
    one = holder(ctx, holder(ctx, None, "chen", "admin"), "li", "sealer")
    two = holder(ctx, holder(ctx, None, "zhao", "admin"), "wang", "sealer")
    assert confirm_change(ctx, two, proposed(ctx, one))["state"] == "confirmed"


def test_who_made_both_keys_does_not_approve_and_release(ctx: Context, workers: Any) -> None:
    workers.start("w1")
    approver, sealer = holder(ctx, ADMIN, "li", "approver"), holder(ctx, ADMIN, "wang", "sealer")
    view = submitted(ctx)
    approved = decisions.decide(ctx, approver, view["number"], "approve", seen(view))
    with pytest.raises(AccessError, match="another person") as refused:
        decisions.release(ctx, sealer, view["number"], approved["version"])
    assert refused.value.code == "same_person"
    decisions.release(ctx, SEALER, view["number"], approved["version"])


def test_who_made_both_keys_does_not_hand_in_and_decide(ctx: Context, workers: Any) -> None:
    workers.start("w1")
    kiosk, approver = holder(ctx, ADMIN, "hall", "kiosk"), holder(ctx, ADMIN, "li", "approver", "reviewer")
    view = submitted(ctx, kiosk)
    assert [item.own for item in workbench.queue(ctx, approver)] == [True]
    assert not workbench.claim(ctx, approver, view["number"])
    with pytest.raises(AccessError, match="another person"):
        decisions.decide(ctx, approver, view["number"], "approve", seen(view))
    assert workbench.claim(ctx, APPROVER, view["number"])


def test_a_revoked_key_still_speaks_for_its_maker(ctx: Context) -> None:
    one = holder(ctx, ADMIN, "li", "sealer")
    change = proposed(ctx, one)
    api_keys.revoke_key(ctx, ADMIN, one.key_id)
    with pytest.raises(AccessError, match="another person"):
        confirm_change(ctx, holder(ctx, ADMIN, "wang", "sealer"), change)


def test_a_key_counts_for_its_holder_alone_once_taken_over(ctx: Context, at: At) -> None:
    first, second = holder(ctx, ADMIN, "li", "sealer"), holder(ctx, ADMIN, "wang", "sealer")
    before = proposed(ctx, first)
    wang = account(ctx, at, "wang", "reviewer")
    assert [key["id"] for key in api_keys.own_keys(ctx, wang)] == [second.key_id]
    at.now += timedelta(minutes=1)
    made = api_keys.take_over(ctx, wang, second.key_id)
    assert made["owner"] == made["created_by"] == "wang" and made["roles"] == ["sealer"]
    taken = api_keys.authenticate(ctx, str(made["key"]))
    assert taken is not None and taken.persons == {"wang"}
    assert [key["id"] for key in api_keys.own_keys(ctx, wang)] == [made["id"]]
    assert confirm_change(ctx, taken, before)["state"] == "confirmed"
    with pytest.raises(ConflictError, match="revoked"):
        api_keys.take_over(ctx, wang, second.key_id)


def test_the_log_knows_keys_that_were_taken_over(ctx: Context, at: At) -> None:
    key = holder(ctx, ADMIN, "wang", "sealer")
    api_keys.take_over(ctx, account(ctx, at, "wang", "reviewer"), key.key_id)
    with ctx.database.read() as session:
        assert list(differing_accounts(session)) == []


def test_what_was_done_before_it_was_taken_over_stays_its_makers(ctx: Context, at: At) -> None:
    key = holder(ctx, ADMIN, "wang", "sealer")
    change = proposed(ctx, key)
    at.now += timedelta(minutes=1)
    api_keys.take_over(ctx, account(ctx, at, "wang", "reviewer"), key.key_id)
    at.now += timedelta(minutes=1)
    with pytest.raises(AccessError, match="another person"):
        confirm_change(ctx, holder(ctx, ADMIN, "li", "sealer"), change)


def test_nobody_takes_over_a_key_of_another_name_or_with_a_key(ctx: Context, at: At) -> None:
    key = holder(ctx, ADMIN, "wang", "sealer")
    with pytest.raises(AccessError):
        api_keys.take_over(ctx, account(ctx, at, "li", "sealer"), key.key_id)
    with pytest.raises(AccessError):
        api_keys.take_over(ctx, key, key.key_id)
    assert api_keys.own_keys(ctx, key) == []


def test_a_key_made_on_the_machine_belongs_to_whom_it_is_for(ctx: Context) -> None:
    one, two = (holder(ctx, None, name, "sealer") for name in ("li", "wang"))
    assert confirm_change(ctx, two, proposed(ctx, one))["state"] == "confirmed"
    handed = holder(ctx, ADMIN, "sun", "sealer")
    made = api_keys.take_over(ctx, None, handed.key_id)
    assert (made["subject"], made["owner"], made["created_by"]) == ("sun", "sun", "system")


def test_keys_of_the_version_before_belong_to_who_made_them(ctx: Context) -> None:
    chen = holder(ctx, None, "chen", "admin")
    li = holder(ctx, chen, "li", "admin")
    holder(ctx, li, "wang", "sealer")
    downgrade(ctx.database, "0020")
    migrate(ctx.database)
    with ctx.database.read() as session:
        found = session.execute(sa.text("SELECT subject, owner FROM api_keys ORDER BY created_at, id")).all()
    assert sorted(tuple(row) for row in found) == [("chen", "chen"), ("li", "chen"), ("wang", "chen")]
