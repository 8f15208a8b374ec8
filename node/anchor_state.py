"""Where anchoring stands, from the database alone."""

from dataclasses import dataclass

from node.node import Node
from node.storage import anchor_store
from node.storage.anchor_store import AnchorTrouble, StoredCheckpoint, StoredTransaction


@dataclass(frozen=True, slots=True)
class AnchorState:
    """Where anchoring stands."""

    checkpoint: StoredCheckpoint | None
    """The latest one; None before the first."""

    transaction: StoredTransaction | None
    """Its live transaction."""

    waiting: tuple[StoredTransaction, ...] = ()
    """Transactions of any checkpoint that are not in the chain, in the order of their
    nonces, which is the order in which the chain takes them."""

    unsettled: int = 0
    """Transactions that are in the chain and not final."""

    attempts: int = 0
    """Transactions that were signed for the latest checkpoint."""

    trouble: AnchorTrouble | None = None
    """What keeps it from going on."""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do until the next checkpoint."""
        return not self.waiting and (
            self.checkpoint is None
            or (self.transaction is not None and self.transaction.state == "final")
        )

    @property
    def anchored(self) -> bool:
        """Whether the latest checkpoint stands in the chain, final or not yet."""
        return self.checkpoint is None or (
            self.transaction is not None and self.transaction.is_effective
        )


async def anchor_state(node: Node, chain: str | None = None) -> AnchorState:
    """Return where anchoring stands, from the database alone.

    Args:
        node: Open; need not be unlocked.
        chain: Look at the transactions of this chain alone, by its CAIP-2 id.
    """
    async with node.reading() as c:
        checkpoint = await anchor_store.latest_checkpoint(c)
        stored = await anchor_store.all_transactions(c)
        trouble = await anchor_store.find_trouble(c, chain)
    here = [t for t in stored if chain in (None, t.chain)]
    live = [t for t in here if t.is_live]
    size = checkpoint.tree_size if checkpoint is not None else 0
    own = [t for t in live if t.tree_size == size]
    return AnchorState(
        checkpoint,
        own[-1] if own else None,
        tuple(sorted((t for t in live if not t.is_effective), key=lambda t: t.nonce)),
        unsettled=sum(t.is_effective and t.state != "final" for t in live),
        attempts=sum(t.tree_size == size for t in here),
        trouble=trouble,
    )
