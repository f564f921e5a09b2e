"""Measurements of one worker process, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from docproc.domain import PageReading
from docproc.sandbox import cpu_seconds

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


def listen(port: int) -> None:
    """Answer Prometheus on all addresses; 0: not at all."""
    if port:
        start_http_server(port, registry=REGISTRY)


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
