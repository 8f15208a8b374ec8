"""One process of a node leads: it closes batches, anchors and publishes. The others serve.

Where several processes share a database, they agree by a lease in it. Its holder prolongs
it every second; one that was killed loses it within `TERM_SECONDS`, and another goes on
from what is stored, as after a restart. A holder that merely slept finds its number
outdated the moment it writes (`Node.writing_as_leader`), and stops.

A node in SQLite is held by one process, through its lock file: that one leads at once, and
has nobody to prolong its term against.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from node.disk import StorageFailed
from node.node import LEADING, Node
from node.storage.database import is_shared
from node.storage.leases import LeaseLost, begin_term, find_lease, prolong
from primitives.errors import Misconfigured

logger = logging.getLogger(__name__)

TERM_SECONDS: Final = 5.0
"""How long a holder that says nothing keeps the lease."""

_PAUSE_SECONDS: Final = 1.0
"""Time between two prolongings, and between two looks of those who wait."""

Job = Callable[[], Coroutine[Any, Any, None]]


class LeaderElsewhere(Misconfigured):
    """Another process of this node leads, and only it may do this."""

    code = "leader-elsewhere"
    hint = "stop the other processes of this node first; `patunay anchor now` asks them"


async def lead(node: Node, jobs: Sequence[Job]) -> None:
    """Run all jobs while this process leads; wait while another one does. Until cancelled.

    Raises:
        Exception: What a job raises.
    """
    while True:
        fence = await _win(node)
        logger.info("leads", extra={"term": fence})
        try:
            await _work(node, fence, jobs)
        except LeaseLost as e:
            logger.warning("leads no more: %s", e)


@asynccontextmanager
async def leading(node: Node) -> AsyncIterator[None]:
    """Lead for the length of one command.

    Raises:
        LeaderElsewhere: Another process does.
    """
    fence = await _begin(node)
    if fence is None:
        async with node.reading() as c:
            lease = await find_lease(c, LEADING)
        holder = lease.holder if lease is not None else "another process"
        raise LeaderElsewhere(f"found that {holder} leads")
    node.term = fence
    keeping = asyncio.create_task(_keep(node, fence))
    try:
        yield
    finally:
        node.term = None
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await _resign(node, fence)


async def leader_elsewhere(node: Node) -> str | None:
    """Return which other process leads now; None if none is known to."""
    async with node.reading() as c:
        lease = await find_lease(c, LEADING)
    is_led = lease is not None and not lease.is_over and is_shared(node.engine)
    return lease.holder if lease is not None and is_led else None


async def _win(node: Node) -> int:
    """Wait until this process leads; return the number of its term."""
    while True:
        try:
            if await leader_elsewhere(node) is None:
                fence = await _begin(node)
                if fence is not None:
                    return fence
        except StorageFailed as e:
            logger.warning("cannot see who leads: %s", e)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _begin(node: Node) -> int | None:
    alone = not is_shared(node.engine)
    async with node.writing() as c:
        return await begin_term(c, LEADING, _own_name(), _milliseconds(), seize=alone)


async def _work(node: Node, fence: int, jobs: Sequence[Job]) -> None:
    node.term = fence
    tasks = [asyncio.create_task(job()) for job in jobs]
    tasks.append(asyncio.create_task(_keep(node, fence)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()  # each job is safe to be cut at any of its awaits
        await asyncio.gather(*tasks, return_exceptions=True)
        node.term = None
        await _resign(node, fence)


async def _keep(node: Node, fence: int) -> None:
    """Prolong the term until cancelled.

    Raises:
        LeaseLost: Another has begun, or may have: nothing was heard of the database.
    """
    if not is_shared(node.engine):
        await asyncio.Event().wait()
    loop = asyncio.get_running_loop()
    ends = loop.time() + TERM_SECONDS
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        asked = loop.time()
        try:
            async with asyncio.timeout_at(ends), node.writing_aside() as c:
                await prolong(c, LEADING, fence, _milliseconds())
            ends = asked + TERM_SECONDS
        except StorageFailed as e:
            logger.warning("cannot prolong the lease: %s", e)
        except TimeoutError as e:
            raise LeaseLost(f"term {fence} could not be prolonged in time") from e
        if loop.time() >= ends:
            raise LeaseLost(f"term {fence} could not be prolonged in time")


async def _resign(node: Node, fence: int) -> None:
    """Let the next one begin at once."""
    with suppress(StorageFailed, LeaseLost):
        async with node.writing_aside() as c:
            await prolong(c, LEADING, fence, 0)


def _own_name() -> str:
    return f"{socket.gethostname()[:64]} {os.getpid()}"


def _milliseconds() -> int:
    return int(TERM_SECONDS * 1000)
