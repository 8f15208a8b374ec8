"""Durable batch issuing. What goes over HTTP is measured in `benchmarks.load`.

A batch is issued end to end: built from the registrar's rows and a template, stored as
drafts, signed, stored and queued, given its leaves, a checkpoint and every inclusion
proof. Then the same rows are written once more through the same functions of
`node.storage`, which tells what part of that was storage.

Others are issued one by one, as over HTTP, by so many callers at once. What part of the
processor's time goes by in the writer's turn bounds what a second process can add: one
writes at a time, whatever the database is.
"""

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey
from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from benchmarks.documents import SUITES, Batch, batches, many_learners
from benchmarks.figures import Figure
from credentials.template import CredentialTemplate
from did.keyfile import Argon2Cost
from node.batches import issue_rows
from node.config import Config
from node.home import Home
from node.issuance import issue_document
from node.logbook import close_batch
from node.node import MAIN, Node
from node.setup import create_node
from node.signing import CHUNK
from node.storage import ledger
from node.storage.batches import unsigned_drafts
from node.storage.ledger import Draft
from node.till import Till
from primitives.clock import SystemClock
from primitives.hashing import sha256

ISSUE_GOALS: Final = {"eddsa-jcs-2022": 0.14, "eddsa-rdfc-2022": 0.09}
"""Of S. The second is what a prototype reached; no goal was set for it."""

STORAGE_GOAL: Final = 0.2
"""Of the batch's time."""

CALLERS: Final = (1, 24)

_CHEAP = Argon2Cost(1, 8192)
"""Unlocking is not measured here."""


def service_rows(credentials: int = 2_000) -> list[Figure]:
    """Measure batches, now and in this process."""
    return asyncio.run(_measure(credentials))


async def _measure(credentials: int) -> list[Figure]:
    signing = _sign_rate()
    rows: list[Figure] = []
    for batch in batches(1):
        for suite in SUITES:
            async with _fresh_node() as node:
                seconds = await _issue(node, batch.template, credentials, suite)
                rate = credentials / seconds
                rows.append(
                    Figure(
                        f"{batch.title}: durable batch {suite}",
                        f"{rate:,.0f}/s",
                        f"S = {signing:,.0f}/s",
                        rate / signing,
                        "S",
                        ISSUE_GOALS[suite],
                    )
                )
                rows.append(await _storage(node, batch, suite, seconds))
    for callers in CALLERS:
        async with _fresh_node() as node:
            made = batches(min(credentials, 300))[0]
            rows += await _one_by_one(node, made, callers, signing)
    return rows


async def _one_by_one(
    node: Node, batch: Batch, callers: int, signing: float
) -> list[Figure]:
    unsigned = [
        {name: value for name, value in document.items() if name not in {"id", "issuer"}}
        for document in batch.documents
    ]
    await issue_document(node, unsigned[0], None)  # which begins the status list
    in_turn = 0.0

    @asynccontextmanager
    async def timed() -> AsyncIterator[AsyncConnection]:
        nonlocal in_turn
        async with node.writing() as c:
            start = time.process_time()
            yield c
        in_turn += time.process_time() - start

    async def caller() -> None:
        while unsigned:
            await issue_document(node, unsigned.pop(), None)

    node.till = Till(node, timed)
    start = time.process_time()
    await asyncio.gather(*(caller() for _ in range(callers)))
    seconds = time.process_time() - start
    title = f"{batch.title}: one by one, {callers} at once"
    rate = len(batch.documents) / seconds
    beside = f"S = {signing:,.0f}/s"
    return [
        Figure(title, f"{rate:,.0f}/s", beside, rate / signing, "S"),
        Figure(
            f"{title}, in turn",
            f"{in_turn:.2f} s",
            f"all of it {seconds:.2f} s",
            in_turn / seconds,
        ),
    ]


@asynccontextmanager
async def _fresh_node() -> AsyncIterator[Node]:
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "node")
        config = Config(
            domain="localhost:8461",
            public_url="http://localhost:8461",
            listen_port=0,
            allow_loopback_http=True,
        )
        await create_node(home, config, b"bench", clock, name="Bench", cost=_CHEAP)
        async with Node.open(home, clock, b"bench") as node:
            yield node


def _sign_rate(count: int = 2_000, rounds: int = 5) -> float:
    """Return PyNaCl's signatures a second over 64 bytes: the limit of all issuing."""
    key, message = SigningKey.generate(), bytes(64)
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(count):
            key.sign(message)
        best = min(best, time.process_time() - start)
    return count / best


async def _issue(
    node: Node, template: CredentialTemplate, credentials: int, suite: str
) -> float:
    """Return the CPU seconds of issuing a batch end to end."""
    file = many_learners(credentials)
    start = time.process_time()
    report = await issue_rows(node, template, file, MAIN, cryptosuite=suite)
    await close_batch(node)
    deque(node.tree.inclusion_proofs(), maxlen=0)
    seconds = time.process_time() - start
    if len(report.issued) != credentials:
        raise RuntimeError(f"issued {len(report.issued)}, want {credentials}")
    return seconds


async def _storage(node: Node, batch: Batch, suite: str, total: float) -> Figure:
    """Write what the batch has stored once more, in the same transactions."""
    async with node.reading() as c:
        stored = await ledger.all_documents(c, "", 1_000_000)
        draft = stored[0][1]
    drafts = [
        Draft(f"{n:036}", f"urn:bench:{n}", MAIN, suite, draft, "0" * 64, None, None)
        for n in range(len(stored))
    ]
    now = node.now()
    start = time.process_time()
    async with node.writing() as c:
        await ledger.save_drafts(c, drafts, now)
    for place in range(0, len(stored), CHUNK):
        async with node.writing() as c:
            waiting = await unsigned_drafts(c, CHUNK)
            chunk = stored[place : place + CHUNK]
            pairs = zip(waiting, chunk, strict=True)
            await ledger.save_signed(c, [(d.uuid, body) for d, (_, body) in pairs], now)
            digest = sha256(b"")
            queued = [(EntryKind.CREDENTIAL, digest, d.uuid) for d in waiting]
            await ledger.enqueue(c, queued, now)
    async with node.writing() as c:
        await ledger.assign_leaves(c)
    seconds = time.process_time() - start
    return Figure(
        f"{batch.title}: storage of it {suite}",
        f"{seconds:.2f} s",
        f"the batch {total:.2f} s",
        seconds / total,
        goal=STORAGE_GOAL,
        at_most=True,
    )
