import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.daemon import run_daemon
from node.disk import DiskFailed
from node.home import Home
from node.leading import TERM_SECONDS
from node.node import LEADING, Node
from node.readiness import NotReady, require_ready
from node.status import revoke
from node.storage.leases import find_lease
from primitives.clock import SystemClock
from tests.support.credentials_support import unsigned
from tests.support.nodes import PASSPHRASE, Client, issue, opened

ON_BOTH_STORES = ("test_a_daemon_whose_disk_fails_ends_and_lets_another_lead",)


def _io_error(_handle: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


async def test_once_the_disk_has_failed_nothing_more_is_written_to_it(
    node: Node,
    client: Client,
    headers: dict[str, str],
    credential: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", _io_error)
        with pytest.raises(DiskFailed, match="Input/output error: a") as caught:
            node.home.store(node.home.public / "a", b"1")
    assert caught.value.code == "storage-io-error"
    # The next sync would say yes: it is not asked.
    after = "nothing more is written after: Input/output error: a"
    attempts: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: issue(node, 2),
        lambda: revoke(node, credential["id"], "entered twice"),
        lambda: asyncio.to_thread(node.home.store, node.home.public / "b", b"2"),
    )
    for attempt in attempts:
        with pytest.raises(DiskFailed, match=after):
            await attempt()
    assert not (node.home.public / "b").exists()
    document = unsigned(issuer="did:web:localhost%3A8460", credentialStatus=...)
    body = {"credential": document}
    async with client.post("/credentials/issue", json=body, headers=headers) as answer:
        problem = await answer.json()
    assert (answer.status, problem["code"]) == (503, "storage-io-error")
    async with client.post("/credentials/verify", json=credential) as answer:
        assert answer.status == 200
    with pytest.raises(NotReady, match="disk: failed: the node ends"):
        await require_ready(node)


async def test_a_daemon_whose_disk_fails_ends_and_lets_another_lead(home: Home) -> None:
    ready = asyncio.Event()
    serving = asyncio.create_task(
        run_daemon(home, SystemClock(), PASSPHRASE, on_ready=lambda _: ready.set(), port=0)
    )
    await ready.wait()
    async with opened(home) as other:
        while True:
            async with other.reading() as c:
                lease = await find_lease(c, LEADING)
            if lease is not None:
                break
            await asyncio.sleep(0.05)
        assert not lease.is_over
        home.disk.fail(DiskFailed("Input/output error: status"))
        async with asyncio.timeout(TERM_SECONDS - 1):
            with pytest.raises(DiskFailed, match="Input/output error: status"):
                await serving
        async with other.reading() as c:
            lease = await find_lease(c, LEADING)
    assert lease is not None
    assert lease.is_over is (home.config().database.url != "")
    assert not home.is_held()
