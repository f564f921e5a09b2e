"""Guessing at officials' secrets: slowed down, never a way to shut somebody out, and cheap for the service."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from statistics import median

import pytest

from docproc.errors import BusyError
from docproc.flow.accounts import users
from docproc.flow.accounts.guesses import ADDRESS, ANYWHERE, HERE
from docproc.flow.accounts.users import SignInError, sign_in
from docproc.flow.core import passwords
from docproc.flow.core.context import Context
from docproc.store.tables.accounts import TryRow
from docproc.store.tables.audit import AuditRow

OFFICE, ELSEWHERE = "203.0.113.1", "198.51.100.{}"


class Clock:
    """A clock that the test turns."""

    def __init__(self, ctx: Context) -> None:
        self.start, self.ahead = ctx.clock(), timedelta(0)

    def __call__(self):  # type: ignore[no-untyped-def]
        return self.start + self.ahead


@pytest.fixture
def clock(ctx: Context) -> Clock:
    return Clock(ctx)


@pytest.fixture
def here(ctx: Context, clock: Clock) -> Context:
    return replace(ctx, clock=clock)


@pytest.fixture
def somebody(here: Context) -> users.NewUser:
    return users.add_user(here, None, "reviewer.one", "样例", "office", ["reviewer"])


def right(ctx: Context, who: users.NewUser, address: str) -> str:
    import pyotp

    return sign_in(ctx, who.name, who.password, pyotp.TOTP(who.totp_secret).at(int(ctx.clock().timestamp())), address)


def wrong(ctx: Context, name: str, address: str, password: str = "wrong", code: str = "000000") -> None:
    with pytest.raises(SignInError):
        sign_in(ctx, name, password, code, address)


def test_nobody_is_shut_out_from_elsewhere(here: Context, somebody: users.NewUser) -> None:
    for _ in range(HERE.holds + 5):
        wrong(here, somebody.name, ELSEWHERE.format(1))
    assert right(here, somebody, OFFICE), "the official, at another address"
    wrong(here, somebody.name, ELSEWHERE.format(1), somebody.password)


def test_who_fails_waits_where_they_are_and_not_for_ever(here: Context, clock: Clock, somebody: users.NewUser) -> None:
    for _ in range(HERE.holds):
        wrong(here, somebody.name, OFFICE)
    with pytest.raises(SignInError):
        right(here, somebody, OFFICE)
    clock.ahead += HERE.pause
    assert right(here, somebody, OFFICE)
    for _ in range(HERE.holds - 1):
        wrong(here, somebody.name, OFFICE)
    clock.ahead += timedelta(minutes=1)
    assert right(here, somebody, OFFICE), "and a sign-in begins anew"


def test_guessing_from_many_places_is_slow_and_leaves_the_official_in(
    here: Context, clock: Clock, somebody: users.NewUser
) -> None:
    assert right(here, somebody, OFFICE)
    for n in range(ANYWHERE.holds + 10):
        wrong(here, somebody.name, ELSEWHERE.format(n))
    clock.ahead += timedelta(seconds=40)
    with pytest.raises(SignInError):
        right(here, somebody, ELSEWHERE.format(200))
    clock.ahead += timedelta(seconds=40)
    assert right(here, somebody, OFFICE), "from where they signed in before they are not slowed down"
    clock.ahead += ANYWHERE.pause
    assert right(here, somebody, ELSEWHERE.format(201)), "and from anywhere after a pause: it is no lock"


def test_one_address_with_many_names_is_slow_too(here: Context, somebody: users.NewUser) -> None:
    for n in range(ADDRESS.holds):
        wrong(here, f"name-{n}", ELSEWHERE.format(1))
    with pytest.raises(SignInError):
        right(here, somebody, ELSEWHERE.format(1))
    assert right(here, somebody, OFFICE)


def test_codes_are_guessed_no_faster_than_passwords(here: Context, somebody: users.NewUser) -> None:
    for n in range(HERE.holds):
        wrong(here, somebody.name, OFFICE, somebody.password, f"{n:06d}")
    with pytest.raises(SignInError):
        right(here, somebody, OFFICE)


def test_a_try_at_once_with_others_counts_before_it_is_looked_at(here: Context, somebody: users.NewUser) -> None:
    seen: list[str] = []

    def try_one(_: int) -> str:
        try:
            sign_in(here, somebody.name, "wrong", "000000", OFFICE)
        except (SignInError, BusyError) as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(try_one, range(20)))
    assert set(seen) == {"SignInError"}
    with here.database.read() as session:
        assert max(row.spent for row in session.query(TryRow)) <= HERE.holds


def test_administrators_see_that_an_account_is_guessed_at(here: Context, somebody: users.NewUser) -> None:
    for n in range(HERE.holds + 20):
        wrong(here, somebody.name, ELSEWHERE.format(n % 2))
    with here.database.read() as session:
        lines = [row for row in session.query(AuditRow) if row.action == "user.locked"]
    assert len(lines) == 1, "once for a while, however many tries there are"


def test_new_secrets_begin_anew(here: Context, somebody: users.NewUser) -> None:
    for _ in range(HERE.holds + 1):
        wrong(here, somebody.name, OFFICE)
    made = users.renew_secrets(here, None, somebody.id)
    assert right(here, made, OFFICE)


def test_a_name_that_nobody_has_is_as_slow_and_says_the_same(here: Context, somebody: users.NewUser) -> None:
    def spent(name: str) -> float:
        begun = time.thread_time()
        wrong(here, name, ELSEWHERE.format(len(times) + 1))
        return time.thread_time() - begun

    times: list[float] = []
    known, unknown = [], []
    passwords.verifies(None, "warm")
    for n in range(8):
        times.append(0)
        known.append(spent(somebody.name))
        unknown.append(spent(f"nobody-{n}"))
    assert 0.7 < median(known) / median(unknown) < 1.4
    with pytest.raises(SignInError) as one:
        sign_in(here, somebody.name, "wrong", "0", OFFICE)
    with pytest.raises(SignInError) as two:
        sign_in(here, "nobody", "wrong", "0", OFFICE)
    assert (str(one.value), one.value.message_zh) == (str(two.value), two.value.message_zh)


def test_an_account_without_a_password_is_as_slow(here: Context) -> None:
    passwords.verifies(None, "warm")
    begun = time.process_time()
    assert not passwords.verifies(users.NO_PASSWORD, "elsewhere")
    assert time.process_time() - begun > 0.01


def test_nobody_waits_for_a_hash_to_write(
    here: Context, somebody: users.NewUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a sign-in computes, another unit of work writes: SQLite has one writer."""
    computing, go_on = threading.Event(), threading.Event()
    hasher = passwords._hasher

    class Slow:
        def verify(self, kept: str, password: str) -> bool:
            computing.set()
            assert go_on.wait(20)
            return hasher.verify(kept, password)

        def hash(self, password: str) -> str:
            return hasher.hash(password)

    monkeypatch.setattr(passwords, "_hasher", Slow())
    thread = threading.Thread(target=lambda: right(here, somebody, OFFICE))
    thread.start()
    try:
        assert computing.wait(20)
        with here.database.write() as session:  # would wait for 30 s and fail
            session.add(TryRow(sha256="x", name_sha256="x", spent=0, at=here.clock(), expires_at=here.clock()))
    finally:
        go_on.set()
        thread.join()


def test_only_so_many_hashes_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes 64 MiB: a crowd is sent away for a moment."""
    go_on, most, now, lock = threading.Event(), 0, 0, threading.Lock()

    class Slow:
        def hash(self, password: str) -> str:
            nonlocal most, now
            with lock:
                now += 1
                most = max(most, now)
            assert go_on.wait(20)
            with lock:
                now -= 1
            return "made"

    monkeypatch.setattr(passwords, "_hasher", Slow())
    refused = 0
    with ThreadPoolExecutor(30) as pool:
        jobs = [pool.submit(passwords.hash_password, "x") for _ in range(30)]
        while sum(job.done() for job in jobs) < 30 - passwords.AT_ONCE - passwords.WAITING:
            time.sleep(0.01)
        go_on.set()
        refused = sum(isinstance(job.exception(), BusyError) for job in jobs)
    assert most == passwords.AT_ONCE and refused == 30 - passwords.AT_ONCE - passwords.WAITING


def test_the_old_password_is_not_guessed_by_who_sits_down_at_a_desk(here: Context, somebody: users.NewUser) -> None:
    official = users.official(here, right(here, somebody, OFFICE))
    assert official is not None
    for n in range(HERE.holds):
        with pytest.raises(SignInError):
            users.change_password(here, official.caller, f"guess {n}", "样例密码不给任何真人使用")
    with pytest.raises(SignInError):
        users.change_password(here, official.caller, somebody.password, "样例密码不给任何真人使用")


def test_neither_names_that_were_typed_nor_addresses_are_kept(here: Context, somebody: users.NewUser) -> None:
    wrong(here, "a-password-typed-as-a-name", OFFICE)
    with here.database.read() as session:
        rows = [[row.sha256, row.name_sha256] for row in session.query(TryRow)]
    assert rows and "typed" not in str(rows) and OFFICE not in str(rows)


def test_what_was_counted_is_forgotten(here: Context, clock: Clock, somebody: users.NewUser) -> None:
    for n in range(10):
        wrong(here, f"name-{n}", ELSEWHERE.format(n))
    clock.ahead += timedelta(hours=2)
    wrong(here, "another", OFFICE)
    with here.database.read() as session:
        assert session.query(TryRow).count() == 3
