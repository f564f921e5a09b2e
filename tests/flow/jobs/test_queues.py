"""How much waits in each queue, and for how long, of people and of batches apart."""

from __future__ import annotations

import time
from itertools import count

import sqlalchemy as sa

from docproc.flow.applications.applications import add_page, create_application
from docproc.flow.core.context import Context
from docproc.store.applications import pages
from docproc.store.tables.applications import PageRow
from tests.flow.people import KIOSK, caller, hand_in
from tests.flow.small_stages import paper


def test_what_waits_is_told_by_queue_and_lane_with_its_age(ctx: Context) -> None:
    began = time.monotonic()
    assert {(part.jobs, part.age_seconds) for part in ctx.jobs.waiting()} == {(0, 0.0)}
    hand_in(ctx, papers=[paper([], mark="1"), paper([], mark="2")])
    batch = str(create_application(ctx, KIOSK, "sole_trader", "batch")["number"])
    add_page(ctx, KIOSK, batch, paper([], mark="3"), filename="3.png")
    with ctx.database.write() as session:
        ctx.jobs.enqueue(session, "deliver_event", "later", 1, delay=3600)
    time.sleep(0.05)
    found = {(part.queue, part.lane): part for part in ctx.jobs.waiting()}
    assert {key: part.jobs for key, part in found.items() if part.jobs} == {
        ("look", "person"): 2,
        ("look", "batch"): 1,
        ("read", "person"): 2,
        ("read", "batch"): 1,
        ("notify", "person"): 1,
    }
    oldest = found["read", "person"].age_seconds
    assert 0.05 <= found["read", "batch"].age_seconds <= oldest <= time.monotonic() - began + 1  # whole seconds
    assert found["notify", "person"].age_seconds == 0  # its time has not come
    assert {queue for queue, _ in found} == {"look", "read", "check", "seal", "notify"}


def test_no_file_waits_for_ever_while_others_keep_coming(ctx: Context) -> None:
    """A full queue in which every file that was read makes room for one more."""
    kiosks = [caller(f"kiosk-{turn}", "kiosk", org="hall") for turn in range(3)]
    numbers = [str(create_application(ctx, kiosk, "sole_trader", "kiosk")["number"]) for kiosk in kiosks]
    marks = count()

    def send(turn: int) -> None:
        add_page(ctx, kiosks[turn], numbers[turn], paper([], mark=next(marks)), filename="x.png")

    for turn in (0, 0, 0, 0, 1, 1, 1, 2, 2):
        send(turn)
    first = set(waiting(ctx))
    for step in range(12):  # four of each: who handed in much is not served before the others
        read(ctx, waiting(ctx)[0])
        send(step % 3)
    assert not first & set(waiting(ctx)), "whoever was there before is served before who comes later"


def test_kiosks_come_up_in_turn_and_who_comes_anew_does_not_wait_behind_a_pile(ctx: Context) -> None:
    owner = {}
    for name, files in (("a", 4), ("b", 1), ("c", 2)):
        kiosk = caller(f"kiosk-{name}", "kiosk", org="hall")
        number = str(create_application(ctx, kiosk, "sole_trader", "kiosk")["number"])
        for turn in range(files):
            sent = add_page(ctx, kiosk, number, paper([], mark=f"{name}{turn}"), filename="x.png")
            owner[str(sent["id"])] = name
    assert [owner[page] for page in waiting(ctx)] == ["a", "b", "c", "a", "c", "a", "a"]


def waiting(ctx: Context) -> list[str]:
    """Files in the order in which workers are given them."""
    table = f"{'dbos.' if ctx.settings.database_url else ''}workflow_status"
    jobs = sa.text(f"SELECT workflow_uuid FROM {table} WHERE name = 'read_page' ORDER BY priority, created_at")
    with ctx.database.read() as session:
        left = set(session.scalars(sa.select(PageRow.id).where(pages.IS_WAITING)))
        return [page for row in session.execute(jobs) if (page := str(row[0]).removeprefix("read:")) in left]


def read(ctx: Context, page_id: str) -> None:
    with ctx.database.write() as session:
        pages.store_readings(session, pages.find_page(session, page_id), [], ctx.clock())
