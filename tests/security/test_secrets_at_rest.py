"""Who has a copy of the database has no secret; a locked one opens in its own row alone, and keys can change."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa

from api.prepare import prepare
from docproc import secret_keys
from docproc.errors import DocprocError, SetupError
from docproc.flow.accounts import users
from docproc.flow.accounts.users import NewUser, SignInError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context, open_context
from docproc.flow.messages import webhooks
from docproc.flow.upkeep.locking import counts, lock_all, rotate
from docproc.ops.key_checks import check_locked, check_secret_keys
from docproc.process_keys import ProcessKeys
from docproc.secret_keys import LockedError, SecretKeys
from docproc.settings import Settings
from docproc.store.accounts import users as stored_users
from docproc.store.locked import unlock
from docproc.store.messages import webhooks as stored_webhooks
from docproc.store.signatures import is_signed, sign_row
from docproc.store.tables.accounts import UserRow
from docproc.store.tables.messages import WebhookRow

ENTERPRISE = Caller("k", "enterprise-1", "91510100MA6CGN1X0E", frozenset({"enterprise"}))
STATE, NONCE, VERIFIER = "state-of-the-browser-xxxxx", "nonce-that-nobody-knows-xxxx", "verifier-that-nobody-knows-x"


def dump(ctx: Context) -> str:
    """All that the database holds, as whoever copies it sees it: every column of every table of every schema."""
    found = []
    inspector = sa.inspect(ctx.database.engine)
    schemas = [None] if ctx.database.is_sqlite else [None, "dbos"]
    with ctx.database.engine.connect() as connection:
        for schema in schemas:
            for name in inspector.get_table_names(schema):
                rows = connection.execute(sa.select(sa.text("*")).select_from(sa.table(name, schema=schema)))
                found += [repr(tuple(row)) for row in rows]
    if ctx.database.is_sqlite:  # with what is left in free pages and in the log
        folder = Path(str(ctx.database.engine.url.database)).parent
        found += [path.read_bytes().decode("latin1") for path in folder.glob("docproc.db*")]
    return "\n".join(found)


def signs_in(ctx: Context, user: NewUser, ahead: int = 0) -> bool:
    at = ctx.clock() + timedelta(seconds=30 * ahead)
    try:
        users.sign_in(ctx, user.name, user.password, pyotp.TOTP(user.totp_secret).at(at))
    except SignInError:
        return False
    return True


def add(ctx: Context, name: str) -> NewUser:
    return users.add_user(ctx, None, name, "", "office", ["reviewer"])


def hook_secret(ctx: Context, webhook_id: str) -> str:
    with ctx.database.read() as session:
        return unlock(ctx.keys.secrets, stored_webhooks.find_webhook(session, webhook_id), "secret")


def in_clear(ctx: Context, user: NewUser, hook: str, secret: str) -> None:
    """As the version before wrote them, which signed accounts and locked nothing."""
    with ctx.database.write() as session:
        row = session.get_one(UserRow, user.id)
        row.totp_secret = user.totp_secret
        sign_row(session, row)
        session.get_one(WebhookRow, hook).secret = secret


def add_hook(ctx: Context) -> tuple[str, str]:
    """A webhook at an address that is not looked up; its id and secret."""
    with ctx.database.write() as session:
        row, secret = stored_webhooks.add_webhook(
            session, ENTERPRISE.org, "https://hooks.example/", by="x", at=ctx.clock()
        )
        return row.id, secret


def test_no_secret_is_in_a_copy_of_the_database(either: Context) -> None:
    ctx = either
    user, renewed = add(ctx, "wang"), add(ctx, "li")
    renewed = users.renew_secrets(ctx, None, renewed.id)
    _, secret = add_hook(ctx)
    with ctx.database.write() as session:
        stored_users.add_login(
            session, STATE, NONCE, VERIFIER, at=ctx.clock(), expires_at=ctx.clock() + timedelta(minutes=5)
        )
    everything = dump(ctx)
    assert user.name in everything and ENTERPRISE.org in everything
    wanted = (user.totp_secret, renewed.totp_secret, secret, STATE, NONCE, VERIFIER, user.password)
    assert not [text for text in wanted if text in everything]
    assert signs_in(ctx, user) and signs_in(ctx, renewed)
    with ctx.database.write() as session:
        assert stored_users.take_login(session, STATE, ctx.clock()) == (NONCE, VERIFIER)


def test_a_secret_that_was_put_into_another_row_does_not_open(either: Context) -> None:
    """Somebody who knows one account's code and writes the database puts its secret into the administrator's row."""
    ctx = either
    mine, theirs = add(ctx, "mine"), add(ctx, "theirs")
    first, _ = add_hook(ctx)
    second, _ = add_hook(ctx)
    with ctx.database.write() as session:
        session.get_one(UserRow, theirs.id).totp_secret = session.get_one(UserRow, mine.id).totp_secret
        session.get_one(WebhookRow, second).secret = session.get_one(WebhookRow, first).secret
        row = session.get_one(UserRow, theirs.id)
        assert not is_signed(session, row)
        sign_row(session, row)  # even with the web process's own key
    with pytest.raises(SignInError):
        users.sign_in(ctx, "theirs", theirs.password, pyotp.TOTP(mine.totp_secret).at(ctx.clock()))
    assert signs_in(ctx, mine)
    with pytest.raises(LockedError):
        hook_secret(ctx, second)


def test_a_secret_that_was_changed_does_not_open(ctx: Context) -> None:
    hook, _ = add_hook(ctx)
    with ctx.database.write() as session:
        row = session.get_one(WebhookRow, hook)
        middle = len(row.secret) // 2 + 10
        row.secret = row.secret[:middle] + ("A" if row.secret[middle] != "A" else "B") + row.secret[middle + 1 :]
    with pytest.raises(LockedError):
        hook_secret(ctx, hook)


def test_a_store_of_the_version_before_is_locked_as_the_web_process_starts(either: Context) -> None:
    ctx = either
    user = add(ctx, "wang")
    hook, secret = add_hook(ctx)
    in_clear(ctx, user, hook, secret)
    assert user.totp_secret in dump(ctx) and not check_locked(ctx).ok
    assert signs_in(ctx, user)  # on the way there nobody is kept out
    prepare(ctx.settings)
    assert check_locked(ctx).ok
    assert user.totp_secret not in dump(ctx) and secret not in dump(ctx)
    with ctx.database.read() as session:
        assert session.get_one(UserRow, user.id).totp_secret.startswith("locked1.")
        assert session.get_one(WebhookRow, hook).secret.startswith("locked1.")
    assert signs_in(ctx, user, 1) and hook_secret(ctx, hook) == secret
    assert sum(item.rows for item in lock_all(ctx)) == 0


def test_an_account_that_sql_changed_is_not_made_good_by_locking(ctx: Context) -> None:
    user = add(ctx, "wang")
    known = pyotp.random_base32()
    with ctx.database.write() as session:
        session.execute(sa.update(UserRow).values(totp_secret=known))
    left = [reason for item in lock_all(ctx) for reason in item.left]
    assert len(left) == 1 and user.id in left[0]
    with pytest.raises(SignInError):
        users.sign_in(ctx, "wang", user.password, pyotp.TOTP(known).at(ctx.clock()))


def test_a_key_is_changed_while_the_service_runs_and_old_ones_open_what_is_left(either: Context) -> None:
    ctx = either
    people = [add(ctx, f"user-{number}") for number in range(5)]
    hook, secret = add_hook(ctx)
    running = open_context(ctx.settings)  # another process, which was there before
    old = counts(ctx, "accounts")
    done = rotate(ctx, "accounts")
    assert done.rows == 5 and not done.left and set(counts(ctx, "accounts")) == {done.key} != set(old)
    assert counts(ctx, "webhooks").keys() != {done.key}
    assert all(signs_in(running, user) for user in people)
    late = add(running, "late")
    assert counts(ctx, "accounts") == {done.key: 6}
    again = rotate(ctx, "accounts", forget=True)
    assert again.rows == 6 and len(again.forgotten) == 2
    assert signs_in(running, late) and hook_secret(running, hook) == secret
    running.close()


def test_a_change_of_key_that_was_cut_short_is_finished_by_the_next(ctx: Context) -> None:
    people = [add(ctx, f"user-{number}") for number in range(3)]
    ring = secret_keys.add_key(ctx.settings.keys_folder, "accounts")  # and here the power failed
    assert all(signs_in(ctx, user) for user in people)
    done = rotate(ctx, "accounts", forget=True)
    assert (done.key, done.rows, len(done.forgotten)) == (ring.id, 3, 1)
    assert all(signs_in(ctx, user, 1) for user in people)


def test_a_change_of_key_that_is_killed_loses_nothing(settings: Settings, ctx: Context) -> None:
    """Killed at moments spread over the whole change; after each, everybody can sign in."""
    people = [add(ctx, f"user-{number}") for number in range(30)]
    env = {**os.environ, "DOCPROC_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-m", "docproc.cli", "secrets", "rotate", "accounts", "--json"]
    code = (
        "from docproc.store.upkeep import relocking; relocking.PORTION = 2; from docproc.cli.main import main; main()"
    )
    command = [sys.executable, "-c", code, *command[3:]]
    for tries in range(3):
        before = secret_keys.read_ring(settings.keys_folder, "accounts")
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
        while process.poll() is None and secret_keys.read_ring(settings.keys_folder, "accounts") == before:
            pass
        while process.poll() is None and counts(ctx, "accounts").get(before[0].id, 0) > 20 - 5 * tries:
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert all(signs_in(ctx, user) for user in people[tries::10])
        rotate(ctx, "accounts")
    assert set(counts(ctx, "accounts")) == {secret_keys.read_ring(settings.keys_folder, "accounts")[0].id}


def test_each_process_has_the_keys_of_those_secrets_alone_that_it_works_with(ctx: Context) -> None:
    hook, secret = add_hook(ctx)
    add(ctx, "wang")
    reader, sealer = (open_context(ctx.settings, role=role) for role in ("reader", "sealer"))
    assert hook_secret(reader, hook) == secret
    with pytest.raises(SetupError):
        hook_secret(sealer, hook)
    for process in (reader, sealer):
        with process.database.read() as session:
            row = session.scalars(sa.select(UserRow)).one()
        with pytest.raises(SetupError):
            unlock(process.keys.secrets, row, "totp_secret")
        process.close()


def test_a_deployment_without_its_keys_says_what_is_missing(ctx: Context, tmp_path: Path) -> None:
    add(ctx, "wang")
    keys = tmp_path / "elsewhere"
    keys.mkdir()
    for path in ctx.settings.keys_folder.iterdir():
        if path.suffix in (".key", ".pub"):
            (keys / path.name).write_bytes(path.read_bytes())
    bare = ctx.settings.model_copy(update={"process_keys": str(keys)})
    with pytest.raises(SetupError, match="docproc secrets make"):
        prepare(bare)
    assert [item.remedy for item in check_secret_keys(bare) if not item.ok and item.needed]
    for purpose in secret_keys.PURPOSES:
        secret_keys.make_ring(keys, purpose)
    other = open_context(bare)
    found = check_locked(other)
    assert not found.ok and "under the key" in found.detail
    other.close()


def test_a_removed_webhook_leaves_no_secret(ctx: Context) -> None:
    hook, _ = add_hook(ctx)
    webhooks.remove_webhook(ctx, ENTERPRISE, hook)
    with ctx.database.read() as session:
        assert session.get_one(WebhookRow, hook).secret == ""
    assert sum(item.rows for item in lock_all(ctx)) == 0


def test_the_command_lists_and_changes_keys(ctx: Context) -> None:
    add(ctx, "wang")
    env = {**os.environ, "DOCPROC_DATA_DIR": str(ctx.settings.data_dir)}

    def run(*words: str) -> tuple[int, object]:
        command = [sys.executable, "-m", "docproc.cli", "secrets", *words, "--json"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    status, rows = run("list")
    assert status == 0 and isinstance(rows, list) and {row["state"] for row in rows} == {"in use"}
    status, told = run("rotate", "accounts", "--forget")
    assert status == 0 and isinstance(told, dict) and told["rows"] == 1 and len(told["forgotten"]) == 1
    assert run("make", "accounts")[0] == 2 and run("rotate", "sealer")[0] == 2
    with ctx.database.write() as session:
        session.execute(sa.update(UserRow).values(totp_secret=pyotp.random_base32()))
    assert run("list")[0] == 1


def test_keys_that_nobody_has_lock_nothing(ctx: Context) -> None:
    without = replace(ctx, database=replace(ctx.database, keys=replace(ctx.keys, secrets=SecretKeys())))
    with pytest.raises(DocprocError):
        add(without, "wang")
    assert ProcessKeys().secrets.purposes == ()
