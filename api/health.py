"""Whether the service lives, whether it is ready, and its measurements."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx
from docproc.errors import DocprocError
from docproc.flow.core.context import Context
from docproc.store.migrate import is_current
from docproc.store.upkeep import health

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)
router = APIRouter(route_class=HeadFirst, tags=["health"])


class Metrics:
    """Measurements of one web process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("docproc_http_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram("docproc_http_seconds", "Time to answer", ("route",), registry=self.registry)
        self.applications = Gauge("docproc_applications", "Applications", ("status",), registry=self.registry)
        self.waiting = Gauge("docproc_files_waiting", "Files that wait to be read", registry=self.registry)
        self.oldest = Gauge("docproc_oldest_file_seconds", "Age of the oldest one", registry=self.registry)
        self.to_seal = Gauge("docproc_licences_to_seal", "Licences on their way to a seal", registry=self.registry)
        self.oldest_to_seal = Gauge("docproc_oldest_to_seal_seconds", "Age of the oldest one", registry=self.registry)
        self.verdicts = Gauge("docproc_application_verdicts", "Verdicts", ("verdict",), registry=self.registry)
        self.licences = Gauge("docproc_licences", "Licences", ("status",), registry=self.registry)
        queue = ("queue", "lane")
        self.jobs = Gauge("docproc_jobs_waiting", "Jobs that wait or run", queue, registry=self.registry)
        self.age = Gauge("docproc_oldest_job_seconds", "Age of the oldest of them", queue, registry=self.registry)


class Measured:
    """Counts and times every request by its route, so that paths with numbers in them do not multiply."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self.metrics.requests.labels(scope["method"], route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - started)


@router.get("/healthz", summary="Does the process live?")
def healthz() -> dict[str, str]:
    """Always 200 while the process answers."""
    return {"status": "ok"}


@router.get("/readyz", summary="Can it work?")
def readyz(ctx: Ctx) -> JSONResponse:
    """200 when database, schema, clock and blob store are good, else 503; `checks` says what is not."""
    checks: dict[str, bool] = {}
    for name, check in _CHECKS.items():  # what asks a database that is out of reach only waits in vain
        checks[name] = (name not in _ASKS_DATABASE or checks["database"]) and _passes(check, ctx)
    ready = all(checks.values())
    return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)


def at_own_port(app: FastAPI) -> WSGIApplication:
    """The measurements of a web process for :func:`docproc.flow.jobs.meters.listen`; any path gives them."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            body = measurements(app.state.context, app.state.metrics)
        except DocprocError:  # the database is away: what is counted here is told all the same
            log.warning("the stores were not measured")
            body = generate_latest(app.state.metrics.registry)
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [body]

    return answer


def measurements(ctx: Context, measured: Metrics) -> bytes:
    """Requests, applications by status and verdict, licences, waiting files, jobs by queue and lane, and their age."""
    with ctx.database.read() as session:
        for status, count in health.statuses(session).items():
            measured.applications.labels(status).set(count)
        for verdict, count in health.verdicts(session).items():
            measured.verdicts.labels(verdict).set(count)
        for status, count in health.licences_by_status(session).items():
            measured.licences.labels(status).set(count)
        waits = [
            (health.waiting_files(session), measured.waiting, measured.oldest),
            (health.waiting_seals(session), measured.to_seal, measured.oldest_to_seal),
        ]
    for (waiting, oldest), number, age in waits:
        number.set(waiting)
        age.set((ctx.clock() - oldest).total_seconds() if oldest is not None else 0)
    for part in ctx.jobs.waiting():
        measured.jobs.labels(part.queue, part.lane).set(part.jobs)
        measured.age.labels(part.queue, part.lane).set(part.age_seconds)
    return generate_latest(measured.registry)


def _database(ctx: Context) -> bool:
    with ctx.database.read() as session:
        return health.is_reachable(session)


def _blobs(ctx: Context) -> bool:
    return not ctx.blobs.exists("0" * 64)


def _clock(ctx: Context) -> bool:
    ctx.check_clock()
    return True


_CHECKS: dict[str, Callable[[Context], bool]] = {
    "database": _database,
    "clock": _clock,
    "schema": lambda ctx: is_current(ctx.database),
    "blobs": _blobs,
}

_ASKS_DATABASE = ("clock", "schema")


def _passes(check: Callable[[Context], bool], ctx: Context) -> bool:
    try:
        return check(ctx)
    except Exception:
        log.exception("a readiness check failed")
        return False
