"""Rows about the machine that a node stands on: its disk and its clock."""

import asyncio
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from anchoring.memory import MemoryAnchor
from cli.output import Exit
from node.access import create_token
from node.config_tables import ServeConfig
from node.daemon import serving as serve_here
from node.disk import StorageFailed
from node.fsck import check_node
from node.home import Home
from node.logbook import ClockWentBack, LogCorrupt, close_batch
from node.permissions import Role
from node.storage.ledger import find_credential
from primitives.canonical_json import JsonObject
from tests.node.test_workers import children, comes_true, is_gone, serving
from tests.powercut.mount import fail_after, mounted
from tests.support.components import require
from tests.support.credentials_support import unsigned
from tests.support.nodes import (
    HandClock,
    anchor,
    issue,
    make_home,
    make_home_here,
    meddle,
    opened,
    query,
)

OWN = "did:web:localhost%3A8460"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "node")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small file system of its own; it ends with the test."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a file system needs root on Linux: run this test as root")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk that can be told to fail; it ends with the test."""
    if os.geteuid() != 0 or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("mounting a disk that fails needs root and /dev/fuse: run as root")
    require("fuse")
    place = tmp_path / "disk"
    place.mkdir()
    ends = os.pipe()
    with mounted(place, ends[1]):
        assert os.read(ends[0], 100) == b'["mounted"]\n'
        yield place
    for end in ends:
        os.close(end)


async def test_o02_a_node_whose_disk_fails_ends_and_has_what_it_acknowledged(
    failing_disk: Path,
) -> None:
    """Whichever of its processes has met it: here the one that is no daemon."""
    home = await make_home_here(failing_disk / "node", serve=ServeConfig(workers=2))
    async with opened(home) as node:
        _, secret = await create_token(node, "registrar", [Role.SIGNER])
    uuids = [str(uuid4()) for _ in range(2)]
    documents = [
        unsigned(id=f"urn:uuid:{uuid}", issuer=OWN, credentialStatus=...) for uuid in uuids
    ]
    with serving(home) as (process, url):
        (worker,) = children(process)
        process.send_signal(signal.SIGSTOP)  # so that the other one answers
        assert await _issued(url, secret, documents[0]) == (201, "")
        fail_after(failing_disk, 1, errno.EIO)
        assert await _issued(url, secret, documents[1]) == (503, "storage-io-error")
        assert comes_true(lambda: is_gone(worker))
        process.send_signal(signal.SIGCONT)
        _, err = await asyncio.to_thread(process.communicate, timeout=30)
        assert process.returncode == Exit.DISK_FAILED
        said = "patunay: error: a worker could not write to the disk (storage-io-error)"
        assert said in err
        assert "patunay: hint: look at the disk and the system's log" in err
    async with opened(home) as node:
        async with serve_here(node, 0):
            pass
        report = await check_node(node, MemoryAnchor(), lambda *_: None)
        async with node.reading() as c:
            kept = await find_credential(c, uuids[0])
    assert report.problems == []
    assert kept is not None
    assert kept.document is not None


async def _issued(url: str, secret: str, document: JsonObject) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{url}/credentials/issue",
            json={"credential": document},
            headers={"Authorization": f"Bearer {secret}"},
        ) as answer,
    ):
        return answer.status, (await answer.json()).get("code", "")


def test_o03_nobody_holds_a_node_on_a_disk_that_cannot_be_written(
    home: Home, small_disk: Path
) -> None:
    moved = Home(small_disk / "node")
    shutil.copytree(home.root, moved.root)
    with moved.hold():
        pass
    moved.lock_file.unlink(missing_ok=True)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageFailed, match="Read-only file system"), moved.hold():
        pass


async def test_o06_one_bit_of_a_stored_leaf_stops_the_log_and_fsck_names_it(
    home: Home,
) -> None:
    chain = MemoryAnchor()
    async with opened(home) as node:
        await issue(node, 4)
        await anchor(node, chain)
        await issue(node, 5)
    sql = "SELECT seq, digest FROM entries WHERE leaf_index = 3"
    ((seq, digest),) = query(home, sql)
    flipped = bytes([digest[0] ^ 1]) + digest[1:]
    meddle(home, "UPDATE entries SET digest = ? WHERE seq = ?", flipped, seq)
    async with opened(home) as node:
        with pytest.raises(LogCorrupt) as caught:
            await close_batch(node)
        assert caught.value.code == "storage-corrupt"
        problems = (await check_node(node, chain, lambda *_: None)).problems
    assert any(p.where.startswith("leaf 3") for p in problems)
    meddle(home, "UPDATE entries SET digest = ? WHERE seq = ?", digest, seq)
    async with opened(home) as node:
        assert await close_batch(node) is not None


async def test_t02_no_checkpoint_is_signed_before_the_time_of_the_last_one(
    home: Home,
) -> None:
    clock = HandClock()
    async with opened(home, clock) as node:
        await issue(node, 2)
        first = await close_batch(node)
        assert first is not None
        await issue(node, 3)
        clock.step(-1)
        with pytest.raises(ClockWentBack) as caught:
            await close_batch(node)
        assert caught.value.code == "time-went-backwards"
        assert first.created_at in str(caught.value)
        clock.step(1)
        second = await close_batch(node)
        assert second is not None
        assert second.tree_size > first.tree_size
