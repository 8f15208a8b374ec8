"""Anchoring, exactly once whatever happens in between.

    checkpoint stored -> transaction stored -> sent -> mined -> final
                             ^                            |
                             +------ lost (reorganised) --+

`Anchorer.step` looks at what is stored and does the next thing. Starting up, going on
after a crash, and following a reorganisation are all that same step: there is no other
recovery code. A checkpoint commits to all before it, so only the latest gets a transaction.
"""

import logging
from dataclasses import dataclass

from anchoring.backend import (
    AnchorBackend,
    NonceTaken,
    Sighting,
    SignedTransaction,
)
from node.failpoints import failpoint
from node.logbook import EFFECTIVE, LogCorrupt, to_receipt
from node.node import Node
from node.storage import anchor_store
from node.storage.anchor_store import StoredCheckpoint, StoredTransaction
from primitives.hashing import Digest
from primitives.instants import format_instant

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnchorState:
    """Where anchoring stands."""

    checkpoint: StoredCheckpoint | None
    """The latest one; None before the first."""

    transaction: StoredTransaction | None
    """Its newest transaction that is not lost."""

    waiting: StoredTransaction | None = None
    """The oldest transaction of any checkpoint that has to reach the chain before all
    others do: one account's nonces are used in their order."""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do until the next checkpoint."""
        return self.waiting is None and (
            self.checkpoint is None
            or (self.transaction is not None and self.transaction.state == "final")
        )

    @property
    def anchored(self) -> bool:
        """Whether the latest checkpoint stands in the chain, final or not yet."""
        return self.checkpoint is None or (
            self.transaction is not None and self.transaction.state in EFFECTIVE
        )


async def anchor_state(node: Node, chain: str | None = None) -> AnchorState:
    """Return where anchoring stands, from the database alone.

    Args:
        node: Open; need not be unlocked.
        chain: Look at the transactions of this chain alone, by its CAIP-2 id.
    """
    async with node.reading() as c:
        checkpoint = await anchor_store.latest_checkpoint(c)
        sent = await anchor_store.all_transactions(c)
    live = [t for t in sent if t.state != "lost" and chain in (None, t.chain)]
    size = checkpoint.tree_size if checkpoint is not None else 0
    own = [t for t in live if t.tree_size == size]
    waiting = [t for t in live if t.state not in EFFECTIVE]
    return AnchorState(
        checkpoint,
        own[-1] if own else None,
        min(waiting, key=lambda t: t.nonce, default=None),
    )


class Anchorer:
    """Drives one backend. The caller MUST hold the node (`Home.hold`)."""

    def __init__(self, node: Node, backend: AnchorBackend, confirmations: int) -> None:
        self._node = node
        self._backend = backend
        self._confirmations = confirmations

    async def step(self) -> AnchorState:
        """Do the next thing, if there is one to do.

        What was signed before is brought to the chain first: it holds a nonce.

        Raises:
            AnchorUnreachable: The chain did not answer; nothing has changed. Call again.
            AnchorRefused: The chain answered no; the operator has to act.
        """
        state = await anchor_state(self._node, self._backend.chain)
        if state.checkpoint is None or state.settled:
            return state
        stored = state.waiting or state.transaction
        if stored is None:
            await self._prepare(state.checkpoint)
        elif stored.state == "stored":
            await self._send(stored, await self._digest(stored))
        else:
            await self._look(stored, await self._digest(stored))
        return await anchor_state(self._node, self._backend.chain)

    async def recheck(self) -> int:
        """Look again for anchors that were thought to stand; return how many do not.

        From the newest back to the first that was final and has not moved: what lies below
        it cannot have moved without it. A development chain that was started anew, and a
        deep reorganisation, look the same from here, and are treated the same: the same
        transactions are sent again, so that none can end up beside a new one.

        Raises:
            AnchorUnreachable: The chain did not answer.
        """
        async with self._node.reading() as c:
            sent = await anchor_store.all_transactions(c)
            digests = {
                k.tree_size: k.record_digest for k in await anchor_store.all_checkpoints(c)
            }
        gone = 0
        for stored in reversed([t for t in sent if t.state in EFFECTIVE]):
            if stored.chain != self._backend.chain:
                continue
            seen = await self._backend.find(_signed(stored, digests[stored.tree_size]))
            if seen is None:
                await self._return_to_sent(stored)
                gone += 1
            elif stored.state == "final" and seen.receipt == to_receipt(stored):
                break
            else:
                await self._record(stored, seen)
        return gone

    async def _digest(self, stored: StoredTransaction) -> Digest:
        async with self._node.reading() as c:
            checkpoint = await anchor_store.find_checkpoint(c, stored.tree_size)
        if checkpoint is None:
            raise LogCorrupt(f"found no checkpoint of size {stored.tree_size}")
        return checkpoint.record_digest

    async def _prepare(self, checkpoint: StoredCheckpoint) -> None:
        signed = await self._backend.prepare(checkpoint.record_digest)
        stored = StoredTransaction(
            reference=signed.reference,
            tree_size=checkpoint.tree_size,
            chain=signed.chain,
            contract=self._backend.contract,
            sender=signed.sender,
            nonce=signed.nonce,
            raw=signed.raw,
            state="stored",
            stored_at=self._node.now(),
        )
        # Before the network: a crash between the two would otherwise leave an anchor on a
        # public chain that this node has no memory of.
        async with self._node.writing() as c:
            await anchor_store.save_transaction(c, stored)
        failpoint("transaction-stored")
        await self._send(stored, checkpoint.record_digest)

    async def _send(self, stored: StoredTransaction, digest: Digest) -> None:
        try:
            await self._backend.send(_signed(stored, digest))
        except NonceTaken as e:
            await self._lose(stored, str(e))
            return
        # From here on the transaction may be mined at any time. A crash before the next
        # line sends the same bytes again, which changes nothing.
        failpoint("sent")
        async with self._node.writing() as c:
            await anchor_store.update_transaction(c, stored.reference, state="sent")

    async def _look(self, stored: StoredTransaction, digest: Digest) -> None:
        seen = await self._backend.find(_signed(stored, digest))
        if seen is None:
            # Not mined (any more). The same bytes again: it is in the pool already, or it
            # has fallen out of it, or its nonce is gone and `_send` finds that out.
            if stored.state in EFFECTIVE:
                # Before it is sent: a receipt must not name a block that is gone.
                await self._return_to_sent(stored)
            await self._send(stored, digest)
            return
        await self._record(stored, seen)

    async def _record(self, stored: StoredTransaction, seen: Sighting) -> None:
        if stored.state == "sent":
            failpoint("mined")
        final = seen.depth >= self._confirmations
        async with self._node.writing() as c:
            await anchor_store.update_transaction(
                c,
                stored.reference,
                state="final" if final else "mined",
                block_number=seen.receipt.block_number,
                block_hash=seen.receipt.block_hash,
                log_index=seen.receipt.log_index,
                block_time=format_instant(seen.receipt.timestamp),
                gas_used=seen.gas_used,
            )
        if final:
            failpoint("final")

    async def _return_to_sent(self, stored: StoredTransaction) -> None:
        logger.warning("anchor %s is no longer in the chain", stored.reference)
        async with self._node.writing() as c:
            await anchor_store.update_transaction(c, stored.reference, state="sent")

    async def _lose(self, stored: StoredTransaction, reason: str) -> None:
        logger.warning("anchor %s is lost: %s", stored.reference, reason)
        async with self._node.writing() as c:
            await anchor_store.update_transaction(c, stored.reference, state="lost")


def _signed(stored: StoredTransaction, digest: Digest) -> SignedTransaction:
    return SignedTransaction(
        chain=stored.chain,
        sender=stored.sender,
        nonce=stored.nonce,
        reference=stored.reference,
        raw=stored.raw,
        digest=digest,
    )
