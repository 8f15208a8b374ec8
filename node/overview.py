"""Where a node stands, for the people who run it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from node.anchor_state import anchor_state
from node.node import Node
from node.storage import batches, figures, ledger
from node.storage.anchor_store import AnchorTrouble, StoredTransaction
from node.storage.figures import Spent

SHOWN_DAYS: Final = 30
SHOWN_TRANSACTIONS: Final = 50


@dataclass(frozen=True, slots=True)
class Overview:
    """Where a node stands."""

    signed: int
    """Credentials, ever."""

    revoked: int
    unsigned: int
    """Drafts that wait for their signature, and not for approval."""

    waiting: int
    """Entries that wait for the log."""

    tree_size: int
    """Of the last checkpoint; 0 before the first."""

    is_sealed: bool
    anchor: StoredTransaction | None
    """The live transaction of the last checkpoint."""

    trouble: AnchorTrouble | None
    spent: Spent
    """On the latest anchors, at most `SHOWN_TRANSACTIONS`."""

    by_day: tuple[tuple[date, int], ...]
    """Credentials signed on each of the last `SHOWN_DAYS` days, in UTC, oldest first."""


async def read_overview(node: Node) -> Overview:
    """Return where the node stands, from the database alone."""
    today = node.instant().date()
    first = today - timedelta(days=SHOWN_DAYS - 1)
    state = await anchor_state(node, node.config.chain.chain_id)
    async with node.reading() as c:
        counted = await figures.signed_by_day(c, first.isoformat())
        signed, revoked = await figures.count_signed(c), await figures.count_revoked(c)
        unsigned = await batches.count_unsigned(c)
        waiting, _ = await ledger.queue_state(c)
        sent = await figures.recent_transactions(c, SHOWN_TRANSACTIONS)
    days = [first + timedelta(days=n) for n in range(SHOWN_DAYS)]
    return Overview(
        signed=signed,
        revoked=revoked,
        unsigned=unsigned,
        waiting=waiting,
        tree_size=state.checkpoint.tree_size if state.checkpoint is not None else 0,
        is_sealed=node.unlocked is None,
        anchor=state.transaction,
        trouble=state.trouble,
        spent=figures.spent_on(sent),
        by_day=tuple((day, counted.get(day.isoformat(), 0)) for day in days),
    )
