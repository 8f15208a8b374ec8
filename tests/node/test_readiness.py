import os
from typing import Any

import pytest

from node import readiness
from node.home import Home
from node.leading import leading
from node.node import Node
from node.readiness import NotReady, require_ready
from tests.support.nodes import Client, HandClock, client_of, opened


def _failing(checks: list[dict[str, Any]]) -> list[str]:
    return [check["name"] for check in checks if not check["ok"]]


async def test_a_node_that_can_work_is_ready(client: Client, node: Node) -> None:
    async with leading(node):
        response = await client.get("/readyz")
        body = await response.json()
    assert (response.status, body["status"]) == (200, "ready")
    assert [c["name"] for c in body["checks"]] == ["keys", "database", "disk", "lease"]
    assert _failing(body["checks"]) == []


async def test_that_nobody_anchors_is_said_and_is_no_reason(client: Client) -> None:
    response = await client.get("/readyz")
    assert response.status == 200
    assert _failing((await response.json())["checks"]) == ["lease"]


async def test_a_sealed_node_is_not_ready(home: Home, clock: HandClock) -> None:
    async with opened(home, clock, sealed=True) as node, client_of(node) as client:
        response = await client.get("/readyz")
        told = await response.json()
        assert response.status == told["status"] == 503
        assert told["code"] == "not-ready"
        assert told["detail"] == "keys: sealed: run `patunay unseal`"
        assert _failing(told["checks"]) == ["keys", "lease"]
        assert response.headers["Retry-After"] == "30"
        assert (await client.get("/healthz")).status == 200


async def test_a_node_without_its_database_is_not_ready(node: Node, home: Home) -> None:
    await node.engine.dispose()
    (home.root / node.config.database_file).write_bytes(b"no database at all" * 100)
    with pytest.raises(NotReady, match=r"^database: storage-failed: "):
        await require_ready(node)


async def test_a_node_on_a_full_disk_is_not_ready(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "FREE_BYTES", 1 << 60)
    with pytest.raises(NotReady, match=r"^disk: found \d+ MiB free, want 1099511627776$"):
        await require_ready(node)


async def test_a_node_on_a_read_only_disk_is_not_ready(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = os.statvfs(node.home.root)
    locked = os.statvfs_result((*found[:8], found.f_flag | os.ST_RDONLY, found[9]))
    monkeypatch.setattr(os, "statvfs", lambda _: locked)
    with pytest.raises(NotReady, match=r"^disk: read-only$"):
        await require_ready(node)
