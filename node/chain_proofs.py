"""Keeping what proves an anchor when its chain can no longer be asked.

Old receipts and state may not be served for ever, and public test networks end. So once an
anchor is final, the block's header and the way from it to the event are fetched, checked,
and stored with the receipt. Nothing else waits for that.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from anchoring.backend import AnchorBackend
from anchoring.chain_proof import ChainProof, ChainProofInvalid, prove_anchored
from anchoring.record import record_digest
from contracts.artifact import load_artifact
from node.logbook import LogCorrupt, to_receipt
from node.node import Node
from node.storage import anchor_store, chain_proofs
from node.storage.anchor_store import StoredTransaction
from primitives.errors import PatunayError
from primitives.instants import parse_instant

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 30.0
"""Between two looks for final anchors without a proof."""

_FIRST_WAIT: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = timedelta(days=1)
_AT_ONCE: Final = 20


class ChainProofJob:
    """Fetches proofs through one backend, one after the other."""

    def __init__(self, node: Node, backend: AnchorBackend) -> None:
        self._node = node
        self._backend = backend

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self) -> int:
        """Fetch the proofs that are due; return how many were stored.

        What stands in the way is written down, and tried again later and later.
        """
        async with self._node.reading() as c:
            missing = await chain_proofs.unproven(c, self._backend.chain, _AT_ONCE)
        stored = 0
        for transaction, attempts, tried_at in missing:
            if tried_at is not None and not self._is_due(attempts, tried_at):
                continue
            try:
                proof = await self._fetch(transaction)
            except PatunayError as e:
                logger.warning("no proof of %s yet: %s", transaction.reference, e)
                async with self._node.writing() as c:
                    await chain_proofs.save_failed(
                        c, transaction.reference, f"{e} ({e.code})", self._node.now()
                    )
                continue
            async with self._node.writing() as c:
                await chain_proofs.save_proof(
                    c, transaction.reference, proof, self._node.now()
                )
            stored += 1
        return stored

    def _is_due(self, attempts: int, tried_at: str) -> bool:
        wait: timedelta = min(_FIRST_WAIT * 2 ** min(attempts, 20), _LONGEST_WAIT)
        return self._node.instant() >= parse_instant(tried_at) + wait

    async def _fetch(self, transaction: StoredTransaction) -> ChainProof:
        """Return the proof, checked as a stranger will check it.

        Raises:
            ChainProofInvalid: It proves another event or another block.
            AnchorUnreachable: It could not be had.
        """
        receipt = to_receipt(transaction)
        async with self._node.reading() as c:
            checkpoint = await anchor_store.find_checkpoint(c, transaction.tree_size)
        if checkpoint is None:
            raise LogCorrupt(f"found no checkpoint of size {transaction.tree_size}")
        proof = await self._backend.prove(receipt)
        event = prove_anchored(
            proof,
            address=receipt.contract.rpartition(":")[2],
            topic=load_artifact().anchored_topic,
            digest=record_digest(checkpoint.record),
        )
        if (event.block_hash, event.block_number, event.timestamp) != (
            receipt.block_hash,
            receipt.block_number,
            receipt.timestamp,
        ):
            raise ChainProofInvalid(
                f"found the block {event.block_number} {event.block_hash}, "
                f"want {receipt.block_number} {receipt.block_hash}"
            )
        return proof
