"""The node's anchor records and documents as blocks, by CID, straight from its database."""

from anchoring.blocks import BlockNotFound
from anchoring.entry import EntryKind
from anchoring.record import cid_digest
from credentials.status_list import REVOCATION
from node.node import Node
from node.storage import anchor_store, ledger
from primitives.strict_json import parse_json_object

_PUBLIC = frozenset({EntryKind.DID_DOCUMENT, EntryKind.STATUS_LIST})


class StoredBlocks:
    """Reads what the node itself has published; see `anchoring.blocks.BlockSource`."""

    def __init__(self, node: Node) -> None:
        """Take a node that stays open; it need not be unlocked."""
        self._node = node

    async def get(self, cid: str) -> bytes:
        """Return a record, a DID document or a revocation list, of now or of before.

        Raises:
            BlockNotFound: Nothing of that CID, or a suspension list: a suspension that was
                lifted should not live for ever.
            CidMalformed: Not a CID of the kinds that records use.
        """
        digest = cid_digest(cid)
        async with self._node.reading() as c:
            checkpoint = await anchor_store.find_record(c, digest)
            if checkpoint is not None:
                return checkpoint.record
            found = await ledger.find_published(c, digest)
        if found is None or found[0] not in _PUBLIC or _is_suspension(*found):
            raise BlockNotFound(f"this node has no block {cid}")
        return found[1].encode()


def _is_suspension(kind: int, body: str) -> bool:
    if kind != EntryKind.STATUS_LIST:
        return False
    subject = parse_json_object(body.encode()).get("credentialSubject")
    return not (isinstance(subject, dict) and subject.get("statusPurpose") == REVOCATION)
