"""A worker at rest looks for work by one short query, takes no less than before, and finds it sooner."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from docproc.flow.core.context import Context
from docproc.flow.jobs.engine import CONCURRENCY, POLL_SECONDS, Jobs
from docproc.flow.jobs.quiet import look_first
from tests.flow.people import Workers, hand_in
from tests.flow.small_stages import paper

VERSION = "1"


@pytest.fixture
def system(ctx: Context) -> Iterator[Any]:
    """The engine's database as a worker has it, apart from the one that enqueues."""
    jobs = Jobs.connect(ctx.database)
    found = jobs.client._sys_db
    for name, concurrency in CONCURRENCY.items():
        jobs.client.register_queue(name, worker_concurrency=concurrency, polling_interval_sec=POLL_SECONDS[name])
    look_first(found)
    yield found
    jobs.close()


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """What is asked of the database in the block."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def take(system: Any, queue: str, running: int = 0) -> list[str]:
    """What the engine takes of a queue."""
    found = system.get_queue(queue)
    taken, _ = system.start_queued_workflows(found, "w1", VERSION, None, running, owner_xid="x")
    return list(taken)


def test_looking_in_vain_is_one_short_query_that_an_index_answers(ctx: Context, system: Any) -> None:
    take(system, "read")
    with statements(system.engine) as asked:
        for _ in range(20):
            assert take(system, "read") == []
    looks = [item for item in asked if item.lstrip().startswith("SELECT")]
    assert len(looks) == 20 and not [item for item in asked if "UPDATE" in item or "application_versions" in item]
    with ctx.database.read() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {looks[0]}", ("read", 1, 0)).all()
    assert "INDEX idx_workflow_status_in_flight" in str(plan)


def test_a_worker_that_is_busy_asks_nothing(ctx: Context, system: Any) -> None:
    queue = system.get_queue("read")
    hand_in(ctx, papers=[paper([], mark="1")])
    with statements(system.engine) as asked:
        assert take(system, "read", running=queue._worker_concurrency) == []
    assert asked == []
    assert len(take(system, "read")) == 1


def test_each_job_is_taken_once_in_its_order(ctx: Context, system: Any) -> None:
    with ctx.database.write() as session:
        for number, priority in ((1, 5), (2, 1), (3, 3)):
            ctx.jobs.enqueue(session, "deliver_event", f"event:{number}", number, priority=priority)
        ctx.jobs.enqueue(session, "deliver_event", "later", 9, delay=3600)
    assert take(system, "check") == []
    assert take(system, "notify", running=CONCURRENCY["notify"] - 1) == ["event:2"]
    assert take(system, "notify") == ["event:3", "event:1"]
    assert take(system, "notify") == [], "one whose time has not come waits"


def test_the_settings_of_a_queue_are_read_now_and_then(system: Any) -> None:
    with statements(system.engine) as asked:
        for _ in range(50):
            assert system.get_queue("seal").name == "seal"
    assert len(asked) <= 1
    assert system.get_queue("nothing") is None


def test_a_waiting_worker_takes_up_work_at_once_and_rests_after(ctx: Context, workers: Workers) -> None:
    workers.start("w1")
    waits = []
    for turn in range(3):
        number = hand_in(ctx, papers=[paper([], mark=str(turn))])
        began = time.monotonic()
        while ctx.jobs.waiting() and any(part.queue == "read" and part.jobs for part in ctx.jobs.waiting()):
            assert time.monotonic() - began < 60, number
            time.sleep(0.02)
        waits.append(time.monotonic() - began)
    assert min(waits) < 10, waits


def test_a_queue_whose_settings_changed_follows_them(system: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=time.monotonic())
    monkeypatch.setattr("docproc.flow.jobs.quiet.time.monotonic", lambda: clock.now)
    assert system.get_queue("notify")._worker_concurrency == CONCURRENCY["notify"]
    with system.engine.begin() as connection:
        connection.execute(sa.text("UPDATE queues SET worker_concurrency = 2 WHERE name = 'notify'"))
    clock.now += 11
    assert system.get_queue("notify")._worker_concurrency == 2
