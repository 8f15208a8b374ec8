import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from anchoring.memory import MemoryAnchor
from node.anchor_request import ANCHOR_NOW
from node.anchor_state import anchor_state
from node.config_tables import BatchConfig
from node.daemon import AnchorJob, serving
from node.failpoints import ALL_FAILPOINTS, failpoint
from node.home import Home
from node.listening import PortBusy
from node.node import Node
from node.storage import ledger
from tests.support.components import ROOT
from tests.support.nodes import HandClock, free_port, issue, opened, query


def start(home: Home, port: int = 0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.worker", "serve", str(home.root), str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(home: Home, port: int = 0) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """Give the daemon's process and URL; end that very process afterwards."""
    process = start(home, port)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _anchored(home: Home, seconds: float = 20) -> list[tuple[str, str]]:
    """Wait until the last checkpoint is anchored; return references and states."""
    end = time.monotonic() + seconds
    rows: list[tuple[str, str]] = []
    while time.monotonic() < end:
        rows = query(home, "SELECT reference, state FROM transactions ORDER BY nonce")
        if rows and all(state == "final" for _, state in rows):
            return rows
        time.sleep(0.1)
    raise AssertionError(f"not anchored: {rows}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_cleanly_and_soon(home: Home, number: int) -> None:
    with running(home) as (process, url):
        assert url.startswith("http://localhost:")
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")
        assert time.monotonic() - began < 2
    assert not home.is_held()


def test_a_second_daemon_on_the_directory_is_told(home: Home) -> None:
    with running(home):
        second = start(home)
        out, err = second.communicate(timeout=20)
        assert second.returncode == 4
        assert out == f"storage-locked: another process holds {home.root}\n"
        assert err == ""


def test_a_busy_port_is_told(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(home, taken.getsockname()[1])
        out, _ = process.communicate(timeout=20)
        assert process.returncode == 4
        assert out.startswith("port-busy: cannot listen on 127.0.0.1:")
    assert not home.is_held()


async def test_a_port_that_is_not_ours_to_take_has_a_name(node: Node) -> None:
    port = free_port()
    async with serving(node, port):
        with pytest.raises(PortBusy) as caught:
            async with serving(node, port):
                pass
    assert caught.value.code == "port-busy"


async def test_a_restart_on_the_dev_chain_anchors_the_checkpoint_again(
    home: Home,
) -> None:
    async with opened(home) as node:
        await issue(node, 5)
        async with node.writing() as c:
            await ledger.save_request(c, ANCHOR_NOW, node.now())
    with running(home) as (process, _):
        before = await asyncio.to_thread(_anchored, home)
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.communicate)
    with running(home):
        end = time.monotonic() + 20
        told: set[str] = set()
        while time.monotonic() < end and not {"sent", "final"} <= told:
            told |= {row[0] for row in query(home, "SELECT state FROM transactions")}
            await asyncio.sleep(0.002)
        after = await asyncio.to_thread(_anchored, home)
    # The empty chain was noticed, and got the very same transaction.
    assert after == before
    assert len(query(home, "SELECT * FROM checkpoints")) == 1


# The job in the background


async def run_until_quiet(job: AnchorJob) -> None:
    while await job.tick():
        pass


def plan_batches(node: Node, **changes: int) -> None:
    node.config = replace(node.config, batch=replace(BatchConfig(), **changes))


async def test_a_batch_is_closed_when_it_is_old_enough(
    node: Node, clock: HandClock
) -> None:
    job = AnchorJob(node, MemoryAnchor())
    plan_batches(node, period_seconds=60)
    await issue(node, 3)
    await run_until_quiet(job)
    assert (await anchor_state(node)).checkpoint is None
    clock.advance(61)
    await run_until_quiet(job)
    state = await anchor_state(node)
    assert state.settled
    assert state.checkpoint is not None
    assert state.checkpoint.tree_size == 5


async def test_a_batch_is_closed_when_it_is_full(node: Node) -> None:
    job = AnchorJob(node, MemoryAnchor())
    plan_batches(node, max_entries=4)
    await issue(node, 1)
    await run_until_quiet(job)
    assert (await anchor_state(node)).checkpoint is None
    await issue(node, 2)
    await run_until_quiet(job)
    assert (await anchor_state(node)).settled


async def test_a_batch_is_closed_when_somebody_asks(node: Node) -> None:
    job = AnchorJob(node, MemoryAnchor())
    await issue(node, 1)
    async with node.writing() as c:
        await ledger.save_request(c, ANCHOR_NOW, node.now())
    await run_until_quiet(job)
    assert (await anchor_state(node)).settled
    async with node.reading() as c:
        assert not await ledger.has_request(c, ANCHOR_NOW)


async def test_leaves_without_a_checkpoint_are_not_left_waiting(node: Node) -> None:
    """As after a crash between the two: nothing waits in the queue, and nobody asks."""
    await issue(node, 3)
    async with node.writing() as c:
        await ledger.assign_leaves(c)
    await run_until_quiet(AnchorJob(node, MemoryAnchor()))
    state = await anchor_state(node)
    assert state.checkpoint is not None
    assert state.checkpoint.tree_size == 5
    assert state.settled


async def test_a_chain_out_of_reach_is_tried_again_and_the_job_lives(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    chain = MemoryAnchor()
    chain.unreachable = True
    node.config = replace(
        node.config,
        chain=replace(node.config.chain, poll_seconds=1),
        batch=BatchConfig(1, 1),
    )
    await issue(node, 1)
    running_job = asyncio.create_task(AnchorJob(node, chain).run())
    async with asyncio.timeout(10):
        # Polled: neither the log nor the database tells when it changes.
        while "anchor-unreachable" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        chain.unreachable = False
        while not ((s := await anchor_state(node)).settled and s.checkpoint):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    running_job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running_job


# Failpoints


def test_a_failpoint_does_nothing_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "sent", "sent:wait", "other:kill"):
        monkeypatch.setenv("PATUNAY_FAILPOINT", value)
        failpoint("sent")
    with pytest.raises(ValueError, match="nowhere is not a failpoint"):
        failpoint("nowhere")


def test_every_failpoint_is_somewhere_in_the_code() -> None:
    code = "".join(f.read_text() for f in (ROOT / "node").rglob("*.py"))
    for name in ALL_FAILPOINTS:
        assert code.count(f'failpoint("{name}")') == 1


def test_a_failpoint_ends_the_process_like_kill_9() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from node.failpoints import failpoint; failpoint('sent')"],
        env={**os.environ, "PATUNAY_FAILPOINT": "sent:kill"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
