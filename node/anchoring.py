"""Anchoring, exactly once whatever happens in between.

    checkpoint stored -> transaction stored -> sent -> mined -> confirmed -> final
                             ^                  |        |          |
                             |                  +<-------+----------+  reorganised
                             |                  |
                             +-- lost <- taken -+   another transaction has its nonce

`Anchorer.step` looks at what is stored and does the next thing. Starting up, going on
after a crash, and following a reorganisation are all that same step: there is no other
recovery code. A checkpoint commits to all before it, so only the latest gets a transaction.

A transaction that is stuck gets a rival at the same nonce that offers more; the chain takes
one of them at most. At another nonce the same is signed only when the old nonce is closed:
used, at a depth that no reorganisation reaches, by something that is not one of ours.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final, Self

from anchoring.backend import (
    AnchorBackend,
    AnchorReverted,
    FeeAboveLimit,
    NonceState,
    NonceTaken,
    Outlook,
    Sighting,
    SignedTransaction,
    Underpriced,
)
from node.anchor_state import AnchorState, anchor_state
from node.anchor_telling import tell_anchored
from node.disk import StorageFailed
from node.failpoints import failpoint
from node.logbook import LogCorrupt, to_receipt
from node.node import Node
from node.storage import anchor_store
from node.storage.anchor_store import (
    AnchorTrouble,
    StoredCheckpoint,
    StoredTransaction,
    free_nonce,
)
from primitives.errors import PatunayError
from primitives.hashing import Digest
from primitives.instants import format_instant

logger = logging.getLogger(__name__)

MAX_REVERTED: Final = 3
"""Attempts at one checkpoint that the chain may undo; each has cost its fee."""

REPLACE_AFTER_BLOCKS: Final = 10
"""Blocks that pass a transaction over before it offers more."""


class Anchorer:
    """Drives one backend. The caller MUST hold the node (`Home.hold`)."""

    def __init__(
        self,
        node: Node,
        backend: AnchorBackend,
        confirmations: int,
        final_depth: int | None = None,
    ) -> None:
        """Take depths in blocks, the anchor's own included.

        Args:
            node: With its keys unlocked.
            backend: Where to anchor.
            confirmations: From here on an anchor counts as confirmed.
            final_depth: From here on as final; 0 leaves that to the chain's own word, None
                means as soon as it is confirmed.
        """
        self._node = node
        self._backend = backend
        self._confirmations = confirmations
        self._final_depth = confirmations if final_depth is None else final_depth

    @classmethod
    def configured(cls, node: Node, backend: AnchorBackend) -> Self:
        """Return one with the depths of the node's configuration."""
        return cls(node, backend, *node.config.chain.depths)

    async def step(self) -> AnchorState:
        """Do the next thing, if there is one to do.

        What was signed before is brought to the chain first: it holds a nonce. What keeps
        it from that is remembered, for `patunay anchor status`.

        Raises:
            AnchorUnreachable: The chain did not answer; nothing has changed. Call again.
            AnchorRefused: The chain answered no. Call again: most of it passes, and the
                hint says what the operator can do.
        """
        state = await anchor_state(self._node, self._backend.chain)
        async with self._remembering():
            await self._advance(state)
        if state.trouble is not None:
            async with self._node.writing_as_leader() as c:
                await anchor_store.forget_trouble(c, self._backend.chain)
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
            stored = await anchor_store.all_transactions(c)
        standing = [t for t in stored if t.is_effective and t.chain == self._backend.chain]
        async with self._remembering():
            return await self._require_standing(
                sorted(standing, key=lambda t: t.nonce, reverse=True)
            )

    async def _require_standing(self, standing: Sequence[StoredTransaction]) -> int:
        gone = 0
        for live in standing:
            candidates = await self._candidates(live)
            outlook = await self._follow(candidates)
            if outlook.sighting is None:
                await self._return_to_sent(live)
                gone += 1
            elif live.state == "final" and outlook.sighting.receipt == to_receipt(live):
                break
            else:
                await self._record(candidates, outlook.sighting)
        return gone

    async def _advance(self, state: AnchorState) -> None:
        if state.checkpoint is None or state.settled:
            return
        if state.waiting:
            # All of them: a block has room for more than one.
            for live in state.waiting:
                await self._press_on(live)
        elif state.transaction is not None:
            await self._press_on(state.transaction)
        else:
            await self._prepare(state.checkpoint)

    async def _press_on(self, live: StoredTransaction) -> None:
        candidates = await self._candidates(live)
        if live.state == "stored":
            try:
                await self._send(live, candidates)
            except Underpriced:
                # By which price, and whether it is in the chain after all, is looked up.
                await self._look(live, candidates)
        else:
            await self._look(live, candidates)

    async def _candidates(self, live: StoredTransaction) -> Sequence[SignedTransaction]:
        """Return all transactions of the nonce of `live`, that one last."""
        async with self._node.reading() as c:
            stored = await anchor_store.all_transactions(c)
            checkpoint = await anchor_store.find_checkpoint(c, live.tree_size)
        if checkpoint is None:
            raise LogCorrupt(f"found no checkpoint of size {live.tree_size}")
        place = (live.chain, live.sender, live.nonce, live.tree_size)
        rivals = [
            t
            for t in stored
            if (t.chain, t.sender, t.nonce, t.tree_size) == place
            and t.reference != live.reference
        ]
        return [_signed(t, checkpoint.record_digest) for t in (*rivals, live)]

    async def _follow(self, candidates: Sequence[SignedTransaction]) -> Outlook:
        outlook = await self._backend.follow(candidates, final_depth=self._final_depth)
        failpoint("followed")
        return outlook

    async def _prepare(self, checkpoint: StoredCheckpoint) -> None:
        async with self._node.reading() as c:
            stored = await anchor_store.all_transactions(c)
        here = [t for t in stored if t.chain == self._backend.chain]
        reverted = sum(
            t.state == "reverted"
            and (t.tree_size, t.contract) == (checkpoint.tree_size, self._backend.contract)
            for t in here
        )
        if reverted >= MAX_REVERTED:
            raise AnchorReverted(
                f"found {reverted} transactions undone by the chain, want under "
                f"{MAX_REVERTED}",
                hint="look at them in a block explorer, and check chain.contract",
            )
        sender = self._backend.account.rpartition(":")[2]
        # The account as stored, or its name in a backend without CAIP-10 addresses.
        nonce = free_nonce(stored, self._backend.chain, sender, self._backend.account)
        signed = await self._backend.prepare(checkpoint.record_digest, first_nonce=nonce)
        failpoint("transaction-signed")
        stored_now = self._stored(signed, checkpoint.tree_size)
        # Before the network: a crash between the two would otherwise leave an anchor on a
        # public chain that this node has no memory of.
        async with self._node.writing_as_leader() as c:
            await anchor_store.save_transaction(c, stored_now)
        failpoint("transaction-stored")
        await self._send(stored_now, [signed])

    def _stored(self, signed: SignedTransaction, tree_size: int) -> StoredTransaction:
        return StoredTransaction(
            reference=signed.reference,
            tree_size=tree_size,
            chain=signed.chain,
            contract=self._backend.contract,
            sender=signed.sender,
            nonce=signed.nonce,
            raw=signed.raw,
            state="stored",
            stored_at=self._node.now(),
            max_fee=signed.max_fee_per_gas,
        )

    async def _send(
        self, live: StoredTransaction, candidates: Sequence[SignedTransaction]
    ) -> None:
        await self._node.require_leading()
        try:
            # Whoever is overtaken here sends what is stored, as the other will too.
            await self._backend.send(candidates[-1])
        except NonceTaken:
            # By one of the other candidates, or by a stranger: the next look tells.
            await self._update(live, state="taken")
            return
        # From here on the transaction may be mined at any time. A crash before the next
        # line sends the same bytes again, which changes nothing.
        failpoint("sent")
        if live.state != "sent":
            await self._update(live, state="sent")
            failpoint("sent-stored")

    async def _look(
        self, live: StoredTransaction, candidates: Sequence[SignedTransaction]
    ) -> None:
        outlook = await self._follow(candidates)
        if outlook.sighting is not None:
            await self._record(candidates, outlook.sighting)
        elif outlook.nonce is NonceState.CLOSED:
            await self._lose(candidates, reverted=outlook.reverted)
        elif outlook.nonce is NonceState.USED:
            await self._update(live, state="taken", depth=None)
            failpoint("nonce-taken")
        else:
            if live.state != "sent":
                # Before it is sent: a receipt must not name a block that is gone.
                live = await self._return_to_sent(live)
            await self._press(live, candidates, outlook)

    async def _press(
        self,
        live: StoredTransaction,
        candidates: Sequence[SignedTransaction],
        outlook: Outlook,
    ) -> None:
        """Send the same bytes again, or more money when that is what it lacks."""
        its_turn = outlook.used_nonces >= live.nonce
        if not its_turn:
            await self._bridge(live)
        waits_since = live.waits_since
        if waits_since is None or waits_since > outlook.height:
            waits_since = outlook.height
            await self._update(live, waits_since=waits_since)
        stuck = its_turn and outlook.height - waits_since >= REPLACE_AFTER_BLOCKS
        if not (outlook.underpriced or stuck):
            # It is in the pool already, or it has fallen out of it.
            await self._send(live, candidates)
            return
        try:
            signed = await self._backend.outbid(candidates)
        except FeeAboveLimit:
            if not outlook.underpriced:
                await self._send(live, candidates)
            raise
        failpoint("replacement-signed")
        rival = self._stored(signed, live.tree_size)
        # In one transaction: two live candidates would be two anchors to wait for.
        async with self._node.writing_as_leader() as c:
            await anchor_store.bury_transactions(c, [live.reference], "replaced")
            await anchor_store.save_transaction(c, rival)
        failpoint("replacement-stored")
        await self._send(rival, [*candidates, signed])

    async def _bridge(self, live: StoredTransaction) -> None:
        """Let nothing be missing before the nonce of `live`."""
        async with self._node.reading() as c:
            stored = await anchor_store.all_transactions(c)
        place = (live.chain, live.sender)
        ours = {t.nonce for t in stored if t.is_live and (t.chain, t.sender) == place}
        await self._node.require_leading()
        sent = await self._backend.bridge(live.nonce, ours)
        if sent:
            logger.warning("used up %d nonces before %d", sent, live.nonce)

    async def _record(
        self, candidates: Sequence[SignedTransaction], seen: Sighting
    ) -> None:
        failpoint("mined")
        state = "mined"
        if seen.depth >= self._confirmations:
            final = (
                seen.finalized
                if self._final_depth == 0
                else (seen.depth >= self._final_depth)
            )
            state = "final" if final else "confirmed"
        reference = seen.receipt.transaction
        rivals = [t.reference for t in candidates if t.reference != reference]
        async with self._node.writing_as_leader() as c:
            await anchor_store.bury_transactions(c, rivals, "replaced")
            await anchor_store.update_transaction(
                c,
                reference,
                state=state,
                block_number=seen.receipt.block_number,
                block_hash=seen.receipt.block_hash,
                log_index=seen.receipt.log_index,
                block_time=format_instant(seen.receipt.timestamp),
                gas_used=seen.gas_used,
                depth=seen.depth,
                waits_since=None,
                seen_at=self._node.now(),
            )
            if state != "mined":
                await tell_anchored(self._node, c, candidates[-1].digest, seen)
        match state:
            case "mined":
                failpoint("mined-stored")
            case "confirmed":
                failpoint("confirmed")
            case _:
                failpoint("final")

    async def _return_to_sent(self, live: StoredTransaction) -> StoredTransaction:
        logger.warning("anchor %s is not in the chain (any more)", live.reference)
        await self._update(live, state="sent", depth=None, waits_since=None)
        failpoint("unmined")
        return replace(live, state="sent", depth=None, waits_since=None)

    async def _lose(
        self, candidates: Sequence[SignedTransaction], *, reverted: bool
    ) -> None:
        references = [t.reference for t in candidates]
        logger.warning("the nonce of anchor %s is gone for ever", references[-1])
        async with self._node.writing_as_leader() as c:
            await anchor_store.bury_transactions(
                c, references, "reverted" if reverted else "lost"
            )
        failpoint("nonce-lost")

    async def _update(self, live: StoredTransaction, **values: str | int | None) -> None:
        async with self._node.writing_as_leader() as c:
            await anchor_store.update_transaction(
                c, live.reference, seen_at=self._node.now(), **values
            )

    @asynccontextmanager
    async def _remembering(self) -> AsyncIterator[None]:
        """Keep what goes wrong for `patunay anchor status`."""
        try:
            yield
        except StorageFailed:
            raise
        except PatunayError as e:
            now = self._node.now()
            trouble = AnchorTrouble(e.code, str(e), e.hint, now, now)
            async with self._node.writing_as_leader() as c:
                await anchor_store.save_trouble(c, self._backend.chain, trouble)
            raise


def _signed(stored: StoredTransaction, digest: Digest) -> SignedTransaction:
    return SignedTransaction(
        chain=stored.chain,
        sender=stored.sender,
        nonce=stored.nonce,
        reference=stored.reference,
        raw=stored.raw,
        digest=digest,
        max_fee_per_gas=stored.max_fee or 0,
    )
