"""The node's own log as evidence: every anchor record, and every entry."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.anchored_record import AnchoredRecord
from anchoring.backend import AnchorReceipt, Sighting
from anchoring.entry import encode_entry
from anchoring.receipt import Receipt
from anchoring.record import CidMalformed, cid_digest
from credentials.evidence import OWN_NODE, LogReading, Lookup, Missing, Obtained
from node.logbook import CredentialUnknown, build_receipt, to_receipt
from node.node import Node
from node.storage import anchor_store, ledger
from node.storage.anchor_store import StoredCheckpoint, StoredTransaction
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError, Rejected
from primitives.hashing import Digest

LATEST = "latest"
"""In place of the CID of a record: that of the newest."""


_UUID_URN: Final = "urn:uuid:"

_MAX_DIGITS: Final = 15
"""Of a size: no log grows so long."""


class RecordUnknown(Rejected):
    """This node has made no such anchor record."""

    code = "record-unknown"


class AnchorUnknown(Rejected):
    """This node has signed no checkpoint of that size."""

    code = "anchor-unknown"
    hint = "`GET /anchors` lists them"


async def require_checkpoint(c: AsyncConnection, size: str) -> StoredCheckpoint:
    """Return the checkpoint of a size, which a stranger has written in digits.

    Raises:
        AnchorUnknown: There is none.
    """
    is_size = size.isascii() and size.isdecimal() and len(size) <= _MAX_DIGITS
    found = await anchor_store.find_checkpoint(c, int(size)) if is_size else None
    if found is None:
        raise AnchorUnknown(f"found no checkpoint of size {size[:40]!r}")
    return found


async def read_log(node: Node) -> LogReading:
    """Return the whole log up to its last checkpoint; reads all of it into memory."""
    async with node.reading() as c:
        checkpoints = await anchor_store.all_checkpoints(c)
        sent = await anchor_store.all_transactions(c)
        size = checkpoints[-1].tree_size if checkpoints else 0
        leaves = await ledger.leaves(c, 0, size)
    return LogReading(
        records=tuple(_anchored(checkpoint, sent) for checkpoint in checkpoints),
        entries=tuple(encode_entry(kind, digest) for kind, digest, _ in leaves),
    )


async def read_record(node: Node, name: str) -> AnchoredRecord:
    """Return one of the node's anchor records, and where it is anchored so far.

    Args:
        node: Open; need not be unlocked.
        name: The record's CID, or `LATEST`.

    Raises:
        RecordUnknown: There is none.
    """
    async with node.reading() as c:
        if name == LATEST:
            found = await anchor_store.latest_checkpoint(c)
        else:
            found = await anchor_store.find_record(c, _digest_in(name))
        sent = await anchor_store.all_transactions(c)
    if found is None:
        raise RecordUnknown(f"found no record {name[:80]!r}")
    return _anchored(found, sent)


async def own_receipt(node: Node, document: JsonObject) -> Lookup[Receipt] | None:
    """Return the receipt of a credential that this node issued; None for others.

    Args:
        node: Open; need not be unlocked.
        document: Read, and not trusted: the receipt of another one does not fit it.
    """
    name = document.get("id")
    if not isinstance(name, str) or not name.startswith(_UUID_URN):
        return None
    try:
        receipt = await build_receipt(node, name.removeprefix(_UUID_URN))
    except CredentialUnknown:
        return None
    except PatunayError as e:
        return Missing.because(e)
    return Obtained(receipt, OWN_NODE, node.instant())


def own_sightings(
    anchors: Iterable[AnchorReceipt], *, depth: int, at: datetime
) -> dict[str, Lookup[Sighting]]:
    """Return what this node itself saw on the chain when it anchored, by transaction."""
    return {
        anchor.transaction: Obtained(
            Sighting(anchor, depth=depth, gas_used=0), OWN_NODE, at
        )
        for anchor in anchors
    }


def _digest_in(name: str) -> Digest:
    try:
        return cid_digest(name)
    except CidMalformed as e:
        raise RecordUnknown(str(e)) from e


def _anchored(
    checkpoint: StoredCheckpoint, sent: Iterable[StoredTransaction]
) -> AnchoredRecord:
    return AnchoredRecord(
        checkpoint.record,
        tuple(
            to_receipt(stored)
            for stored in sent
            if stored.tree_size == checkpoint.tree_size and stored.is_effective
        ),
    )
