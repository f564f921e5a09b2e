"""A request that is repeated while its first sending is still at work, as an impatient client does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex

import pytest
import sqlalchemy as sa

from docproc.errors import ConflictError
from docproc.flow.applications.applications import create_application, withdraw
from docproc.flow.core.context import Context
from docproc.flow.core.idempotency import Once
from docproc.settings import Settings
from docproc.store.db import create_database, drop_database
from docproc.store.tables.applications import ApplicationRow
from tests.flow.conftest import opened
from tests.flow.people import KIOSK, until

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def shared(postgres_url: str, tmp_path: Path) -> Iterator[Context]:
    """A service on PostgreSQL, where two requests are at work at the same time."""
    name = f"repeated_{token_hex(4)}"
    url = create_database(postgres_url, name)
    yield from opened(Settings(data_dir=tmp_path, database_url=url, _env_file=None))
    drop_database(postgres_url, name)


def test_both_sendings_get_the_first_answer(shared: Context) -> None:
    number = str(create_application(shared, KIOSK, "sole_trader")["number"])
    once = Once("k1", "a" * 64)
    with ThreadPoolExecutor(2) as pool, shared.database.engine.connect() as holding:
        row = sa.select(ApplicationRow.number).where(ApplicationRow.number == number)
        holding.execute(row.with_for_update())
        sent = [pool.submit(withdraw, shared, KIOSK, number, once) for _ in range(2)]
        with shared.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watching:
            until(lambda: watching.execute(sa.text(WAITING)).scalar() == 2)
        holding.rollback()
        first, second = (answer.result() for answer in sent)
    assert first == second and first["status"] == "withdrawn"
    with pytest.raises(ConflictError):  # under another key it is another request
        withdraw(shared, KIOSK, number, Once("k2", "a" * 64))
