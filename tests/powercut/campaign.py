"""Power cuts, one after another: a node works, the power goes, the node starts again."""

import asyncio
import errno
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from node.home import Home
from tests.powercut.acknowledged import Acknowledged, torn_files
from tests.powercut.mount import cut_after, fail_after, mounted, power_on
from tests.support.components import ROOT

CUTS_PER_NODE: Final = 12
"""Then another disk, with another node: its log has grown long enough."""

LONGEST_LIFE: Final = 900
"""Changes of the disk, at most, between two cuts."""

_PATIENCE_SECONDS: Final = 60
_ENDLESS: Final = 1 << 30
_DEEDS: Final = 12
"""What a node does while one change of its disk fails."""

_DEEDS_AFTER: Final = 3
"""What the next process does, before the power is cut."""


@dataclass(frozen=True)
class Disadvantage:
    """What a control run does wrong, so that it must lose something."""

    forgets: tuple[str, ...] = ()
    """Of the disk; see `tests.powercut.file_system`."""

    is_careless: bool = False
    """The node's database does not wait for the disk."""


NONE: Final = Disadvantage()

CONTROLS: Final = {
    "files are not synced": Disadvantage(forgets=("files",)),
    "folders are not synced": Disadvantage(forgets=("folders",)),
    "the database does not wait": Disadvantage(is_careless=True),
}
"""Each has to lose something, or the campaign could not have seen a loss."""


@dataclass
class Findings:
    """What became of a campaign."""

    cuts: int = 0
    looks: int = 0
    """Starts after which everything was looked at. After the others, the power was cut
    again, sometimes while the node was still recovering."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    stopped: Counter[str] = field(default_factory=Counter)
    """What the node's process said when its disk was gone, by code."""

    seconds: float = 0


class Stage:
    """The processes, and the one pipe on which they say everything in order."""

    def __init__(self, nodes: "subprocess.Popen[bytes]", ends: tuple[int, int]) -> None:
        self._nodes = nodes
        self._read, self.out = ends
        self._rest = b""

    def start(self, **order: Any) -> None:
        """Let a node's process start."""
        self._send(json.dumps(order))

    def kill(self) -> Iterator[list[str]]:
        """Kill it; give all that it had said before."""
        self._send("kill")
        return self.until("killed")

    def until(self, *last: str) -> Iterator[list[str]]:
        """Give what is said, up to one of these words and with it."""
        words = [""]
        while words[0] not in last:
            line, found, rest = self._rest.partition(b"\n")
            if found:
                self._rest = rest
                words = json.loads(line)
                yield words
            else:
                self._rest += self._more()

    def _more(self) -> bytes:
        if not select.select([self._read], [], [], _PATIENCE_SECONDS)[0]:
            raise TimeoutError(f"nothing was said for {_PATIENCE_SECONDS} s")
        return os.read(self._read, 1 << 16)

    def _send(self, line: str) -> None:
        assert self._nodes.stdin is not None
        self._nodes.stdin.write(line.encode() + b"\n")
        self._nodes.stdin.flush()


@contextmanager
def staged() -> Iterator[Stage]:
    """Start what starts nodes."""
    ends = os.pipe()
    nodes = subprocess.Popen(
        [sys.executable, "-m", "tests.powercut.worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=ends[1],
    )
    try:
        yield Stage(nodes, ends)
    finally:
        nodes.communicate(timeout=_PATIENCE_SECONDS)
        for end in ends:
            os.close(end)


def run_cuts(
    stage: Stage,
    seed: int,
    cuts: int,
    disadvantage: Disadvantage = NONE,
    say: Callable[[str], None] = lambda _: None,
) -> Findings:
    """Cut the power so many times; leave a disk where something was lost.

    A control has shown what it is for with the first loss, and ends there.
    """
    found = Findings()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        while found.cuts < cuts and not (found.lost and disadvantage is not NONE):
            chance = Random(f"{seed} {found.cuts}")  # a string is the same in every process
            root = Path(folder) / f"disk-{found.cuts}"
            root.mkdir()
            wanted = min(cuts, found.cuts + CUTS_PER_NODE)
            with mounted(root, stage.out, disadvantage.forgets):
                list(stage.until("mounted"))
                _Round(stage, root, chance, disadvantage, found).run(wanted)
            found.seconds = time.perf_counter() - began
            say(f"{found.cuts} cuts, {found.seconds:.0f} s, {len(found.lost)} lost")
    return found


def run_faults(stage: Stage, seed: int, faults: int) -> Findings:
    """Let one change of the disk fail, in each of so many lives of a node."""
    found = Findings()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for start in range(0, faults, CUTS_PER_NODE):
            root = Path(folder) / f"disk-{start}"
            root.mkdir()
            with mounted(root, stage.out):
                list(stage.until("mounted"))
                chance = Random(f"{seed} {start}")
                _Round(stage, root, chance, NONE, found).run_faults(
                    min(CUTS_PER_NODE, faults - start)
                )
    found.seconds = time.perf_counter() - began
    return found


@dataclass
class _Round:
    """One disk, one node, and all that the node acknowledges."""

    stage: Stage
    disk: Path
    chance: Random
    disadvantage: Disadvantage
    found: Findings
    acknowledged: Acknowledged = field(default_factory=Acknowledged)

    def run(self, wanted: int) -> None:
        home = Home(self.disk / "node")
        lost: list[str] = []
        while not lost and self.found.cuts < wanted:
            self.live(home)
            if self.found.cuts == wanted or self.chance.random() < 0.7:
                self.found.looks += 1
                lost = torn_files(home) + asyncio.run(self.acknowledged.lost(home))
        self.found.acknowledged += self.acknowledged.count()
        self.found.lost += [f"after cut {self.found.cuts}: {each}" for each in lost]

    def run_faults(self, faults: int) -> None:
        home = Home(self.disk / "node")
        for number in range(faults):
            chosen = self.chance.choice((errno.EIO, errno.ENOSPC))
            fail_after(self.disk, self.chance.randrange(250), chosen)
            self.found.stopped[self.spend(home, _DEEDS, is_abrupt=number % 2 == 0)] += 1
            fail_after(self.disk, _ENDLESS, 0)
            # What the next process acknowledges must not rest on what the fault has taken.
            self.spend(home, _DEEDS_AFTER)
            power_on(self.disk, self.chance.getrandbits(32))
            self.found.looks += 1
            lost = torn_files(home) + asyncio.run(self.acknowledged.lost(home))
            self.found.lost += [f"after fault {number}: {each}" for each in lost]
        self.found.acknowledged += self.acknowledged.count()

    def spend(self, home: Home, deeds: int, *, is_abrupt: bool = False) -> str:
        """Let the node do so much, or less where its disk fails; return how it ended."""
        self.stage.start(
            root=str(home.root),
            seed=self.chance.getrandbits(32),
            deeds=deeds,
            is_careless=False,
            is_abrupt=is_abrupt,
        )
        said = [*self.stage.until("stopped"), *self.stage.kill()]
        for words in said:
            self.acknowledged.note(words)
        return next(words[1] for words in said if words[0] == "stopped")

    def live(self, home: Home) -> None:
        """Let the node run until its disk has no power; kill it; give the power back."""
        # Often early: creation and recovery are a small part of a long life.
        cut_after(self.disk, self.chance.randrange(self.chance.choice((150, LONGEST_LIFE))))
        self.stage.start(
            root=str(home.root),
            seed=self.chance.getrandbits(32),
            deeds=_ENDLESS,
            is_careless=self.disadvantage.is_careless,
            is_abrupt=False,
        )
        said = [*self.stage.until("cut", "stopped")]
        if said[-1] == ["cut"] and self.chance.random() < 0.3:
            said += self.stage.until("stopped")  # it may say how it takes it
        said += self.stage.kill()
        self.found.cuts += ["cut"] in said
        for words in said:
            self.acknowledged.note(words)
            if words[0] == "stopped":
                self.found.stopped[words[1]] += 1
                if ["cut"] not in said:
                    self.acknowledged.contradictions.append(f"stopped by itself: {words}")
        with suppress(OSError):  # what is half-written names no size
            self.acknowledged.look(home)
        power_on(self.disk, self.chance.getrandbits(32))
