"""A rolling upgrade with work in flight: what the older version left begins again under the newer one.

A job that runs bears the application version of its worker, and the engine gives it to workers of that version only.
When the last of them has ended, whoever is of the newest version takes such jobs over. Checkpoints of another version
may not fit, so a job begins at its first step; every step looks first whether its work was done.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import sqlalchemy as sa

from docproc.flow.jobs.engine import Jobs

log = logging.getLogger(__name__)


def adopt(jobs: Jobs, version: str, dead: Sequence[str]) -> int:
    """Give jobs of older application versions the ``version`` of this process; returns how many.

    Those are jobs that ran under the names ``dead``, whose leases the caller holds, and jobs that wait for a worker of
    their version. A process that is not of the newest version adopts nothing.
    """
    if jobs.latest_version() not in (None, version) and jobs.knows_version(version):
        return 0
    schema = None if jobs.database.is_sqlite else "dbos"
    names = ("workflow_uuid", "status", "executor_id", "application_version")
    columns: list[sa.ColumnClause[str]] = [sa.column(name) for name in names]
    table = sa.table("workflow_status", *columns, schema=schema)
    steps = sa.table("operation_outputs", sa.column("workflow_uuid"), schema=schema)
    left = sa.or_(table.c.status == "ENQUEUED", sa.and_(table.c.status == "PENDING", table.c.executor_id.in_(dead)))
    old = sa.and_(table.c.application_version != version, left)  # one without version is anybody's already
    with jobs.database.read() as session:
        if session.execute(sa.select(table.c.workflow_uuid).where(old).limit(1)).first() is None:
            return 0
    with jobs.database.write() as session:
        change = sa.update(table).where(old).values(application_version=version).returning(table.c.workflow_uuid)
        ids = session.execute(change).scalars().all()
        session.execute(sa.delete(steps).where(steps.c.workflow_uuid.in_(ids)))
    log.warning("%s jobs of an older version begin again under version %s", len(ids), version)
    return len(ids)
