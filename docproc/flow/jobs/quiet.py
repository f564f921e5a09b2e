"""A worker that has nothing to do costs next to nothing: it looks whether there is work before it begins to take some.

The engine asks each queue several times a second, and each time opens a transaction in which it asks for the newest
application version, locks and sorts: three milliseconds of CPU for finding nothing, 4 to 10 % of a core for a worker at
rest. Here a single look at the index comes first, and a worker that is busy does not even do that. Looking is so cheap
that it is done more often, so work is found sooner than before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

SETTINGS_SECONDS = 10.0
"""How long a queue's own settings, which change with a release, are taken as they were."""


def look_first(system: Any) -> None:
    """Have the engine look before it takes work, and read a queue's settings now and then instead of at every look.

    Args:
        system: its database (``DBOS._sys_db``); its methods are replaced on this one object.
    """
    system.start_queued_workflows = _looking(system.start_queued_workflows, system.engine)
    system.get_queue = _remembering(system.get_queue)


def _looking(take: Callable[..., Any], engine: sa.Engine) -> Callable[..., Any]:
    query = _look(engine)

    def start_queued_workflows(
        queue: Any, executor: str, version: str, partition: str | None, running: int = 0, *args: Any, **named: Any
    ) -> Any:
        most = queue._worker_concurrency
        if most is not None and running >= most:
            return [], "worker_concurrency"
        with engine.connect() as connection:
            if connection.execute(query, {"queue": queue.name}).first() is None:
                return [], None
        return take(queue, executor, version, partition, running, *args, **named)

    return start_queued_workflows


def _look(engine: sa.Engine) -> sa.Select[Any]:
    """Whether anything waits in a queue; states are literals, for a bound value would miss the partial index."""
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    jobs = sa.table("workflow_status", sa.column("queue_name"), sa.column("status"), schema=schema)
    waiting: sa.ColumnClause[str] = sa.literal_column("'ENQUEUED'")
    running: sa.ColumnClause[str] = sa.literal_column("'PENDING'")
    here = jobs.c.queue_name == sa.bindparam("queue"), jobs.c.status == waiting
    return (
        sa.select(sa.literal_column("1")).select_from(jobs).where(*here, jobs.c.status.in_((waiting, running))).limit(1)
    )


def _remembering(read: Callable[[str], Any]) -> Callable[[str], Any]:
    kept: dict[str, tuple[float, Any]] = {}

    def get_queue(name: str, *args: Any, **named: Any) -> Any:
        if args or named:
            return read(name, *args, **named)
        now = time.monotonic()
        until, found = kept.get(name, (0.0, None))
        if found is None or now >= until:
            found = read(name)
            kept[name] = (now + SETTINGS_SECONDS, found)
        return found

    return get_queue
