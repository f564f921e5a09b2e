"""What one process serves at a port of its own: metrics for Prometheus, and of a worker whether it is alive."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, perf_counter
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Histogram, make_wsgi_app

from docproc.bounded_server import Bounded
from docproc.domain import PageReading
from docproc.errors import SetupError
from docproc.sandbox.spent import cpu_seconds

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

READY_SECONDS = 30.0
"""A worker that has not looked around without trouble for so long is not at work."""
REGISTRY = CollectorRegistry()
_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
STEP_SECONDS = Histogram("docproc_step_seconds", "Time of a step", ["step"], buckets=_SECONDS, registry=REGISTRY)
STEP_CPU = Counter("docproc_step_cpu_seconds", "CPU time of the process in a step", ["step"], registry=REGISTRY)
STEP_ERRORS = Counter("docproc_step_errors", "Failed tries of a step", ["step", "error"], registry=REGISTRY)
PAGES = Counter("docproc_pages", "Pages read", ["material", "how", "quality"], registry=REGISTRY)
FIELDS = Counter("docproc_fields", "Fields by what the machine said", ["material", "outcome"], registry=REGISTRY)
VERDICTS = Counter("docproc_verdicts", "Verdicts", ["matter", "verdict"], registry=REGISTRY)
SEALS = Counter("docproc_seals", "Attempts to seal by their end", ["outcome"], registry=REGISTRY)
TAKEOVERS = Counter("docproc_takeovers", "Dead workers whose jobs were put back", registry=REGISTRY)


_looked = -math.inf
"""When this worker last looked around without trouble, by the monotonic clock; infinite: it need not for now."""


def beat(*, for_long: bool = False) -> None:
    """Note that this worker looked around just now, or is busy in good order for nobody knows how long."""
    global _looked
    _looked = math.inf if for_long else monotonic()


def is_ready() -> bool:
    """Whether this worker takes jobs, reaches its database, and its clock is right."""
    return monotonic() - _looked < READY_SECONDS


def listen(host: str, port: int, answer: WSGIApplication | None = None) -> WSGIServer | None:
    """Answer at a port, in a thread; port 0: not at all.

    Args:
        host: address to listen on; empty: all.
        port: where; the caller ends it by ``shutdown`` and ``server_close``, or with the process.
        answer: what to say; a worker's by itself: ``/readyz`` with 200 or 503, anything else with the measurements.

    Raises:
        SetupError: the port is taken.
    """
    if not port:
        return None
    try:
        server = make_server(host, port, answer or _answer, _Server, _Silent)
    except OSError as error:
        raise SetupError(
            f"measurements cannot be served on port {port}: {error.strerror}: set DOCPROC_METRICS_PORT"
        ) from error
    threading.Thread(target=server.serve_forever, name="meters", daemon=True).start()
    return server


class _Server(Bounded, WSGIServer):
    pass


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # one who asks every few seconds is no news
        pass


_measurements = make_wsgi_app(REGISTRY)


def _answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/readyz":
        found: Iterable[bytes] = _measurements(environ, start_response)
        return found
    ready = is_ready()
    start_response("200 OK" if ready else "503 Service Unavailable", [("Content-Type", "application/json")])
    return [b'{"ready": true}' if ready else b'{"ready": false}']


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Time one try of a step and count how it failed."""
    started, cpu = perf_counter(), cpu_seconds()
    try:
        yield
    except Exception as error:
        STEP_ERRORS.labels(step, type(error).__name__).inc()
        raise
    finally:
        STEP_SECONDS.labels(step).observe(perf_counter() - started)
        STEP_CPU.labels(step).inc(max(0.0, cpu_seconds() - cpu))


def count_readings(readings: Sequence[PageReading]) -> None:
    """Count pages, and fields read or left to a person."""
    for reading in readings:
        material = reading.material or "unknown"
        PAGES.labels(material, reading.how, reading.quality.verdict).inc()
        for field in reading.fields.values():
            FIELDS.labels(material, "abstained" if field.value is None else "read").inc()
