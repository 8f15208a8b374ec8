"""One drill: what a restored copy does must fit what the lost node has published."""

import asyncio
import io
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from anchoring.backend import AnchorEvent, AnchorReceipt
from anchoring.memory import MemoryAnchor
from credentials.status_list import set_indexes
from node.backup import write_backup
from node.config_tables import DatabaseConfig
from node.home import Home
from node.logbook import close_batch, publish_log
from node.node import Node, RestoreBehindPublished
from node.published_log import LogPlace
from node.reconciling import Answers, Reconciliation, reconcile
from node.restoring import restore_backup
from node.sealed_stream import read_sealed
from node.status import revoke
from node.storage import ledger
from node.storage.statuses import find_list
from primitives.errors import Undetermined
from primitives.strict_json import parse_json_object
from tests.support.nodes import (
    CHEAP,
    PASSPHRASE,
    Client,
    HandClock,
    client_of,
    copy_home,
    issue,
    opened,
    query,
    settle,
)
from tests.support.postgres import drop

STEPS = 12
"""What the node does in its life, beside the backup."""


class _Gone(Undetermined):
    """The copy does not have it."""

    code = "fetch-not-found"


@dataclass
class Drill:
    """A node, its chain, and what it has done."""

    choice: random.Random
    node: Node
    clock: HandClock
    chain: MemoryAnchor = field(default_factory=MemoryAnchor)
    issued: list[str] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)
    rows: int = 0

    async def step(self) -> None:
        """Do something that a node does."""
        self.clock.advance(self.choice.randint(1, 600))
        act = self.choice.choice(["issue", "issue", "status", "anchor", "anchor"])
        if act == "issue":
            self.rows += self.choice.randint(1, 5)
            self.issued += (await issue(self.node, self.rows)).issued
        elif act == "anchor":
            await close_batch(self.node)
            await settle(self.node, self.chain)
        elif self.issued:
            await self._change(self.choice.choice(self.issued))

    async def _change(self, uuid: str) -> None:
        state = self.state.get(uuid, "issued")
        if state == "revoked":
            return
        await revoke(self.node, uuid, "a drill")
        self.state[uuid] = "revoked"


def events_of(chain: MemoryAnchor) -> tuple[AnchorEvent, ...]:
    """Return what stands in the chain, as an endpoint shows it."""
    found = []
    for number, block in enumerate(chain._blocks):
        for sent in block.transactions:
            where = AnchorReceipt(
                contract=chain.contract,
                transaction=sent.reference,
                block_number=number,
                block_hash="0x" + "0" * 64,
                log_index=0,
                timestamp=HandClock().moment,
            )
            found.append(AnchorEvent(where, chain.account, sent.digest))
    return tuple(found)


def place_of(client: Client, site: str) -> LogPlace:
    """Return a copy of everything that a node serves."""

    async def fetch(url: str, _most: int) -> bytes:
        async with client.get(url.removeprefix(site)) as response:
            if response.status != 200:
                raise _Gone(url)
            return await response.read()

    return LogPlace(fetch, site)


async def back_up(node: Node) -> bytes:
    """Return a backup."""
    file = io.BytesIO()
    await write_backup(node, file, PASSPHRASE, quiet, cost=CHEAP)
    return file.getvalue()


async def restore(
    raw: bytes, root: Path, clock: HandClock, database: DatabaseConfig | None = None
) -> Home:
    """Return the node of a backup."""
    home = Home(root)
    messages = read_sealed(io.BytesIO(raw), PASSPHRASE)
    place = database if database is not None else DatabaseConfig()
    await restore_backup(home, messages, clock, quiet, database=place)
    return home


def quiet(step: str, done: int, total: int) -> None:
    """Tell nobody."""
    del step, done, total


async def play(
    made: Home, folder: Path, seed: int, database: DatabaseConfig | None
) -> Reconciliation:
    """Back up at a random moment, under load, lose the node, restore, reconcile, go on.

    Returns what the reconciliation found.

    Args:
        made: A new node, in either store; it is copied.
        folder: For both.
        seed: Of what happens, and when.
        database: An empty one to restore into; None for an SQLite file.
    """
    choice = random.Random(seed)
    home, clock = copy_home(made, folder / "first"), HandClock()
    try:
        return await _play(home, clock, choice, folder / "second", database)
    finally:
        if home.config().database.url:
            drop(home.config().database.url)


async def _play(
    home: Home,
    clock: HandClock,
    choice: random.Random,
    place: Path,
    database: DatabaseConfig | None,
) -> Reconciliation:
    async with opened(home, clock) as node, client_of(node) as client:
        drill = Drill(choice, node, clock)
        when = choice.randint(0, STEPS - 1)
        raw = b""
        for n in range(STEPS):
            if n == when:
                # While the rows are read, the node goes on.
                raw, _ = await asyncio.gather(back_up(node), drill.step())
            else:
                await drill.step()
        await close_batch(node)
        async with node.log_lock:
            await publish_log(node)
        copy = await restore(raw, place, clock, database)
        async with opened(copy, clock) as again:
            await _refuses(again)
            log = place_of(client, node.config.base_url)
            head = await log.head(node.vkey)
            said = Answers(log, (head,), events=events_of(drill.chain))
            found = await reconcile(again, said, quiet)
            await _goes_on(again, drill, home, copy)
    return found


async def _refuses(node: Node) -> None:
    for signing in (issue(node, 3), close_batch(node)):
        with pytest.raises(RestoreBehindPublished) as caught:
            await signing
        assert caught.value.code == "restore-behind-published"


async def _goes_on(node: Node, drill: Drill, lost: Home, copy: Home) -> None:
    """New places, a longer log with the same beginning, no second anchor of anything."""
    asked = "SELECT leaf_index, kind, digest FROM entries WHERE leaf_index IS NOT NULL"
    before = dict_of(query(lost, asked))
    drill.clock.advance(60)
    fresh = (await issue(node, drill.rows + 4)).issued
    assert fresh
    places = "SELECT status_list, status_index FROM credentials"
    used = set(query(lost, places))
    new = [
        (row[0], row[1]) for row in query(copy, f"{places} WHERE uuid IN ({_texts(fresh)})")
    ]
    assert len(new) == len(fresh)
    assert not used & set(new)
    # At random they would hardly meet: the lists themselves are others.
    assert not {url for url, _ in used} & {url for url, _ in new}
    made = await close_batch(node)
    assert made is not None
    assert made.tree_size > len(before)
    after = dict_of(query(copy, asked))
    assert {index: after[index] for index in before} == before
    await settle(node, drill.chain)
    events = Counter(event.digest for event in events_of(drill.chain))
    assert max(events.values()) == 1
    nonces = [s.nonce for block in drill.chain._blocks for s in block.transactions]
    assert len(nonces) == len(set(nonces))
    await _change_old_lists(node, drill, copy)
    for uuid, state in drill.state.items():
        if state == "revoked":
            await _is_marked(node, lost, uuid)


async def _change_old_lists(node: Node, drill: Drill, copy: Home) -> None:
    """Let the lists of before get another version: made from what this copy knows."""
    for (uuid,) in query(copy, "SELECT uuid FROM credentials ORDER BY uuid"):
        if uuid in drill.issued and drill.state.get(uuid) != "revoked":
            await revoke(node, uuid, "after the restoration")
            return


async def _is_marked(node: Node, lost: Home, uuid: str) -> None:
    """What the lost node had taken back is still so, and stays so in the next version."""
    ((url, index),) = query(
        lost, "SELECT status_list, status_index FROM credentials WHERE uuid = ?", uuid
    )
    async with node.reading() as c:
        stored = await find_list(c, url)
        own = await ledger.find_credential(c, uuid)
    assert stored is not None
    assert index in set_indexes(parse_json_object(stored.document.encode(), 1 << 20))
    assert own is None or own.document is not None


def dict_of(rows: list[tuple[Any, ...]]) -> dict[int, tuple[int, bytes]]:
    """Return leaves by index."""
    return {row[0]: (row[1], bytes(row[2])) for row in rows}


def _texts(values: list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
