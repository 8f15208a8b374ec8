"""The blocks of an anchor record: itself, and the exact bytes of all that it pins.

They are put together from the database when they are asked for, and each is compared with
the digest in the record: what a record links is never given out in another version.
"""

from collections.abc import AsyncIterator

from anchoring.record import RecordLink, parse_record, record_cid
from node.logbook import LogCorrupt, load_tree, new_tiles
from node.node import Node
from node.storage import anchor_store, ledger
from node.storage.anchor_store import StoredCheckpoint
from node.storage.registry import Issuer, list_issuers
from primitives.hashing import sha256


async def record_blocks(
    node: Node, checkpoint: StoredCheckpoint
) -> AsyncIterator[tuple[str, bytes]]:
    """Yield CID and bytes of every block that a record pins, and of the record last.

    Last, so that whoever has the record has all of it. Suspension lists are left out:
    they are committed to, and not pinned.

    Raises:
        LogCorrupt: The database does not hold what the record links.
    """
    record = parse_record(checkpoint.record)
    tiles = await _tiles(node, checkpoint.tree_size)
    documents = {
        sha256(issuer.document.encode()): issuer.document.encode()
        for issuer in await _issuers(node)
    }
    for link in record.links:
        if not link.pinned:
            continue
        block = tiles.get(link.name) or documents.get(link.digest)
        if block is None:
            block = await _stored(node, link)
        if sha256(block) != link.digest:
            raise LogCorrupt(
                f"found other bytes of {link.name[:200]} than record {checkpoint.tree_size}"
                " links"
            )
        yield link.cid, block
    yield record_cid(checkpoint.record), checkpoint.record


async def _tiles(node: Node, size: int) -> dict[str, bytes]:
    """Return the tiles that were new in the record of that size, by path."""
    async with node.reading() as c:
        before = await anchor_store.size_before(c, size)
    async with node.log_lock:
        await load_tree(node)
        return dict(await new_tiles(node, before, size))


async def _issuers(node: Node) -> list[Issuer]:
    async with node.reading() as c:
        return await list_issuers(c)


async def _stored(node: Node, link: RecordLink) -> bytes:
    async with node.reading() as c:
        body = await ledger.find_document(c, link.digest)
    if body is None:
        raise LogCorrupt(f"found no stored bytes of {link.name[:200]}")
    return body.encode()
