"""Files in parts: expiry, the number of files, and a crash after the page was made."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from docproc.errors import ConflictError, LimitError, NotFoundError
from docproc.flow.applications.applications import (
    MAX_FILES,
    add_page,
    create_application,
    remove_page,
    view_application,
    withdraw,
)
from docproc.flow.applications.uploads import KEEP, begin_upload, continue_upload, upload_state
from docproc.flow.core.context import Context, utc_now
from docproc.flow.core.idempotency import Once
from docproc.flow.upkeep import retention
from docproc.store.tables.applications import UploadPartRow, UploadRow
from tests.flow.people import KIOSK
from tests.flow.small_stages import paper

FILE = paper([], pad="x" * 5000)


def begun(ctx: Context) -> tuple[str, str]:
    number = str(create_application(ctx, KIOSK, "sole_trader")["number"])
    return number, str(begin_upload(ctx, KIOSK, number, len(FILE))["id"])


def rows(ctx: Context) -> tuple[int, int]:
    with ctx.database.read() as session:
        uploads, parts = (session.scalar(sa.select(sa.func.count()).select_from(t)) for t in (UploadRow, UploadPartRow))
    return uploads or 0, parts or 0


def test_an_upload_expires_a_while_after_its_last_part_and_the_sweep_takes_it_away(ctx: Context) -> None:
    number, upload = begun(ctx)
    later = replace(ctx, clock=lambda: utc_now() + KEEP - timedelta(minutes=1))
    continue_upload(later, KIOSK, number, upload, 0, FILE[:2000])
    much_later = replace(ctx, clock=lambda: utc_now() + KEEP + timedelta(hours=1))
    assert upload_state(much_later, KIOSK, number, upload)["offset"] == 2000
    retention.sweep(much_later)
    assert rows(ctx) == (1, 1)
    too_late = replace(ctx, clock=lambda: utc_now() + 2 * KEEP)
    with pytest.raises(NotFoundError):
        continue_upload(too_late, KIOSK, number, upload, 2000, FILE[2000:])
    retention.sweep(too_late)
    assert rows(ctx) == (0, 0)
    assert view_application(ctx, KIOSK, number)["pages"] == []


def test_a_crash_after_the_page_was_made_makes_no_second_one(ctx: Context) -> None:
    number, upload = begun(ctx)
    continue_upload(ctx, KIOSK, number, upload, 0, FILE[:2000])
    # what a process that then died had done: the page is there, the upload does not know it
    once = Once(f"upload:{upload}", hashlib.sha256(FILE).hexdigest())
    page = add_page(ctx, KIOSK, number, FILE, once=once)["id"]
    remove_page(ctx, KIOSK, number, page)
    assert upload_state(ctx, KIOSK, number, upload)["offset"] == 2000
    assert continue_upload(ctx, KIOSK, number, upload, 2000, FILE[2000:])["page"] == page
    assert view_application(ctx, KIOSK, number)["pages"] == [], "taken back, and not handed in by the repetition"
    assert rows(ctx) == (1, 0)
    with pytest.raises(LimitError):
        continue_upload(ctx, KIOSK, number, upload, len(FILE), b"?")


def test_uploads_under_way_count_as_files(ctx: Context) -> None:
    number, _ = begun(ctx)
    for _ in range(MAX_FILES - 1):
        begin_upload(ctx, KIOSK, number, 10)
    with pytest.raises(LimitError):
        begin_upload(ctx, KIOSK, number, 10)


def test_an_application_that_was_closed_takes_no_last_part(ctx: Context) -> None:
    number, upload = begun(ctx)
    continue_upload(ctx, KIOSK, number, upload, 0, FILE[:2000])
    withdraw(ctx, KIOSK, number)
    with pytest.raises(ConflictError):
        continue_upload(ctx, KIOSK, number, upload, 2000, FILE[2000:])
    assert upload_state(ctx, KIOSK, number, upload)["offset"] == 2000
