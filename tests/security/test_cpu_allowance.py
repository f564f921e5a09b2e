"""Who sends what is dear to open pays for it, and keeps nobody else from being served."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.kit.parsing.allowance import Allowance
from api.kit.parsing.paid import Lane, Parsing
from api.kit.parsing.turns import Turns
from api.kit.problems import RateLimitError
from docproc.errors import BusyError
from docproc.flow.jobs.engine import migrate_all
from docproc.licence.devpki.pki import make_dev_pki
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.security import costly

PHOTO = "/v1/licences/verify/photo"
ALLOWED = 5.0


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("allowance")
    make_dev_pki(folder / "pki", at=datetime.now(UTC))
    settings = Settings(
        data_dir=folder,
        trust_dir=folder / "pki" / "trust",
        parse_slots=2,
        parse_seconds_per_minute=ALLOWED,
        _env_file=None,
    )
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    with TestClient(create_app(settings), client=("192.0.2.1", 1)) as client:
        yield client


def dear(number: int) -> bytes:
    """A PDF that no page's budget is enough for, other bytes each time."""
    return costly.nested_forms() + b"%% %d\n" % number


def parsing_of(client: TestClient) -> Parsing:
    return client.app.state.parsing  # type: ignore[attr-defined,no-any-return]


def at(client: TestClient, address: str) -> TestClient:
    """The same running service, asked from another address."""
    return TestClient(client.app, client=(address, 1))


def test_an_address_pays_for_what_was_stopped_and_is_refused_before_more_is_done(app: TestClient) -> None:
    """Two such files of 101 kB from anybody shut photo verification for three minutes."""
    attacker = at(app, "192.0.2.2")
    codes = [attacker.post(PHOTO, content=dear(turn)).status_code for turn in range(4)]
    assert codes[0] == 413 and codes[-1] == 429, codes
    assert codes.count(413) <= 2, "about 4 s each of 5"
    refused = attacker.post(PHOTO, content=b"\xff\xd8 no picture at all")
    assert refused.status_code == 429 and refused.json()["code"] == "rate_limited"
    assert 0 < int(refused.headers["Retry-After"]) <= 90
    assert attacker.post("/v1/licences/verify", content=b"nothing").status_code == 429, "one allowance for all"
    other = at(app, "192.0.2.3").post(PHOTO, content=b"\xff\xd8 no picture at all")
    assert other.status_code == 415


def test_the_addresses_of_one_line_have_one_allowance(app: TestClient) -> None:
    codes = [at(app, f"2001:db8:7::{turn}").post(PHOTO, content=dear(20 + turn)).status_code for turn in range(4)]
    assert codes[0] == 413 and codes[-1] == 429, codes
    assert at(app, "2001:db8:8::1").post(PHOTO, content=b"\xff\xd8").status_code == 415


def test_the_same_bytes_are_refused_again_for_nothing(app: TestClient) -> None:
    parsing_of(app).anonymous.pay("192.0.2.4", -0.0)
    data = dear(40)
    assert at(app, "192.0.2.4").post(PHOTO, content=data).status_code == 413
    for address in ("192.0.2.5", "192.0.2.6"):
        again = at(app, address).post(PHOTO, content=data)
        assert again.status_code == 413 and again.json()["code"] == "too_slow"
        assert parsing_of(app).anonymous._level(address) == ALLOWED


@contextmanager
def held(client: TestClient, lane: Lane, times: int) -> Iterator[None]:
    """All slots of a lane are taken by others."""
    stack, loop = AsyncExitStack(), client.portal
    assert loop is not None

    async def take() -> None:
        for turn in range(times):
            await stack.enter_async_context(parsing_of(client).lanes[lane].turn(f"other-{turn}"))

    loop.call(take)
    try:
        yield
    finally:
        loop.call(stack.aclose)


def test_photographs_that_take_long_do_not_keep_files_from_being_verified(app: TestClient) -> None:
    with held(app, "photo", 1):
        answer = app.post("/v1/licences/verify", content=b"no licence")
        assert answer.status_code == 200 and answer.json()["reason"] == "not-a-pdf"
    with held(app, "file", 2):
        assert app.post(PHOTO, content=b"\xff\xd8").status_code == 415


def test_one_address_fills_only_its_share_of_the_waiting_room(app: TestClient) -> None:
    flood = b"\xff\xd8 a flood"
    with ThreadPoolExecutor(8) as pool:
        with held(app, "photo", 1):
            waiting = [pool.submit(app.post, PHOTO, content=flood) for _ in range(6)]
            refused = [answer for answer in map(done_soon, waiting) if answer is not None]
            assert sorted(refused) == [429, 429, 429]
        assert sorted(item.result().status_code for item in waiting) == [415] * 3 + [429] * 3


def done_soon(future: object) -> int | None:
    try:
        return int(future.result(timeout=3).status_code)  # type: ignore[attr-defined]
    except TimeoutError:
        return None


def test_a_flood_delays_another_caller_by_about_one_file() -> None:
    async def run() -> list[str]:
        turns, served = Turns(1, room=100, room_of_one=50, wait_s=5), []

        async def ask(caller: str) -> None:
            async with turns.turn(caller):
                served.append(caller)
                await asyncio.sleep(0.001)

        flood = [asyncio.create_task(ask("flood")) for _ in range(30)]
        await asyncio.sleep(0.002)
        begun = len(served)
        late = [asyncio.create_task(ask(name)) for name in ("late", "later")]
        await asyncio.gather(*flood, *late)
        return served[begun:]

    served = asyncio.run(run())
    assert served.index("late") <= 2 and served.index("later") <= 3
    assert served.count("flood") >= 25


def test_who_waits_with_one_file_is_served_before_all_who_come_after_him() -> None:
    async def run() -> list[str]:
        turns, served = Turns(1, room=100, room_of_one=50, wait_s=5), []

        async def ask(caller: str) -> None:
            async with turns.turn(caller):
                served.append(caller)
                await asyncio.sleep(0.001)

        tasks = [asyncio.create_task(ask(name)) for name in ("first", "second", "regular")]
        for turn in range(30):
            tasks.append(asyncio.create_task(ask(f"new-{turn}")))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        return served

    assert asyncio.run(run())[:3] == ["first", "second", "regular"]


def test_a_full_room_and_a_long_wait_are_refused_with_a_time_to_come_back() -> None:
    async def run() -> None:
        turns = Turns(1, room=2, room_of_one=1, wait_s=0.05)
        async with turns.turn("first"):
            waiting = [asyncio.create_task(hold(turns, name)) for name in ("a", "b")]
            await asyncio.sleep(0)
            with pytest.raises(RateLimitError):
                await hold(turns, "a")
            with pytest.raises(BusyError) as full:
                await hold(turns, "c")
            assert full.value.retry_after > 0 and not isinstance(full.value, RateLimitError)
            assert all(isinstance(item, BusyError) for item in await asyncio.gather(*waiting, return_exceptions=True))
            going = asyncio.create_task(hold(turns, "gone"))
            await asyncio.sleep(0)
            going.cancel()
        await hold(turns, "next")  # nobody who went away kept the slot
        assert turns._free == 1 and not turns._counts

    asyncio.run(run())


async def hold(turns: Turns, caller: str) -> None:
    async with turns.turn(caller):
        pass


def test_an_allowance_is_refilled_and_debt_takes_time() -> None:
    now = [0.0]
    allowance = Allowance(60, clock=lambda: now[0])
    assert allowance.wait("a") == 0
    allowance.pay("a", 90)
    assert 29 <= allowance.wait("a") <= 31
    now[0] = 31
    assert allowance.wait("a") == 0
    allowance.pay("a", 1000)
    now[0] = 10_000
    allowance.pay("a", 59)
    assert allowance.wait("a") == 0, "never more than a minute's worth, and never less after enough time"


def test_callers_who_owe_most_are_not_forgotten_when_many_come() -> None:
    allowance = Allowance(60, most_callers=100)
    allowance.pay("debtor", 500)
    for turn in range(1000):
        allowance.pay(f"a-{turn}", 1)
    assert allowance.wait("debtor") > 0 and len(allowance._levels) <= 100
