"""What the version before left without signatures is taken up once, and never again."""

from __future__ import annotations

import json

import pyotp
import pytest
import sqlalchemy as sa

from docproc.flow.accounts import users
from docproc.flow.accounts.api_keys import authenticate, create_key
from docproc.flow.applications.applications import view_application
from docproc.flow.core.context import Context, open_context
from docproc.flow.licences.licences import change_licence
from docproc.flow.licences.versions import new_version
from docproc.flow.review.decisions import decide, release
from docproc.flow.review.workbench import queue
from docproc.flow.upkeep.adoption import RECORD, adopt
from docproc.settings import Settings
from docproc.store.tables.base import Base
from tests.flow.conftest import DATABASE, _migrated
from tests.flow.forging import GROUNDS, World, build
from tests.flow.people import APPROVER, SEALER, seen


def unsign(ctx: Context) -> None:
    """Leave the database as the version before did: nothing in it is signed."""
    with ctx.database.write() as session:
        for table in Base.metadata.tables.values():
            gone = {column.name: sa.null() for column in table.columns if column.name.endswith("signed")}
            if gone:
                session.execute(sa.update(table).values(gone))
        session.execute(sa.text("UPDATE audit_log SET signature = ''"))


@pytest.fixture
def world(settings: Settings) -> World:
    (settings.data_dir / DATABASE).write_bytes(_migrated())
    numbers = build(settings)
    web = open_context(settings)
    return World(web, open_context(settings, role="sealer"), numbers, [])


def test_the_version_before_is_taken_up_once(world: World) -> None:
    ctx = world.web
    official = users.add_user(ctx, None, "clerk-7", "x", "office", ["clerk"])
    key = create_key(ctx, None, "kiosk-7", "office", ["kiosk"])["key"]
    unsign(ctx)
    for memory in ctx.settings.keys_folder.glob("*.memory.json"):
        memory.unlink()
    assert authenticate(ctx, str(key)) is None
    assert adopt(ctx) > 10
    told = json.loads((ctx.settings.keys_folder / RECORD).read_text())
    assert ctx.keys.own is not None and told["key"] == ctx.keys.own.id
    assert authenticate(ctx, str(key)) is not None
    assert users.sign_in(ctx, "clerk-7", official.password, pyotp.TOTP(official.totp_secret).now())

    view = view_application(ctx, APPROVER, world.numbers["approved"])
    assert view["status"] == "accepted" and view["seal"]["state"] == "unconfirmed"
    assert [w for w in queue(ctx, APPROVER) if w.view["number"] == view["number"]]
    again = decide(ctx, APPROVER, view["number"], "approve", seen(view))
    release(ctx, SEALER, view["number"], again["version"])

    valid = world.licence("licensed")
    new_version(ctx, APPROVER, valid, "reissue", {}, **GROUNDS)
    change_licence(ctx, APPROVER, world.licence("corrected"), "revoke", **GROUNDS)

    unsign(ctx)
    (ctx.settings.keys_folder / "web.memory.json").unlink(missing_ok=True)
    assert adopt(ctx) == 0
    assert authenticate(ctx, str(key)) is None


def test_a_fresh_service_takes_nothing_up_later(ctx: Context) -> None:
    assert adopt(ctx) == 0
    key = create_key(ctx, None, "kiosk-7", "office", ["kiosk"])["key"]
    unsign(ctx)
    assert adopt(ctx) == 0
    assert authenticate(ctx, str(key)) is None


def test_a_log_that_is_signed_shows_that_nothing_is_left_of_the_version_before(ctx: Context) -> None:
    key = create_key(ctx, None, "kiosk-7", "office", ["kiosk"])["key"]
    with ctx.database.write() as session:
        session.execute(sa.text("UPDATE api_keys SET signed = NULL"))
    assert adopt(ctx) == 0
    assert authenticate(ctx, str(key)) is None
