"""Traces: one piece of work on its way through web process, queue and workers, sent to an OpenTelemetry collector.

Off unless a collector is named. What leaves the process is listed in :data:`TOLD`;
everything else that a library hangs on a span (values, messages of errors, events)
is dropped before it is sent, for it may repeat what stands on somebody's paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from docproc import __version__

TOLD = frozenset(
    {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "error.type",
        "docproc.bytes",
        "dbos.operation.workflow_id",
        "dbos.operation.type",
        "dbos.queue.name",
        "dbos.executor.id",
        "dbos.application.version",
    }
)
"""Attributes that are sent: ids, names of ours, and numbers; names as in OpenTelemetry's semantic conventions."""
SEND_SECONDS = 5.0
"""Longest time of one attempt to send; a collector that is away costs spans, never work."""


class Telling(SpanExporter):
    """Hands on what may be told of each span."""

    def __init__(self, collector: SpanExporter) -> None:
        self._collector = collector

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them."""
        return self._collector.export([_told(span) for span in spans])

    def shutdown(self) -> None:
        """Close the connection."""
        self._collector.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._collector.force_flush(timeout_millis)


def start(url: str, process: str, share: float = 1.0) -> None:
    """Trace this process from here on, to its end.

    Args:
        url: of the collector, OTLP over HTTP, for example ``http://collector:4318/v1/traces``; empty: no traces.
        process: name of this process.
        share: of all traces that are kept, 0 to 1; every process decides alike for one trace.
    """
    if not url:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # slow to load

    about = {"service.name": "docproc", "service.version": __version__, "service.instance.id": process}
    provider = TracerProvider(sampler=TraceIdRatioBased(share), resource=Resource(about))
    provider.add_span_processor(BatchSpanProcessor(Telling(OTLPSpanExporter(endpoint=url, timeout=SEND_SECONDS))))
    trace.set_tracer_provider(provider)


def stop() -> None:
    """Send what waits, at the end of this process."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def is_on() -> bool:
    """Whether this process is traced."""
    return isinstance(trace.get_tracer_provider(), TracerProvider)


def current() -> Context:
    """Where we are; hand it to a job so that its spans join this trace."""
    return get_current()


@contextmanager
def span(name: str, **numbers: int) -> Iterator[None]:
    """A span around a block; ``numbers`` become attributes ``docproc.NAME``."""
    attributes = {f"docproc.{key}": value for key, value in numbers.items()}
    with trace.get_tracer("docproc").start_as_current_span(name, attributes=attributes, record_exception=False):
        yield


@contextmanager
def request(method: str, headers: Mapping[str, str]) -> Iterator[trace.Span]:
    """The span of an answered request; joins the caller's trace where a ``traceparent`` came along."""
    context = TraceContextTextMapPropagator().extract(headers)
    tracer = trace.get_tracer("docproc")
    with tracer.start_as_current_span(
        method, context, SpanKind.SERVER, {"http.request.method": method}, record_exception=False
    ) as found:
        yield found


def failed(error: BaseException) -> None:
    """Note on the present span what kind of error it met."""
    trace.get_current_span().set_attribute("error.type", type(error).__name__)


def trace_id() -> str:
    """Id of the present trace in hex; empty without one."""
    found = trace.get_current_span().get_span_context()
    return trace.format_trace_id(found.trace_id) if found.is_valid else ""


def answered(found: trace.Span, method: str, route: str, status: int) -> None:
    """Complete the span of a request."""
    found.update_name(f"{method} {route}")
    found.set_attributes({"http.route": route, "http.response.status_code": status})
    if status >= 500:
        found.set_status(Status(StatusCode.ERROR))


def _told(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={key: value for key, value in (span.attributes or {}).items() if key in TOLD},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
