"""The durable engine; the only module that imports DBOS.

What the rest sees: jobs are enqueued inside the caller's transaction, each under
a fixed id, so that enqueuing twice is enqueuing once; a worker runs them; steps
run at least once. Values are JSON, never pickles: who can write the database
must not be able to run code in a worker.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Literal, ParamSpec, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy.orm import Session

from docproc import tracing
from docproc.errors import DocprocError, SetupError, UnavailableError
from docproc.flow.jobs import meters
from docproc.flow.jobs.fair_queue import BATCH_LANE, LANES, LaneName
from docproc.flow.jobs.quiet import look_first
from docproc.log import working_on
from docproc.store import database_roles
from docproc.store.database_roles import Granted, RoleName
from docproc.store.db import Database
from docproc.store.migrate import migrate

_NO_PASSWORDS: Mapping[RoleName, str] = {}
P = ParamSpec("P")
R = TypeVar("R")
Job = Literal[
    "look_at_page",
    "read_page",
    "check_application",
    "issue_licence",
    "deliver_event",
    "deliver_webhook",
    "send_sms",
    "seal_version",
    "publish_status",
    "seal_notice",
]

log = logging.getLogger(__name__)

APP_NAME = "docproc"
QUEUE_OF: dict[Job, str] = {
    "look_at_page": "look",
    "read_page": "read",
    "check_application": "check",
    "issue_licence": "seal",
    "deliver_event": "notify",
    "deliver_webhook": "notify",
    "send_sms": "notify",
    "seal_version": "seal",
    "publish_status": "seal",
    "seal_notice": "seal",
}
CONCURRENCY = {"look": 1, "read": 1, "check": 2, "seal": 1, "notify": 4}
"""Jobs of a queue that one worker runs at a time; reading and sealing use all of a core."""
POLL_SECONDS = {"look": 0.05, "read": 0.1, "check": 0.15, "seal": 0.1, "notify": 0.5}
"""How often an idle worker asks a queue for work; nobody waits for a notification."""
STEP_ATTEMPTS = 6
"""Tries of a step that fails for a reason we do not know: after 0.5 s, doubling, about 15 s in all."""
OUTAGE_SECONDS, OUTAGE_ATTEMPTS = 2.0, 1_000_000
"""While database or blob store are out of reach a step is tried this often; no work is given up for an outage."""
CRASHES: dict[Job, int] = {
    "look_at_page": 3,
    "read_page": 3,
    "check_application": 20,
    "issue_licence": 20,
    "deliver_event": 20,
    "deliver_webhook": 20,
    "send_sms": 20,
    "seal_version": 20,
    "publish_status": 20,
    "seal_notice": 20,
}
"""Deaths of its worker after which a job is given up; only what strangers send is likely to be the cause."""
DEAD = ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED")
_DEAD = tuple(f"'{status}'" for status in DEAD)
_UNFINISHED = (("'ENQUEUED'", "'PENDING'"), ("'DELAYED'",))
"""States of jobs that are not done, as literals: each part has an index of its own, which a bound value would miss."""


def migrate_all(database: Database, passwords: Mapping[RoleName, str] = _NO_PASSWORDS) -> Granted:
    """Bring our tables and the engine's to the newest schema, and give the server's roles their rights.

    Args:
        database: where to; by the role that owns the tables, unless there is nothing to do.
        passwords: roles that are made, see :func:`docproc.store.database_roles.apply`.

    Raises:
        SetupError: this role may not change the schema, or not make roles.
    """
    _quiet()
    migrate(database)
    try:
        DBOS.migrate(_url(database))
    except sa.exc.ProgrammingError as error:
        raise SetupError(
            "the job engine has the schema of another version: as the owner run `docproc migrate`"
        ) from error
    return database_roles.apply(database, passwords)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much of a queue's lane waits or runs."""

    queue: str
    lane: LaneName
    jobs: int
    """Also those whose time has not come."""
    age_seconds: float
    """Since the oldest one could have been done; 0 without any."""


def waiting(session: Session) -> list[Waiting]:
    """What waits or runs, counted in the database; one for every queue and lane, also where there is nothing."""
    jobs = _jobs(session)
    batch = (jobs.c.priority >= BATCH_LANE).label("batch")
    due = sa.func.min(sa.func.coalesce(jobs.c.delay_until_epoch_ms, jobs.c.created_at))
    counted = sa.select(jobs.c.queue_name, batch, sa.func.count(), due).group_by(jobs.c.queue_name, batch)
    parts = (counted.where(jobs.c.status.in_(map(sa.literal_column, states))) for states in _UNFINISHED)
    found: dict[tuple[str, LaneName], tuple[int, int]] = {}
    for queue, in_batch, count, since in session.execute(sa.union_all(*parts)):
        lane: LaneName = "batch" if in_batch else "person"
        before, oldest = found.get((queue, lane), (0, since))
        found[queue, lane] = (before + count, min(oldest, since))
    now = time.time() * 1000
    return [
        Waiting(queue, lane, count, max(0.0, (now - since) / 1000))
        for queue in dict.fromkeys(QUEUE_OF.values())
        for lane in LANES
        for count, since in [found.get((queue, lane), (0, now))]
    ]


def _jobs(session: Session) -> sa.TableClause:
    """The engine's own table."""
    names = ("workflow_uuid", "status", "queue_name", "executor_id", "priority", "created_at", "delay_until_epoch_ms")
    schema = None if session.get_bind().dialect.name == "sqlite" else "dbos"
    return sa.table("workflow_status", *map(sa.column, names), schema=schema)


@dataclass(frozen=True, slots=True)
class Jobs:
    """Enqueues jobs and looks at them; needs no worker in this process."""

    client: DBOSClient
    database: Database

    @classmethod
    def connect(cls, database: Database) -> Jobs:
        """Connect to a migrated database.

        Raises:
            UnavailableError: it is out of reach.
        """
        _quiet()
        try:
            client = DBOSClient(
                system_database_url=_url(database),
                serializer=DBOSPortableJSONSerializer(),
                application_name=APP_NAME,
            )
        except sa.exc.OperationalError as error:
            raise UnavailableError(f"the database does not serve: {type(error.orig).__name__}") from error
        return cls(client, database)

    def enqueue(
        self, session: Session, job: Job, job_id: str, *args: str | int, delay: float = 0, priority: int = 1
    ) -> None:
        """Enqueue a job in the caller's transaction; an id that was enqueued before is left alone.

        Args:
            session: the caller's transaction.
            job: what to do.
            job_id: fixed name of this piece of work.
            args: of the job.
            delay: seconds before it may start.
            priority: lower is earlier, from 1.
        """
        options: EnqueueOptions = {
            "workflow_name": job,
            "queue_name": QUEUE_OF[job],
            "workflow_id": job_id,
            "priority": priority,
        }
        if delay:
            options["delay_seconds"] = delay
        if tracing.is_on():
            options["otel_context"] = tracing.current()
        self.client.enqueue_in_transaction(session, options, *args)

    def has_begun(self, job_id: str) -> bool:
        """Whether a job runs or has done its work; one that waits may wait for a worker that knows its queue."""
        with self.database.read() as session:
            jobs = _jobs(session)
            found = session.execute(sa.select(jobs.c.status).where(jobs.c.workflow_uuid == job_id)).scalar()
        return found in ("PENDING", "SUCCESS")

    def is_dead(self, job_id: str) -> bool:
        """Whether a job ended without doing its work."""
        found = self.client.list_workflows(workflow_ids=[job_id], load_input=False, load_output=False)
        return bool(found) and found[0].status in DEAD

    def busy_workers(self) -> set[str]:
        """Names of the workers that jobs are running under, living or dead."""
        with self.database.read() as session:
            jobs = _jobs(session)
            running = sa.select(jobs.c.executor_id).where(jobs.c.status == sa.literal_column("'PENDING'")).distinct()
            return {name for name in session.scalars(running) if name}

    def waiting(self) -> list[Waiting]:
        """What waits or runs, for every queue and lane."""
        with self.database.read() as session:
            return waiting(session)

    def given_up(self) -> int:
        """Jobs that ended without doing their work."""
        with self.database.read() as session:
            jobs = _jobs(session)
            counted = (
                sa.select(sa.func.count()).select_from(jobs).where(jobs.c.status.in_(map(sa.literal_column, _DEAD)))
            )
            return session.execute(counted).scalar_one()

    def forget_done(self, before: datetime, most: int = 500) -> int:
        """Drop jobs that did their work before a moment, oldest first; returns how many."""
        done = self.client.list_workflows(
            status="SUCCESS", completed_before=before.isoformat(), limit=most, load_input=False, load_output=False
        )
        if done:
            self.client.delete_workflows([job.workflow_id for job in done])
        return len(done)

    def latest_version(self) -> str | None:
        """Application version whose workers take new jobs; ``None`` before the first worker."""
        versions = self.client.list_application_versions()
        return self.client.get_latest_application_version()["version_name"] if versions else None

    def knows_version(self, version: str) -> bool:
        """Whether a worker of this application version was ever started."""
        return version in {item["version_name"] for item in self.client.list_application_versions()}

    def close(self) -> None:
        """Close the connections."""
        self.client.destroy()


def workflow(job: Job) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark the function that runs a kind of job."""
    return DBOS.workflow(name=job, max_recovery_attempts=CRASHES[job])


def step(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark an idempotent step.

    One that fails is tried again: for as long as it takes while a store is out of reach, a few times for any other
    reason but those that we raised on purpose, which do not change by trying again.
    """

    def mark(work: Callable[P, R]) -> Callable[P, R]:
        return DBOS.step(
            name=name,
            retries_allowed=True,
            interval_seconds=OUTAGE_SECONDS,
            max_attempts=OUTAGE_ATTEMPTS,
            backoff_rate=1.0,
            should_retry=lambda error: isinstance(error, UnavailableError),
        )(_tried(name, work))

    return mark


def _tried(name: str, work: Callable[P, R]) -> Callable[P, R]:
    def once(*args: P.args, **kwargs: P.kwargs) -> R:
        started = time.monotonic()
        try:
            with meters.timed(name):
                result = work(*args, **kwargs)
            log.info("done in %.2f s", time.monotonic() - started)
            return result
        except Exception as error:
            tracing.failed(error)
            raise

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        pause = 0.5
        trace = {"trace": tracing.trace_id()} if tracing.is_on() else {}
        with working_on(step=name, job=DBOS.workflow_id or "", **trace):
            for _ in range(STEP_ATTEMPTS - 1):
                try:
                    return once(*args, **kwargs)
                except SetupError as error:  # an operator may mend it meanwhile
                    log.error("%s; next try in %.1f s", error, pause)
                except DocprocError:
                    raise
                except Exception:
                    log.warning("failed; next try in %.1f s", pause, exc_info=True)
                time.sleep(pause)
                pause *= 2
            return once(*args, **kwargs)

    return run


def launch(database: Database, name: str, queues: Sequence[str], version: str) -> None:
    """Start to work off queues under a name; what ran under this name when it died is taken up again.

    Args:
        database: migrated.
        name: stable name of this worker; hold its lease (:mod:`docproc.flow.jobs.lease`) first.
        queues: names among the values of :data:`QUEUE_OF`.
        version: workers take up only work of the same application version.
    """
    _quiet()
    config: DBOSConfig = {
        "name": APP_NAME,
        "system_database_url": _url(database),
        "executor_id": name,
        "application_version": version,
        "serializer": DBOSPortableJSONSerializer(),
        "run_migrations": False,
        "notification_listener_polling_interval_sec": 0.1,  # asks nothing, as no job waits for messages; stopping waits
        "log_level": "WARNING",
        "enable_otlp": tracing.is_on(),  # spans of jobs and steps; to the collector of this process
        "otel_attribute_format": "semconv",
    }
    engine = DBOS(config=config)
    DBOS.listen_queues(list(queues))
    DBOS.launch()
    _one_log()
    for queue, concurrency in CONCURRENCY.items():
        DBOS.register_queue(queue, worker_concurrency=concurrency, polling_interval_sec=POLL_SECONDS[queue])
    look_first(engine._sys_db)


def recover(names: Sequence[str]) -> None:
    """Put the running jobs of dead workers back into their queues; the caller holds those workers' leases."""
    DBOS._recover_pending_workflows(list(names))


def stop(grace_seconds: int) -> None:
    """Take no more jobs, wait for those that run, and close; what does not end is taken up by the next launch."""
    DBOS.destroy(workflow_completion_timeout_sec=grace_seconds)


def _url(database: Database) -> str:
    url = database.engine.url
    plain = url if database.is_sqlite else url.set(drivername="postgresql")
    return sa.make_url(plain).render_as_string(hide_password=False)


def _quiet() -> None:
    logging.getLogger("dbos").setLevel(logging.WARNING)


def _one_log() -> None:
    """The engine brings a handler of its own; its lines go the way of all others."""
    engine_log = logging.getLogger("dbos")
    engine_log.handlers.clear()
    engine_log.propagate = True
