"""What somebody who writes the database adds, changes or takes away is named; each attack is undone after the look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.flow.accounts.api_keys import first_key
from docproc.flow.accounts.users import add_user, set_enabled
from docproc.flow.applications.applications import view_application
from docproc.flow.audit.proof import prove
from docproc.flow.core.context import Context
from docproc.flow.licences.licences import change_licence
from docproc.flow.review.decisions import decide, release
from docproc.settings import Settings
from docproc.store.audit import chain, inventory, signed_rows
from docproc.store.audit.standings import Standings, differences
from docproc.store.db import create_database
from docproc.store.licences import licences
from docproc.store.tables.accounts import ApiKeyRow, UserRow, UserSessionRow
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.base import Base
from docproc.store.tables.licences import LicenceEventRow, LicenceRow
from docproc.store.tables.review import DecisionRow
from docproc.store.tables.seals import SealRow
from tests.flow.conftest import opened
from tests.flow.people import ADMIN, APPROVER, REVIEWER, SEALER, Workers, seen, submitted, until


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Context, str]]:
    """A service with an issued licence that was suspended, two officials and a key; and the application's number."""
    folder: Path = tmp_path_factory.mktemp("rows")
    url = ""
    if request.param == "postgresql":
        url = create_database(request.getfixturevalue("postgres_url"), f"rows_{uuid4().hex[:12]}")
    settings = Settings(data_dir=folder, database_url=url, _env_file=None)
    for ctx in opened(settings):
        places = {"DOCPROC_DATA_DIR": str(folder), "DOCPROC_DATABASE_URL": url}
        workers = Workers(settings, env=places)
        try:
            workers.start("w1")
            yield ctx, work(ctx)
        finally:
            workers.stop_all()


def work(ctx: Context) -> str:
    """Officials, a key, and a licence that is issued and suspended; returns the application's number."""
    first_key(ctx)
    shut = [add_user(ctx, ADMIN, name, name, "office", ["reviewer"]).id for name in ("li", "wang")][1]
    set_enabled(ctx, ADMIN, shut, False)
    view = submitted(ctx)
    number = view["number"]
    approved = decide(ctx, REVIEWER, number, "approve", seen(view))
    release(ctx, SEALER, number, approved["version"])
    licence = until(lambda: view_application(ctx, SEALER, number)["licence"], 60)
    change_licence(ctx, APPROVER, licence, "suspend", "核查", "办法")
    return str(number)


def problems(ctx: Context, *attack: sa.Executable) -> list[str]:
    """What is found after an attack, which is undone."""
    return attacked(
        ctx,
        lambda session, told: [
            *inventory.contradictions(session),
            *differences(told, licences.withdrawn(session)),
        ],
        *attack,
    )


def misfitting(ctx: Context, *attack: sa.Executable) -> list[str]:
    """Rows that do not bear their signature after an attack, which is undone."""
    return attacked(ctx, lambda session, told: list(signed_rows.misfits(session)), *attack)


def attacked(ctx: Context, look: Callable[[Session, Standings], list[str]], *attack: sa.Executable) -> list[str]:
    told = Standings()
    with ctx.database.read() as session:
        chain.walk(session, ctx.keys.known, each=told.note)
    with ctx.database.write() as session:
        for statement in attack:
            session.execute(statement)
        found = look(session, told)
        session.rollback()
    return found


def copied(row: Base, **changes: object) -> sa.Insert:
    """A row like another one."""
    values = {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).column_attrs}
    return sa.insert(type(row)).values({**values, **changes})


def one(ctx: Context, table: type[Base]) -> Base:
    with ctx.database.read() as session:
        return session.scalars(sa.select(table).limit(1)).one()


def test_a_service_that_nobody_touched_is_whole(service: tuple[Context, str]) -> None:
    ctx, _ = service
    assert problems(ctx) == []
    proof = prove(ctx, None)
    assert proof.ok, proof.problems
    assert proof.signed == proof.lines > 10 and {key.partition("-")[0] for key in proof.keys} == {"web", "sealer"}


def test_an_added_user_or_key_is_named(service: tuple[Context, str]) -> None:
    ctx, _ = service
    user = copied(one(ctx, UserRow), id="f" * 12, name="mole", identity_sha256=None)
    assert problems(ctx, user) == ["user mole: no line of the log added it"]
    key = copied(one(ctx, ApiKeyRow), id="e" * 12)
    assert problems(ctx, key) == [f"API key {'e' * 12}: no line of the log added it"]


def test_roles_that_were_given_by_sql_are_named(service: tuple[Context, str]) -> None:
    ctx, _ = service
    given = sa.update(UserRow).where(UserRow.name == "li").values(roles=["approver", "reviewer"])
    assert problems(ctx, given) == ["user li: has the roles approver, reviewer, and the log gave reviewer"]
    opened_again = sa.update(UserRow).where(UserRow.name == "wang").values(disabled_at=None)
    assert problems(ctx, opened_again) == ["user wang: is open, and the log shut it"]
    assert problems(ctx, sa.delete(UserRow).where(UserRow.name == "li")) == ["user li: was added, and is gone"]


def test_a_decision_that_was_added_changed_or_taken_away_is_named(service: tuple[Context, str]) -> None:
    ctx, _ = service
    row = one(ctx, DecisionRow)
    assert isinstance(row, DecisionRow)
    added = copied(row, id="d" * 32, on_version=row.on_version + 50, by="mole")
    assert problems(ctx, added) == [
        f"decision {'d' * 32}: kept with mole, {row.seen_sha256}, which the log does not know",
        f"release of decision {'d' * 32}: kept, which the log does not know",
    ]
    changed = problems(ctx, sa.update(DecisionRow).values(by="mole"))
    assert any("kept with mole" in item for item in changed) and any(
        "logged with reviewer-1" in item for item in changed
    )
    without = sa.delete(LicenceEventRow), sa.delete(LicenceRow), sa.delete(DecisionRow)
    gone = problems(ctx, *_unbound(ctx), *without)
    assert any(item.startswith(f"decision {row.id}: logged with reviewer-1") for item in gone)


def _unbound(ctx: Context) -> list[sa.Executable]:
    """Take away what refers to licences and decisions."""
    names = ("licence_files", "licence_versions", "notices", "holders", "shares", "licence_holders")
    present = set(sa.inspect(ctx.database.engine).get_table_names())
    return [sa.text(f"DELETE FROM {name}") for name in names if name in present]


def test_a_withdrawal_that_sql_took_back_is_named(service: tuple[Context, str]) -> None:
    ctx, _ = service
    row = one(ctx, LicenceRow)
    assert isinstance(row, LicenceRow)
    back = sa.update(LicenceRow).values(status="valid")
    found = problems(ctx, back)
    assert len(found) == 1 and found[0].startswith(f"licence {row.number}: suspended by audit line")
    gone = problems(ctx, back, sa.delete(LicenceEventRow).where(LicenceEventRow.status == "suspended"))
    assert any(item.startswith(f"withdrawal of licence {row.number}: logged") for item in gone)
    revoked = problems(ctx, sa.update(LicenceRow).values(status="revoked"))
    assert revoked == [f"licence {row.number}: the database shows it revoked, and the audit log says suspended"]


def test_a_seal_or_an_application_that_no_line_knows_is_named(service: tuple[Context, str]) -> None:
    ctx, _ = service
    with ctx.database.read() as session:
        seal = session.scalars(sa.select(SealRow).limit(1)).one_or_none()
    if seal is not None:
        assert problems(ctx, copied(seal, name="私章")) == ["seal 私章: kept, which the log does not know"]
    application = copied(one(ctx, ApplicationRow), number="A-forged")
    assert any(item.startswith("application A-forged: kept") for item in problems(ctx, application))


def test_a_row_that_sql_changed_does_not_bear_its_signature(service: tuple[Context, str]) -> None:
    """The log does not tell a password or an organisation; the row's own signature covers them."""
    ctx, number = service
    assert misfitting(ctx) == []
    password = misfitting(ctx, sa.update(UserRow).where(UserRow.name == "li").values(password_hash="another"))
    assert len(password) == 1 and "is not what was signed" in password[0] and password[0].startswith("user ")
    bare = misfitting(ctx, sa.update(UserRow).where(UserRow.name == "li").values(signed=sa.null()))
    assert len(bare) == 1 and "bears no signature of ours" in bare[0]
    moved = misfitting(ctx, sa.update(ApplicationRow).values(created_by="mole"))
    assert moved and moved[0].startswith(f"application {number}: is not what was signed")
    released = misfitting(ctx, sa.update(DecisionRow).values(released_by="mole"))
    assert released and released[0].startswith("release of decision")


def test_a_session_that_was_put_in_bears_no_signature(service: tuple[Context, str]) -> None:
    ctx, _ = service
    user = one(ctx, UserRow)
    assert isinstance(user, UserRow)
    times = {
        "created_at": user.created_at,
        "seen_at": user.created_at,
        "expires_at": user.created_at.replace(year=2099),
    }
    forged = sa.insert(UserSessionRow).values(sha256="ab" * 32, user_id=user.id, **times)
    assert misfitting(ctx, forged) == [f"session of an official {'ab' * 16}: bears no signature of ours"]
