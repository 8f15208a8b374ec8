"""Rows about the machine that a node stands on: its disk and its clock."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchoring.memory import MemoryAnchor
from node.fsck import check_node
from node.home import Home, StorageFailed
from node.logbook import ClockWentBack, LogCorrupt, close_batch
from tests.support.nodes import (
    HandClock,
    anchor,
    issue,
    make_home,
    meddle,
    opened,
    query,
)


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
