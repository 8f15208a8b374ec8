"""Events of AnchorRegistry as one endpoint shows them."""

import re
from collections.abc import Sequence
from dataclasses import replace

from anchoring.backend import (
    AnchorNotInChain,
    AnchorReceipt,
    AnchorRefused,
    AnchorReverted,
    NonceState,
    Outlook,
    Sighting,
    SignedTransaction,
)
from anchoring.evm_answers import (
    AnchorRpcInconsistent,
    Log,
    Mined,
    event_topics,
    make_receipt,
)
from anchoring.evm_purse import offered_fees
from anchoring.evm_rpc import Endpoint
from contracts.artifact import load_artifact
from primitives.clock import Clock
from primitives.hashing import Digest

_REFERENCE = re.compile(r"0x[0-9a-f]{64}", re.ASCII)


class RegistryEvents:
    """The events of one contract. Each method asks the endpoint that it is given."""

    def __init__(self, contract: str, clock: Clock) -> None:
        """Take the contract as a CAIP-10 account, well-formed."""
        self._contract = contract
        self._chain, _, self._address = contract.rpartition(":")
        self._clock = clock

    async def find(
        self, endpoint: Endpoint, transaction: SignedTransaction
    ) -> Sighting | None:
        """Return where `transaction` was mined; errors as `AnchorBackend.find`."""
        mined = await endpoint.receipt(transaction.reference)
        if mined is None:
            return None
        block, depth = await endpoint.canonical_block(mined, self._clock)
        if not mined.succeeded:
            raise AnchorReverted(f"transaction {mined.reference} was mined and reverted")
        wanted = event_topics(
            load_artifact().anchored_topic,
            sender=transaction.sender,
            digest=transaction.digest,
        )
        for event in mined.logs:
            if event.address == self._address and event.topics == wanted:
                receipt = make_receipt(mined, event, block=block, contract=self._contract)
                return Sighting(receipt, depth=depth, gas_used=mined.gas_used)
        # Code and calldata are known: success without this event cannot be.
        raise AnchorRpcInconsistent(
            f"found no Anchored event of {transaction.sender} at {self._address} "
            f"in {mined.reference}"
        )

    async def check(
        self, endpoint: Endpoint, receipt: AnchorReceipt, digest: Digest
    ) -> Sighting:
        """Confirm a receipt; errors as `AnchorBackend.check`.

        Whoever sent the transaction proves nothing.
        """
        if _REFERENCE.fullmatch(receipt.transaction) is None:
            raise AnchorRefused(f"found {receipt.transaction[:80]!r}, want a hash")
        mined = await endpoint.receipt(receipt.transaction)
        if mined is None:
            raise AnchorNotInChain(f"{receipt.transaction} is in no block of {self._chain}")
        if not mined.succeeded:
            raise AnchorReverted(f"{receipt.transaction} was mined and reverted")
        block, depth = await endpoint.canonical_block(mined, self._clock)
        event = self._anchored_event(mined, receipt.log_index, digest)
        seen = make_receipt(mined, event, block=block, contract=self._contract)
        if seen != receipt:
            raise AnchorRefused(f"found {seen}, want {receipt}")
        return Sighting(seen, depth=depth, gas_used=mined.gas_used)

    async def follow(
        self,
        endpoint: Endpoint,
        candidates: Sequence[SignedTransaction],
        final_depth: int,
    ) -> Outlook:
        """Return what became of a nonce; errors as `AnchorBackend.follow`."""
        # The head first: what is final under it was final before any receipt was asked
        # for, so an endpoint that shows none then will never show one.
        head = await endpoint.head(self._clock)
        final = head.number - final_depth + 1
        if final_depth == 0:
            final = await endpoint.finalized()
        sender, nonce = candidates[0].sender, candidates[0].nonce
        used = await endpoint.used_nonces(sender, head.number)
        reverted = False
        for candidate in candidates:
            try:
                seen = await self.find(endpoint, candidate)
            except AnchorReverted:
                reverted = True
                continue
            if seen is not None:
                finalized = final_depth == 0 and seen.receipt.block_number <= final
                seen = replace(seen, finalized=finalized)
                return Outlook(seen, NonceState.USED, head.number, used)
        state = NonceState.OPEN
        if used > nonce:
            state = NonceState.USED
            if final >= 0 and await endpoint.used_nonces(sender, final) > nonce:
                state = NonceState.CLOSED
        bids = (offered_fees(candidate.raw).maximum for candidate in candidates)
        underpriced = head.base_fee is not None and max(bids) < head.base_fee
        return Outlook(
            None, state, head.number, used, underpriced=underpriced, reverted=reverted
        )

    def _anchored_event(self, mined: Mined, log_index: int, digest: Digest) -> Log:
        topic = load_artifact().anchored_topic
        for event in mined.logs:
            if event.index == log_index and event.address == self._address:
                if event.topics[:1] == (topic,) and event.topics[2:] == (digest,):
                    return event
                break
        raise AnchorRefused(
            f"found no Anchored event of {self._address} for {digest.hex()} "
            f"as log {log_index} of {mined.reference}"
        )
