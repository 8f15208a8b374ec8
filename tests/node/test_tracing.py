import sys
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from anchoring.memory import MemoryAnchor
from node.config_tables import TracingConfig
from node.daemon import AnchorJob
from node.node import Node
from node.tracing import TracingMissing, span, traced_by, tracing
from tests.support.nodes import client_of, plan


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made


def _named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [one for one in exporter.get_finished_spans() if one.name == name]


async def test_a_request_is_a_trace_with_its_steps(
    node: Node,
    credential: dict[str, Any],
    provider: TracerProvider,
    exporter: InMemorySpanExporter,
) -> None:
    with traced_by(provider):
        async with client_of(node) as client:
            response = await client.post("/credentials/verify", json=credential)
            assert response.status == 200
            await client.get("/readyz")
    first, second = _named(exporter, "request")
    assert dict(first.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/credentials/verify",
        "http.response.status_code": 200,
    }
    (gather,), (judge,) = _named(exporter, "gather"), _named(exporter, "judge")
    assert first.context is not None
    for step in (gather, judge):
        assert step.parent is not None
        assert step.parent.span_id == first.context.span_id
    stores = _named(exporter, "store")
    kinds = {
        (s.context.trace_id, (s.attributes or {})["kind"]) for s in stores if s.context
    }
    assert second.context is not None
    assert (first.context.trace_id, "look-up") in kinds
    assert (second.context.trace_id, "read") in kinds


async def test_a_step_towards_an_anchor_is_traced(
    node: Node, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    with traced_by(provider):
        await AnchorJob(node, MemoryAnchor()).tick()
    assert len(_named(exporter, "chain")) == 1


async def test_no_span_tells_of_a_credential(
    node: Node,
    credential: dict[str, Any],
    provider: TracerProvider,
    exporter: InMemorySpanExporter,
) -> None:
    with traced_by(provider):
        async with client_of(node) as client:
            await client.post("/credentials/verify", json=credential)
            await client.post("/credentials/verify", json={**credential, "id": 5})
            await client.get(f"/credentials/{credential['id']}/receipt")
            await client.get("/nobody/of/this/name")
    told = "".join(one.to_json() for one in exporter.get_finished_spans())
    assert credential["id"].removeprefix("urn:uuid:") not in told
    assert "nobody" not in told
    assert "127.0.0.1" not in told
    values = {
        value
        for one in exporter.get_finished_spans()
        for value in (one.attributes or {}).values()
    }
    assert values <= {
        "GET",
        "POST",
        "/credentials/verify",
        "/credentials/{id}/receipt",
        "unknown",
        "read",
        "write",
        "look-up",
        200,
        400,
        404,
        409,
    }


def test_nothing_is_traced_unless_it_is_configured() -> None:
    with tracing(plan()), span("request") as traced:
        assert traced is None


def test_a_collector_gets_the_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    class Exporter(InMemorySpanExporter):
        def __init__(self, endpoint: str) -> None:
            super().__init__()
            sent.append(endpoint)

        def export(self, spans: Any) -> Any:
            sent.extend(one.name for one in spans)
            return super().export(spans)

    monkeypatch.setattr(trace_exporter, "OTLPSpanExporter", Exporter)
    endpoint = "http://127.0.0.1:4318/v1/traces"
    config = replace(plan(), tracing=TracingConfig(endpoint))
    with tracing(config), span("request"):
        pass
    assert sent == [endpoint, "request"]


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    config = replace(plan(), tracing=TracingConfig("http://127.0.0.1:1"))
    with pytest.raises(TracingMissing, match="found no package"), tracing(config):
        raise AssertionError("it cannot be traced")
