"""One random history of a node, and what must be true at its end."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from anchoring.backend import AnchorBackend
from anchoring.entry import EntryKind, entry_of
from anchoring.receipt import verify_receipt
from node.anchor_request import ANCHOR_NOW
from node.anchor_state import AnchorState, anchor_state
from node.backends import open_backend
from node.daemon import AnchorJob
from node.failpoints import ALL_FAILPOINTS, STATUS_FAILPOINTS, Crashed
from node.fsck import check_node
from node.home import Home
from node.logbook import build_receipt
from node.node import Node
from node.storage import ledger
from primitives.errors import PatunayError
from tests.chaos.world import FINAL_DEPTH, World
from tests.support.components import ROOT
from tests.support.nodes import (
    HandClock,
    copy_home,
    document_of,
    environment,
    issue,
    opened,
    query,
)

STEPS = 20
"""In one story; 500 of them make 10,000."""

SETTLED_WITHIN = 3
"""Blocks after the faults stop; where a nonce was stolen, after that is final."""

_FAILPOINTS = sorted(ALL_FAILPOINTS - set(STATUS_FAILPOINTS))
_KILLED_TICKS = 4
_TICKS_AT_ONCE = 40
"""Far more than a node has to do without a new block."""


@dataclass
class Life:
    """A node that runs, until it crashes."""

    node: Node
    backend: AnchorBackend

    @classmethod
    @asynccontextmanager
    async def of(cls, home: Home) -> AsyncIterator["Life"]:
        async with opened(home, HandClock()) as node:
            backend = await open_backend(node)
            try:
                yield cls(node, backend)
            finally:
                await backend.close()

    async def tick(self) -> bool:
        """Do what the daemon does in one of its rounds, as it does after a start."""
        try:
            return await AnchorJob(self.node, self.backend).tick()
        except PatunayError:
            return False

    async def work(self) -> None:
        """Go on until there is nothing to do before another block."""
        for _ in range(_TICKS_AT_ONCE):
            if not await self.tick():
                return
        raise AssertionError("the node never comes to rest")

    async def issue(self, count: int) -> None:
        """Issue the first `count` learners of the file, and ask for an anchor."""
        await issue(self.node, count)
        async with self.node.writing() as c:
            await ledger.save_request(c, ANCHOR_NOW, self.node.now())


@dataclass
class Outcome:
    """What became of one story."""

    seed: int
    blocks: int = 0
    """Blocks from the end of the faults until every batch stood in the chain."""

    stolen: bool = False
    """Whether one of the node's nonces was in a stranger's hands by then."""

    batches: int = 0
    covered: int = 0
    """Batches whose anchor is that of the batch after them."""

    transactions: dict[str, int] = field(default_factory=dict)
    """By their state at the end."""

    crashes: int = 0
    kills: int = 0
    steps: list[str] = field(default_factory=list)


class Story:
    """Plays one seed in a world."""

    def __init__(self, world: World, seed: int, root: Path) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.home = copy_home(world.home, root / f"seed-{seed}")
        self.outcome = Outcome(seed)
        self.rows = 0
        self.began = 0
        self._stack = AsyncExitStack()
        self._life: Life | None = None

    async def play(self) -> Outcome:
        """Take every step, then require what has to be true.

        Raises:
            AssertionError: It is not.
        """
        self.began = await self.world.begin()
        try:
            await self._issue()
            for _ in range(STEPS):
                await self._step()
            await self._stop_faults()
            await self._settle()
            await _require_sound(await self._alive(), self.world, self.began)
            self._count()
        finally:
            await self._die()
            await self.world.end()
            shutil.rmtree(self.home.root)
        return self.outcome

    async def _alive(self) -> Life:
        """Return the node's present life; a new one after a crash."""
        if self._life is None:
            self._life = await self._stack.enter_async_context(Life.of(self.home))
        return self._life

    async def _die(self) -> None:
        await self._stack.aclose()
        self._life = None

    async def _step(self) -> None:
        steps: dict[Callable[[], Awaitable[None]], int] = {
            self._issue: 2,
            self._mine: 6,
            self._reorganise: 3,
            self._drop: 2,
            self._spike: 2,
            self._steal: 1,
            self._lose_answers: 2,
            self._fail: 2,
            self._crash: 4,
        }
        (step,) = self.chance.choices(list(steps), list(steps.values()))
        self.outcome.steps.append(step.__name__.strip("_"))
        await step()
        await (await self._alive()).work()

    async def _issue(self) -> None:
        self.rows += self.chance.randint(1, 3)
        await (await self._alive()).issue(self.rows)

    async def _mine(self) -> None:
        await self.world.mine(self.chance.randint(1, 4))

    async def _reorganise(self) -> None:
        await self.world.reorganise(self.chance.randint(1, 12))

    async def _drop(self) -> None:
        await self.world.drop(self.chance)

    async def _spike(self) -> None:
        # Now and then above what the node may offer.
        await self.world.ask_base_fee(self.chance.choice([5, 20, 90, 300]))
        await self.world.mine()

    async def _steal(self) -> None:
        await self.world.steal_nonce()
        if self.chance.random() < 0.5:
            await self.world.mine()

    async def _lose_answers(self) -> None:
        self.world.proxy.lost_answers += self.chance.randint(1, 3)

    async def _fail(self) -> None:
        if self.chance.random() < 0.5:
            self.world.proxy.refused += self.chance.randint(1, 8)
        else:
            self.world.proxy.failed += self.chance.randint(1, 8)

    async def _crash(self) -> None:
        """Die at a random failpoint, if the node comes by it; one in ten by kill -9."""
        name = self.chance.choice(_FAILPOINTS)
        if self.chance.random() < 0.1:
            await self._kill(name)
            return
        with environment(PATUNAY_FAILPOINT=f"{name}:raise"):
            try:
                await self._issue()
                life = await self._alive()
                await life.work()
                await self.world.mine()
                await life.work()
            except Crashed:
                self.outcome.crashes += 1
                await self._die()

    async def _kill(self, failpoint: str) -> None:
        await self._issue()
        await self._die()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.process"),
            *(str(self.home.root), str(_KILLED_TICKS)),
            cwd=ROOT,
            env={**os.environ, "PATUNAY_FAILPOINT": f"{failpoint}:kill"},
            stdout=subprocess.DEVNULL,
        )
        code = await process.wait()
        assert code in (0, -signal.SIGKILL)
        self.outcome.kills += code == -signal.SIGKILL

    async def _stop_faults(self) -> None:
        self.world.proxy.heal()
        # What a crash kept from being asked for: the operator runs the command again.
        await (await self._alive()).issue(self.rows)
        await self.world.ask_base_fee(1)
        await self.world.mine()

    async def _settle(self) -> None:
        """Mine until all stands in the chain, then until all is final."""
        allowed = SETTLED_WITHIN
        while True:
            life = await self._alive()
            await life.work()
            state = await anchor_state(life.node)
            if _stolen(self.home):
                self.outcome.stolen = True
                # Until nothing can give the nonce back, a second anchor could follow.
                allowed = SETTLED_WITHIN + FINAL_DEPTH
            if await _is_done(life.node, state):
                break
            assert self.outcome.blocks < allowed, _told(self.home, self.outcome)
            await self.world.ask_base_fee(1)
            await self.world.mine()
            self.outcome.blocks += 1
        await self.world.mine(FINAL_DEPTH)
        await life.work()

    def _count(self) -> None:
        (row,) = query(self.home, "SELECT count(*) FROM checkpoints")
        self.outcome.batches = row[0]
        self.outcome.covered = len(_without_event(self.home))
        rows = query(self.home, "SELECT state, count(*) FROM transactions GROUP BY state")
        self.outcome.transactions = dict(rows)


async def _is_done(node: Node, state: AnchorState) -> bool:
    async with node.reading() as c:
        waiting, _ = await ledger.queue_state(c)
        asked = await ledger.has_request(c, ANCHOR_NOW)
    return waiting == 0 and not asked and state.anchored and not state.waiting


def _stolen(home: Home) -> bool:
    return bool(query(home, "SELECT 1 FROM transactions WHERE state = 'taken'"))


def _told(home: Home, outcome: Outcome) -> str:
    rows = query(home, "SELECT tree_size, nonce, state, max_fee FROM transactions")
    return f"{outcome}: {rows} {query(home, 'SELECT * FROM anchor_troubles')}"


async def _require_sound(life: Life, world: World, began: int) -> None:
    """Each batch has one event, each credential a receipt that the chain confirms."""
    home = life.node.home
    events = await world.events(began)
    assert set(events.values()) == {1}, _story_of(home)
    live = query(
        home,
        "SELECT c.record_digest, t.state FROM checkpoints c JOIN transactions t"
        " USING (tree_size) WHERE t.state NOT IN ('replaced', 'lost')",
    )
    assert set(events) == {digest for digest, _ in live}, _story_of(home)
    assert {state for _, state in live} == {"final"}
    # A batch without an event of its own lost its nonce when a later one, which contains
    # it and names its record, stood in the chain already.
    ((largest,),) = query(home, "SELECT max(tree_size) FROM checkpoints")
    bare = _without_event(home)
    assert largest not in bare
    assert all(_lost(home, size) for size in bare), _story_of(home)
    issued = query(home, "SELECT uuid, signed_at FROM credentials")
    assert all(signed_at is not None for _, signed_at in issued)
    for uuid, _ in issued:
        receipt = await build_receipt(life.node, uuid)
        entry = entry_of(EntryKind.CREDENTIAL, await document_of(life.node, uuid))
        verify_receipt(receipt, entry, life.node.vkey)
        for there in receipt.anchors:
            await life.backend.check(there, receipt.digest)
    report = await check_node(life.node, life.backend, lambda *_: None)
    assert report.problems == []
    assert report.unknown == []


def _without_event(home: Home) -> list[int]:
    rows = query(
        home,
        "SELECT tree_size FROM checkpoints WHERE tree_size NOT IN"
        " (SELECT tree_size FROM transactions WHERE state = 'final')",
    )
    return [row[0] for row in rows]


def _lost(home: Home, tree_size: int) -> bool:
    states = query(home, "SELECT state FROM transactions WHERE tree_size = ?", tree_size)
    return ("lost",) in states


def _story_of(home: Home) -> str:
    return str(query(home, "SELECT tree_size, nonce, state, reference FROM transactions"))
