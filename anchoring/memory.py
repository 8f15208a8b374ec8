"""An anchor backend in memory, for tests.

It has blocks, nonces and reorganisations, and it can be told to fail in each way in which
a real chain fails.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from anchoring.backend import (
    AnchorBackendMismatch,
    AnchorNotInChain,
    AnchorReceipt,
    AnchorRefused,
    AnchorUnreachable,
    FeeAboveLimit,
    NonceState,
    NonceTaken,
    Outlook,
    Sighting,
    SignedTransaction,
    Underpriced,
)
from anchoring.chain_proof import ChainProof
from primitives.hashing import Digest

MEMORY_CHAIN = "memory:test"
MEMORY_CONTRACT = f"{MEMORY_CHAIN}:registry"
MEMORY_ACCOUNT = f"{MEMORY_CHAIN}:purse"

_GENESIS = datetime(2026, 1, 1, tzinfo=UTC)
_BLOCK_SECONDS = 12


@dataclass
class _Block:
    number: int
    block_hash: str
    transactions: list[SignedTransaction] = field(default_factory=list)

    @property
    def timestamp(self) -> datetime:
        return _GENESIS + timedelta(seconds=_BLOCK_SECONDS * self.number)


class MemoryAnchor:
    """A chain of one account, kept in a list.

    `on_send` runs at the moment the write would happen. It returns whether to keep the
    write and whether to answer, which stages each way in which sending fails, including
    the worst: written, but the answer got lost. It may also raise an error of its own.

    `unreachable` makes every call fail. With `auto_mine` off, a transaction waits for
    `mine`. Only what offers `price` or more is accepted and mined; nothing offers more than
    `limit`.
    """

    def __init__(self, *, auto_mine: bool = True) -> None:
        self.auto_mine = auto_mine
        self.unreachable = False
        self.price = 100
        self.limit = 10_000
        self.finalized_depth = 0
        """Depth from which the chain calls a block finalized; 0 stands for never."""
        self.on_send: Callable[[], tuple[bool, bool]] = lambda: (True, True)
        self.writes = 0
        """How often an event was written, reorganised ones included."""
        self._blocks: list[_Block] = []
        self._pool: list[SignedTransaction] = []
        self._salt = 0
        self._add_block()

    @property
    def chain(self) -> str:
        """See `AnchorBackend.chain`."""
        return MEMORY_CHAIN

    @property
    def contract(self) -> str:
        """See `AnchorBackend.contract`."""
        return MEMORY_CONTRACT

    @property
    def account(self) -> str:
        """See `AnchorBackend.account`."""
        return MEMORY_ACCOUNT

    async def prepare(self, digest: Digest, *, first_nonce: int = 0) -> SignedTransaction:
        """See `AnchorBackend.prepare`."""
        self._refuse_if_unreachable()
        if self.price > self.limit:
            raise FeeAboveLimit(f"found a price of {self.price}, want at most {self.limit}")
        nonce = max(first_nonce, self._next_nonce())
        return self._sign(nonce, digest, self.price)

    async def outbid(self, candidates: Sequence[SignedTransaction]) -> SignedTransaction:
        """See `AnchorBackend.outbid`."""
        self._refuse_if_unreachable()
        past = max(candidate.max_fee_per_gas for candidate in candidates)
        bid = max(self.price, past + -(-past // 8))
        if bid > self.limit:
            raise FeeAboveLimit(f"found {bid} as the next bid, want at most {self.limit}")
        return self._sign(candidates[0].nonce, candidates[0].digest, bid)

    async def bridge(self, nonce: int, ours: Collection[int]) -> int:
        """See `AnchorBackend.bridge`."""
        self._refuse_if_unreachable()
        known = {*ours, *(t.nonce for t in self._pool)}
        missing = [n for n in range(self._next_nonce(), nonce) if n not in known]
        self._pool += [self._sign(n, self._nothing(), self.limit) for n in missing]
        return len(missing)

    async def send(self, transaction: SignedTransaction) -> None:
        """See `AnchorBackend.send`."""
        self._refuse_if_unreachable()
        _refuse_other_chain(transaction.chain)
        if transaction in self._pool or self._block_of(transaction.reference):
            return
        if transaction.nonce < self._next_nonce():
            raise NonceTaken(f"nonce {transaction.nonce} was used by another transaction")
        # A pool holds one transaction for each nonce: the one that is worth more.
        rival = next((t for t in self._pool if t.nonce == transaction.nonce), None)
        least = 0 if rival is None else rival.max_fee_per_gas + rival.max_fee_per_gas // 8
        if transaction.max_fee_per_gas < max(least, self.price):
            raise Underpriced(f"found {transaction.max_fee_per_gas}, want {least} or more")
        keep, answer = self.on_send()
        if keep:
            self._pool = [t for t in self._pool if t is not rival]
            self._pool.append(transaction)
            if self.auto_mine:
                self.mine()
        if not answer:
            raise AnchorUnreachable("connection closed before the answer arrived")

    async def find(self, transaction: SignedTransaction) -> Sighting | None:
        """See `AnchorBackend.find`."""
        self._refuse_if_unreachable()
        _refuse_other_chain(transaction.chain)
        block = self._block_of(transaction.reference)
        return None if block is None else self._sight(block, transaction.reference)

    async def follow(
        self, candidates: Sequence[SignedTransaction], *, final_depth: int
    ) -> Outlook:
        """See `AnchorBackend.follow`."""
        self._refuse_if_unreachable()
        _refuse_other_chain(candidates[0].chain)
        depth = final_depth or self.finalized_depth
        for candidate in candidates:
            seen = await self.find(candidate)
            if seen is not None:
                finalized = final_depth == 0 < depth <= seen.depth
                return Outlook(
                    replace(seen, finalized=finalized), NonceState.USED, *self._view
                )
        nonce = candidates[0].nonce
        old = self._blocks[: len(self._blocks) - depth + 1] if depth else []
        if nonce < sum(len(block.transactions) for block in old):
            return Outlook(None, NonceState.CLOSED, *self._view)
        if nonce < self._next_nonce():
            return Outlook(None, NonceState.USED, *self._view)
        bid = max(candidate.max_fee_per_gas for candidate in candidates)
        return Outlook(None, NonceState.OPEN, *self._view, underpriced=bid < self.price)

    async def check(self, receipt: AnchorReceipt, digest: Digest) -> Sighting:
        """See `AnchorBackend.check`."""
        self._refuse_if_unreachable()
        block = self._block_of(receipt.transaction)
        if block is None:
            raise AnchorNotInChain(f"found no transaction {receipt.transaction}")
        sighting = self._sight(block, receipt.transaction)
        if sighting.receipt != receipt:
            raise AnchorRefused(f"found {sighting.receipt}, want {receipt}")
        if digest != block.transactions[receipt.log_index].digest:
            raise AnchorRefused(f"found another digest there, want {digest.hex()}")
        return sighting

    async def prove(self, receipt: AnchorReceipt) -> ChainProof:
        """See `AnchorBackend.prove`. Nothing outlives this process."""
        raise AnchorUnreachable(
            f"found no block headers, want that of {receipt.block_hash}"
        )

    async def close(self) -> None:
        """See `AnchorBackend.close`."""

    def mine(self, blocks: int = 1) -> None:
        """Add blocks; the first takes all waiting transactions whose turn has come."""
        for _ in range(blocks):
            ready, expected = [], self._next_nonce()
            for transaction in sorted(self._pool, key=lambda t: t.nonce):
                pays = transaction.max_fee_per_gas >= self.price
                if pays and transaction.nonce == expected:
                    ready.append(transaction)
                    expected += 1
            self._pool = [t for t in self._pool if t not in ready]
            self._add_block().transactions = ready
            self.writes += len(ready)

    def reorganise(self, depth: int) -> None:
        """Replace the newest `depth` blocks by empty ones.

        What was in them is gone from the pool too, which is the worst that a chain does.
        """
        if not 0 < depth < len(self._blocks):
            raise ValueError(f"found depth {depth}, want 1 to {len(self._blocks) - 1}")
        del self._blocks[-depth:]
        for _ in range(depth):
            self._add_block()

    def spend_nonce(self) -> None:
        """Let another transaction of the same account take the next nonce."""
        other = self._nothing()
        self._add_block().transactions = [self._sign(self._next_nonce(), other, self.price)]
        # Whatever waited with that nonce can never be mined now.
        self._pool = [t for t in self._pool if t.nonce >= self._next_nonce()]

    def _refuse_if_unreachable(self) -> None:
        if self.unreachable:
            raise AnchorUnreachable("no connection")

    @property
    def _view(self) -> tuple[int, int]:
        return len(self._blocks) - 1, self._next_nonce()

    def _next_nonce(self) -> int:
        return sum(len(block.transactions) for block in self._blocks)

    def _nothing(self) -> Digest:
        """Return a digest that nobody asked for, in place of another kind of payment."""
        self._salt += 1
        return Digest(hashlib.sha256(b"spent %d" % self._salt).digest())

    def drop(self) -> None:
        """Forget all that waits to be mined."""
        self._pool = []

    def _sign(self, nonce: int, digest: Digest, bid: int) -> SignedTransaction:
        raw = b"%d %d %s" % (nonce, bid, digest.hex().encode())
        return SignedTransaction(
            chain=MEMORY_CHAIN,
            sender=MEMORY_ACCOUNT,
            nonce=nonce,
            reference="0x" + hashlib.sha256(raw).hexdigest(),
            raw=raw,
            digest=digest,
            max_fee_per_gas=bid,
        )

    def _add_block(self) -> _Block:
        self._salt += 1
        block_hash = "0x" + hashlib.sha256(b"block %d" % self._salt).hexdigest()
        self._blocks.append(_Block(number=len(self._blocks), block_hash=block_hash))
        return self._blocks[-1]

    def _block_of(self, reference: str) -> _Block | None:
        for block in self._blocks:
            if any(t.reference == reference for t in block.transactions):
                return block
        return None

    def _sight(self, block: _Block, reference: str) -> Sighting:
        references = [t.reference for t in block.transactions]
        receipt = AnchorReceipt(
            contract=MEMORY_CONTRACT,
            transaction=reference,
            block_number=block.number,
            block_hash=block.block_hash,
            log_index=references.index(reference),
            timestamp=block.timestamp,
        )
        return Sighting(receipt, depth=len(self._blocks) - block.number, gas_used=0)


def _refuse_other_chain(chain: str) -> None:
    if chain != MEMORY_CHAIN:
        raise AnchorBackendMismatch(f"found a transaction of {chain}, want {MEMORY_CHAIN}")
