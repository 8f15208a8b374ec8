"""Telling webhooks that a checkpoint stands in its chain."""

from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.backend import Sighting
from node.logbook import LogCorrupt
from node.node import Node
from node.storage import anchor_store
from node.webhooks import Event, Happened, tell
from primitives.canonical_json import JsonObject
from primitives.hashing import Digest
from primitives.instants import format_instant


async def tell_anchored(
    node: Node, c: AsyncConnection, digest: Digest, seen: Sighting
) -> None:
    """Let webhooks know, in the transaction that stores it.

    Args:
        node: That anchored.
        c: Writes.
        digest: Of the checkpoint's record.
        seen: Where it stands.

    Raises:
        LogCorrupt: No checkpoint has that record.
    """
    checkpoint = await anchor_store.find_record(c, digest)
    if checkpoint is None:
        raise LogCorrupt(f"found no checkpoint whose record is {digest.hex()}")
    data: JsonObject = {
        "treeSize": checkpoint.tree_size,
        "root": checkpoint.root.hex(),
        "recordDigest": digest.hex(),
        "contract": seen.receipt.contract,
        "transaction": seen.receipt.transaction,
        "blockNumber": seen.receipt.block_number,
        "blockTime": format_instant(seen.receipt.timestamp),
    }
    subject = f"{seen.receipt.contract} {checkpoint.tree_size}"
    await tell(node, c, [Happened(Event.ANCHORED, subject, data)])
