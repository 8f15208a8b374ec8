"""Traces of requests through OpenTelemetry, where the configuration asks for them.

A span has a name, and attributes of closed sets alone: method, route, status, outcome. No
id, name, address or content of a credential is in any of them.

The packages are those of the extra `otel`. Without them, or while nothing is configured,
`span` does nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from node.config import Config
from primitives.errors import Misconfigured

if TYPE_CHECKING:  # of the extra, which may not be installed
    from opentelemetry.trace import Span, Tracer, TracerProvider

SERVICE: Final = "patunay"


class TracingMissing(Misconfigured):
    """Traces are configured, and the packages for them are not installed."""

    code = "tracing-missing"
    hint = "install patunay[otel]"


_tracer: "ContextVar[Tracer | None]" = ContextVar("patunay_tracer", default=None)


def span(
    name: str, attributes: Mapping[str, str | int] | None = None
) -> "AbstractContextManager[Span | None]":
    """Return what times a step of a request; what it gives is None while nothing is traced.

    Args:
        name: Of a closed set.
        attributes: Their values too; nothing of a credential.
    """
    tracer = _tracer.get()
    if tracer is None:
        return nullcontext()
    # The words of an error may name a credential: they stay out of the span.
    return tracer.start_as_current_span(
        name,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )


@contextmanager
def traced_by(provider: "TracerProvider") -> Iterator[None]:
    """Hand what is started inside to `provider`."""
    token = _tracer.set(provider.get_tracer(SERVICE))
    try:
        yield
    finally:
        _tracer.reset(token)


@contextmanager
def tracing(config: Config) -> Iterator[None]:
    """Send the spans of what is started inside where the configuration says.

    Raises:
        TracingMissing: See the class.
    """
    if not config.tracing.endpoint:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as e:
        raise TracingMissing(f"found no package {e.name}, want it installed") from e
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    exporter = OTLPSpanExporter(endpoint=config.tracing.endpoint)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        with traced_by(provider):
            yield
    finally:
        provider.shutdown()
