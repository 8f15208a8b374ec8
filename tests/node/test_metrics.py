import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from anchoring.memory import MemoryAnchor
from node.anchor_request import ANCHOR_NOW
from node.chain_watch import ChainWatch
from node.daemon import AnchorJob
from node.home import Home
from node.loop_watch import ALLOWED_SECONDS, WINDOW_SECONDS, LoopWatch
from node.metrics import Metrics
from node.metrics_server import (
    MetricsTokenUnusable,
    metrics_app,
    read_metrics_token,
    serving_metrics,
)
from node.node import Node
from node.present_state import present_state
from node.shared_metrics import MULTIPROCESS_FOLDER
from node.storage import ledger
from primitives.errors import Undetermined
from primitives.strict_json import parse_json_object
from tests.support.components import ROOT
from tests.support.nodes import LEARNERS_FILE, Client, HandClock, anchor, client_of, issue

NAMES = [row.split(",")[1] for row in LEARNERS_FILE.read_text("utf-8").splitlines()[1:3]]
TOKEN = "a token that only tests use"


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Return each sample's value by its name and its labels' values in order."""
    return {
        (
            sample.name,
            *(sample.labels[name] for name in sorted(sample.labels)),
        ): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def counted(metrics: Metrics) -> dict[tuple[str, ...], float]:
    return samples(metrics.exposition({}))


async def test_counts_requests_by_route_and_refusals_by_code(
    node: Node, credential: dict[str, Any]
) -> None:
    metrics = Metrics()
    async with client_of(node, metrics=metrics) as client:
        await client.post("/credentials/verify", json=credential)
        await client.post("/credentials/verify", json=[])
        await client.get("/status/main/no-such-list")
        await client.get("/nowhere/a-name-of-a-person")
        await client.request("PROPFIND", "/credentials/verify")
    found = counted(metrics)
    route = "/credentials/verify"
    name = "patunay_http_requests_total"
    assert found[name, "POST", route, "200"] == 1
    assert found[name, "POST", route, "400"] == 1
    assert found[name, "GET", "/status/{slug}/{name}", "404"] == 1
    assert found[name, "GET", "unknown", "404"] == 1
    assert found[name, "unknown", "unknown", "405"] == 1
    assert found["patunay_refusals_total", "json-not-object"] == 1
    assert found["patunay_verifications_total", "valid"] == 1
    assert found["patunay_verify_seconds_count",] == 1
    assert found["patunay_http_request_seconds_count", route] == 2
    assert found["patunay_http_requests_in_flight",] == 0


async def test_no_metric_names_a_person_or_a_credential(
    node: Node, credential: dict[str, Any]
) -> None:
    metrics = Metrics()
    async with client_of(node, metrics=metrics) as client:
        await client.post("/credentials/verify", json=credential)
        await client.get(f"/credentials/{credential['id']}/receipt")
    text = metrics.exposition(await present_state(node)).decode()
    assert credential["id"].removeprefix("urn:uuid:") not in text
    assert all(name not in text for name in NAMES)
    assert str(node.home.root) not in text


async def test_tells_where_queue_and_anchors_stand(node: Node, clock: HandClock) -> None:
    await issue(node, 3)
    clock.advance(90)
    before = {name: value for name, (_, value) in (await present_state(node)).items()}
    assert before["patunay_queue_entries"] == 5  # with status list and DID document
    assert before["patunay_queue_age_seconds"] == 90
    assert before["patunay_checkpoint_leaves"] == 0
    await anchor(node, MemoryAnchor())
    after = {name: value for name, (_, value) in (await present_state(node)).items()}
    assert after["patunay_queue_entries"] == after["patunay_chain_lag_seconds"] == 0
    assert after["patunay_checkpoint_leaves"] == after["patunay_log_leaves"] > 3
    assert after["patunay_sealed"] == after["patunay_anchor_trouble"] == 0


async def test_times_each_step_towards_an_anchor_and_the_anchor_once(node: Node) -> None:
    await issue(node, 1)
    metrics = Metrics()
    job = AnchorJob(node, MemoryAnchor(), metrics)
    async with node.writing() as c:
        await ledger.save_request(c, ANCHOR_NOW, node.now())
    for _ in range(6):
        await job.tick()
    found = counted(metrics)
    assert found["patunay_anchor_step_seconds_count",] >= 2
    assert found["patunay_anchor_seconds_count",] == 1


class _Fees:
    maximum = 7


class _Paying(MemoryAnchor):
    down = False

    async def balance(self) -> int:
        if self.down:
            raise Undetermined("no answer")
        return 10**18

    async def estimate(self) -> tuple[int, _Fees]:
        return 23_151, _Fees()


async def test_shows_balance_and_fee_as_the_chain_last_told_them() -> None:
    metrics, backend = Metrics(), _Paying()
    watch = ChainWatch(backend, metrics)
    await watch.look(backend)
    backend.down = True
    await watch.look(backend)
    found = counted(metrics)
    assert found["patunay_chain_balance_wei",] == 10**18
    assert found["patunay_chain_fee_wei",] == 7


async def test_a_backend_that_costs_nothing_is_not_looked_at() -> None:
    metrics = Metrics()
    await ChainWatch(MemoryAnchor(), metrics).run()
    assert counted(metrics)["patunay_chain_balance_wei",] == 0


def test_a_blocked_loop_is_told_and_forgotten_after_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    caplog.set_level("INFO")
    watch = LoopWatch(metrics)
    watch.record(1.0, 0.01)
    assert caplog.text == ""
    watch.record(2.0, ALLOWED_SECONDS + 0.05)
    watch.record(3.0, 0.02)
    assert "the event loop was blocked for 150 ms" in caplog.text
    assert counted(metrics)["patunay_event_loop_lag_max_seconds",] == 0.15000000000000002
    watch.record(2.5 + WINDOW_SECONDS, 0.001)
    assert counted(metrics)["patunay_event_loop_lag_max_seconds",] == 0.02


async def test_the_loop_is_watched_while_the_application_runs(node: Node) -> None:
    metrics = Metrics()
    async with client_of(node, metrics=metrics) as client:
        await client.get("/healthz")
        assert counted(metrics)["patunay_workers",] == 1
    assert counted(metrics)["patunay_workers",] == 0


# The port of its own


async def _asking(node: Node, token: str | None) -> Client:
    client = TestClient(TestServer(metrics_app(node, Metrics(), token)))
    await client.start_server()
    return client


async def test_metrics_are_given_to_the_bearer_alone(node: Node) -> None:
    client = await _asking(node, TOKEN)
    for headers in ({}, {"Authorization": "Bearer another"}, {"Authorization": TOKEN}):
        response = await client.get("/metrics", headers=headers)
        assert response.status == 401
        assert b"patunay" not in await response.read()
    response = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status == 200
    assert ("patunay_queue_entries",) in samples(await response.read())
    await client.close()


async def test_without_a_token_only_this_machine_is_answered(node: Node) -> None:
    client = await _asking(node, None)
    assert (await client.get("/metrics")).status == 200
    response = await client.get("/metrics", headers={"Host": "evil.example"})
    assert response.status == 421
    await client.close()


async def test_counters_are_told_while_the_database_is_gone(node: Node, home: Home) -> None:
    client = await _asking(node, None)
    await node.engine.dispose()
    (home.root / node.config.database_file).write_bytes(b"no database at all" * 100)
    response = await client.get("/metrics")
    found = samples(await response.read())
    assert response.status == 200
    assert ("patunay_queue_entries",) not in found
    assert ("patunay_workers",) in found
    await client.close()


async def test_metrics_are_off_unless_asked_for(node: Node) -> None:
    async with serving_metrics(node, Metrics()) as port:
        assert port is None


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (b"short", 0o600, "found 5 characters, want at least 16"),
        (TOKEN.encode(), 0o604, "can be read by everybody"),
        (b"\xff" * 20, 0o600, "cannot read"),
        (None, 0, "cannot read"),
    ],
)
def test_refuses_a_token_file(
    tmp_path: Path, content: bytes | None, mode: int, message: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    with pytest.raises(MetricsTokenUnusable, match=message):
        read_metrics_token(file)


def test_reads_a_token_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    assert read_metrics_token(file) == TOKEN


# Several processes

_PROCESS = """
from node.metrics import Metrics
metrics = Metrics()
metrics.workers.inc()
metrics.verifications.labels("valid").inc(int(__import__("sys").argv[1]))
metrics.loop_lag_max_seconds.set(float(__import__("sys").argv[1]))
print(metrics.exposition({}).decode(), flush=True)
input()
"""


def test_several_processes_are_added_up(tmp_path: Path) -> None:
    environment = {**os.environ, MULTIPROCESS_FOLDER: str(tmp_path)}
    processes = []
    last = b""
    for number in ("3", "4"):
        process = subprocess.Popen(
            [sys.executable, "-c", _PROCESS, number],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        processes.append(process)
        assert process.stdout is not None
        lines = []
        while (line := process.stdout.readline()).strip():
            lines.append(line)
        last = b"".join(lines)
    for process in processes:
        process.communicate(b"\n", timeout=30)
    found = samples(last)
    assert found["patunay_workers",] == 2
    assert found["patunay_verifications_total", "valid"] == 7
    assert found["patunay_event_loop_lag_max_seconds",] == 4


async def test_operating_md_lists_every_metric(node: Node) -> None:
    text = Metrics().exposition(await present_state(node)).decode()
    there = set(re.findall(r"^# TYPE (\w+) (?!gauge\n\1_created)", text, re.MULTILINE))
    there = {name for name in there if not name.endswith("_created")}
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(patunay_\w+)`", page, re.MULTILINE))
    assert listed == there


async def test_the_dashboard_asks_for_metrics_that_there_are(node: Node) -> None:
    text = Metrics().exposition(await present_state(node)).decode()
    samples_of = re.compile(r"^# TYPE (\w+) (\w+)", re.MULTILINE)
    there = set()
    for name, kind in samples_of.findall(text):
        there |= (
            {f"{name}_{part}" for part in ("bucket", "sum", "count")}
            if (kind == "histogram")
            else {name}
        )
    raw = (ROOT / "docker" / "grafana-dashboard.json").read_bytes()
    board = parse_json_object(raw, max_bytes=1 << 20)
    asked: set[str] = set()
    for panel in cast("list[dict[str, Any]]", board["panels"]):
        for target in panel["targets"]:
            assert target["expr"].count("(") == target["expr"].count(")")
            asked |= set(re.findall(r"\bpatunay_\w+", target["expr"]))
    assert asked - there == set()
    gauges = {name for name in there if not name.endswith(("_sum", "_count", "_created"))}
    assert gauges - asked == {"patunay_http_requests_total"} - asked
