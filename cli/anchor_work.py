"""Anchoring in the command's own process, where no daemon does it."""

import asyncio

from cli.anchor_ipfs import publish_or_say
from node.anchoring import Anchorer
from node.backends import open_backend
from node.logbook import close_batch
from node.node import Node
from node.setup import publish_all, refresh_documents
from primitives.errors import Undetermined


class AnchorTimeout(Undetermined):
    """The anchor did not stand in the chain in the time that was given."""

    code = "anchor-timeout"
    hint = "nothing is lost: look again with `patunay anchor status`"


async def anchor_all(node: Node) -> None:
    """Bring all that was issued to the chain; return once the chain shows it.

    The caller holds the node, which has its keys unlocked.

    Raises:
        AnchorUnreachable: The chain did not answer; the next run goes on from there.
        AnchorRefused: The chain answered no.
    """
    backend = await open_backend(node)
    try:
        # As a starting daemon does: the contract is named before an event is in it.
        if await refresh_documents(node):
            await publish_all(node)
        await close_batch(node)
        anchorer = Anchorer.configured(node, backend)
        await _bring(node, anchorer)
        # One record may not hold it all.
        while await close_batch(node) is not None:
            await _bring(node, anchorer)
    finally:
        await backend.close()


async def _bring(node: Node, anchorer: Anchorer) -> None:
    await publish_or_say(node)
    state = await anchorer.step()
    while not state.anchored:
        await asyncio.sleep(node.config.chain.poll_seconds)
        state = await anchorer.step()
