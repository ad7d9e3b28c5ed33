"""One trace from a request to its painting: W3C Trace Context, and OpenTelemetry for who wants it.

The API of OpenTelemetry carries the ids in any case. Spans are recorded and exported only where the
extra ``otel`` is installed and ``OTEL_EXPORTER_OTLP_ENDPOINT`` says to whom; the SDK reads that and
its other variables itself.

Source: https://www.w3.org/TR/trace-context/, section 3.2.
"""

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from secrets import randbits

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from worker import logs
from worker.painting_job import PaintingJob

logger = logging.getLogger(__name__)

#: Spans of ours are made with this; without an SDK they only carry the ids on.
TRACER = trace.get_tracer("atelier")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

#: What the last spans get when a process ends, in seconds: a collector that is away holds nobody.
_FLUSH_SECONDS = 1.0

_W3C = TraceContextTextMapPropagator()


def set_up_tracing(service: str) -> None:
    """Exports spans in the name of this service, if the environment says where to."""
    if not any(map(os.environ.get, _ENDPOINTS)):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http import trace_exporter  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        logger.warning("%s is set, but nothing is exported: install atelier[otel].", _ENDPOINTS[1])
        return
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(trace_exporter.OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def shut_down_tracing() -> None:
    """Sends what is left, for a moment."""
    shut_down = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shut_down is not None:
        flusher = threading.Thread(target=shut_down, daemon=True)
        flusher.start()
        flusher.join(_FLUSH_SECONDS)


@contextmanager
def in_trace_of(traceparents: Sequence[str]) -> Iterator[None]:
    """Meanwhile everything belongs to the trace of a request.

    Args:
        traceparents: the request's headers of this name. A new trace begins if there is none, or
            not one alone, or it is not valid.
    """
    if trace.get_current_span().get_span_context().is_valid:  # the SDK has begun a span already
        yield
        return
    (traceparent,) = traceparents if len(traceparents) == 1 else (None,)
    received = _read(traceparent)
    token = context.attach(received if _is_valid(received) else _new())
    try:
        yield
    finally:
        context.detach(token)


def current_traceparent() -> str | None:
    """The position in the present trace, in the form of the header; None outside of all traces."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def following(job: PaintingJob) -> Iterator[None]:
    """Meanwhile this thread has the job: its spans and log lines belong to it and its trace."""
    parent = _read(job.facts.get("traceparent"))
    named = {"atelier.job.id": job.id}
    with (
        logs.about(job_id=job.id),
        TRACER.start_as_current_span("atelier.job", parent, SpanKind.CONSUMER, named) as span,
    ):
        yield
        span.set_attribute("atelier.job.status", job.painting_status)
        if job.painting_status == "failed":
            span.set_status(StatusCode.ERROR)


def describe(**facts: int | str) -> None:
    """Says in the job's span what is painted, and with what."""
    span = trace.get_current_span()
    span.set_attributes({f"atelier.job.{name}": fact for name, fact in facts.items()})


def _read(traceparent: str | None) -> Context:
    return _W3C.extract({"traceparent": traceparent} if traceparent else {}, Context())


def _is_valid(found: Context) -> bool:
    return trace.get_current_span(found).get_span_context().is_valid


def _new() -> Context:
    # Marked as sampled: nobody here has decided, so that who records further on may do so.
    begun = SpanContext(
        randbits(128) or 1, randbits(64) or 1, is_remote=True, trace_flags=TraceFlags(1)
    )
    return trace.set_span_in_context(NonRecordingSpan(begun))
