"""A node whose disk fills up says so, loses nothing, and goes on with more space."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from cli.files import DiskFull
from node.disk import StorageFailed
from node.home import Home
from node.node import Node
from primitives.clock import SystemClock
from tests.powercut.acknowledged import Acknowledged
from tests.powercut.worker import Life
from tests.support.nodes import PASSPHRASE, make_home_here


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    place.mkdir()
    _mount(place, "-t", "tmpfs", "-o", "size=1536k", "tmpfs")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _mount(place: Path, *options: str) -> None:
    done = subprocess.run(["mount", *options, str(place)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("mounting a small disk needs root: run as root")


async def work(home: Home, known: Acknowledged, seed: int, deeds: int) -> list[str]:
    """Do so many things, or fewer if ten of them fail; return what is said of those."""
    said: list[str] = []
    async with Node.open(home, SystemClock(), PASSPHRASE) as node:
        life = Life(node, Random(seed), lambda *words: known.note(list(words)))
        for _ in range(deeds):
            try:
                await life.chance.choice(life.deeds())()
            except (StorageFailed, DiskFull) as e:
                said.append(f"{e.code}: {e}")
            if len(said) == 10:
                break
    return said


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_node_on_a_full_disk_says_so_and_goes_on_with_more_space(
    tmp_path: Path, seed: int
) -> None:
    known = Acknowledged(created=True)
    await make_home_here(tmp_path / "node")
    with small_disk(tmp_path / "disk") as disk:
        home = Home(disk / "node")
        shutil.copytree(tmp_path / "node", home.root)
        said = await work(home, known, seed, 2_000)
        assert len(said) == 10
        # By SQLite, or by the operating system about a file.
        words = ("disk is full", "No space left", "no space left", "disk I/O")
        assert [each for each in said if not any(word in each for word in words)] == []
        assert known.count()["credentials"] > 5
        _mount(disk, "-o", "remount,size=64m", "tmpfs")
        assert await known.lost(home) == []
        assert await work(home, known, seed + 10, 40) == []
        assert await known.lost(home) == []
