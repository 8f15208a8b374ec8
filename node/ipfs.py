"""Handing anchor records to IPFS, independently of the chain.

    checkpoint stored -> its blocks put -> record pinned -> written down

A record that was not written down is handed over again, block by block, which changes
nothing where it was done before. Kubo may be stopped and started meanwhile: nothing is
lost, and what waits is published later, oldest first.
"""

import asyncio
import logging
from typing import Final

from anchoring.blocks import BlockPublisher
from anchoring.record import record_cid
from node.logbook import LogCorrupt
from node.node import Node
from node.record_blocks import record_blocks
from node.storage import anchor_store, publications
from primitives.errors import PatunayError

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 16
"""Records looked up at once."""

_TICK_SECONDS: Final = 1.0
"""Between two looks at what waits."""

MAX_WAIT_SECONDS: Final = 300.0
"""Longest time between two tries while Kubo does not answer."""


async def publish_records(node: Node, publisher: BlockPublisher) -> int:
    """Hand every record over that waits, oldest first; return how many.

    Raises:
        PatunayError: One could not be handed over; those before it were. What stood in
            the way is written down.
    """
    done = 0
    while True:
        async with node.reading() as c:
            waiting = await publications.unpublished_sizes(c, _AT_ONCE)
        for size in waiting:
            await _publish_record(node, publisher, size)
            done += 1
        if not waiting:
            return done


async def _publish_record(node: Node, publisher: BlockPublisher, size: int) -> None:
    async with node.reading() as c:
        checkpoint = await anchor_store.find_checkpoint(c, size)
    if checkpoint is None:
        raise LogCorrupt(f"found no checkpoint of size {size}")
    try:
        async for cid, block in record_blocks(node, checkpoint):
            await publisher.put(cid, block)
        await publisher.pin(record_cid(checkpoint.record))
    except PatunayError as e:
        async with node.writing() as c:
            await publications.save_failed(c, size, f"{e} ({e.code})", node.now())
        raise
    # A crash before this line hands the same record over again, which changes nothing.
    async with node.writing() as c:
        await publications.save_published(c, size, node.now())


class IpfsJob:
    """Hands over what waits, for as long as the daemon runs."""

    def __init__(self, node: Node, publisher: BlockPublisher) -> None:
        self._node = node
        self._publisher = publisher

    async def run(self) -> None:
        """Work until cancelled. After a failure, wait twice as long each time."""
        wait = _TICK_SECONDS
        while True:
            try:
                await publish_records(self._node, self._publisher)
                wait = _TICK_SECONDS
            except PatunayError as e:
                logger.warning("IPFS waits: %s (%s)", e, e.code)
                wait = min(2 * wait, MAX_WAIT_SECONDS)
            await asyncio.sleep(wait)
