"""The node's own log as evidence: every anchor record, and every entry."""

from anchoring.entry import encode_entry
from credentials.evidence import AnchoredRecord, LogReading
from node.logbook import EFFECTIVE, to_receipt
from node.node import Node
from node.storage import anchor_store, ledger


async def read_log(node: Node) -> LogReading:
    """Return the whole log up to its last checkpoint; reads all of it into memory."""
    async with node.reading() as c:
        checkpoints = await anchor_store.all_checkpoints(c)
        sent = await anchor_store.all_transactions(c)
        size = checkpoints[-1].tree_size if checkpoints else 0
        leaves = await ledger.leaves(c, 0, size)
    return LogReading(
        records=tuple(
            AnchoredRecord(
                checkpoint.record,
                tuple(
                    to_receipt(stored)
                    for stored in sent
                    if stored.tree_size == checkpoint.tree_size
                    and stored.state in EFFECTIVE
                ),
            )
            for checkpoint in checkpoints
        ),
        entries=tuple(encode_entry(kind, digest) for kind, digest, _ in leaves),
    )
