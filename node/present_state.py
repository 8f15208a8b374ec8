"""How the node stands at this moment, in numbers, from its database alone."""

from collections.abc import Mapping
from datetime import datetime

from node.anchor_state import AnchorState, anchor_state
from node.node import Node
from node.storage import ledger
from primitives.instants import parse_instant


async def present_state(node: Node) -> Mapping[str, tuple[str, float]]:
    """Return gauges: by name, what each means and its value.

    Raises:
        StorageFailed: The database cannot be read.
    """
    state = await anchor_state(node, node.config.chain.chain_id)
    async with node.reading() as c:
        waiting, since = await ledger.queue_state(c)
        length = await ledger.log_length(c)
    now = node.instant()
    return {
        "patunay_queue_entries": ("Entries that wait for their batch.", waiting),
        "patunay_queue_age_seconds": (
            "How long the oldest of them has waited.",
            _age(since, now),
        ),
        "patunay_log_leaves": ("Entries of the log.", length),
        "patunay_checkpoint_leaves": (
            "Entries that the last signed checkpoint covers.",
            state.checkpoint.tree_size if state.checkpoint is not None else 0,
        ),
        "patunay_chain_lag_seconds": (
            "How long the last checkpoint has waited for its block; 0 once it has one.",
            _lag(state, now),
        ),
        "patunay_chain_seen_seconds": (
            "How long ago the chain last told of an anchor that is not final yet.",
            _seen(state, now),
        ),
        "patunay_anchors_waiting": (
            "Transactions that are not in the chain.",
            len(state.waiting),
        ),
        "patunay_anchors_unsettled": (
            "Transactions that are in the chain, and not final.",
            state.unsettled,
        ),
        "patunay_anchor_offered_fee_wei": (
            "What the last transaction offers for a unit of gas.",
            (state.transaction.max_fee or 0) if state.transaction is not None else 0,
        ),
        "patunay_anchor_depth_blocks": (
            "Blocks from the last anchor to the head of the chain, at the last look.",
            (state.transaction.depth or 0) if state.transaction is not None else 0,
        ),
        "patunay_anchor_trouble": (
            "Whether something keeps anchors from the chain.",
            state.trouble is not None,
        ),
        "patunay_sealed": (
            "Whether the node waits for its passphrase.",
            node.unlocked is None,
        ),
    }


def _age(since: str | None, now: datetime) -> float:
    return max(0.0, (now - parse_instant(since)).total_seconds()) if since else 0.0


def _lag(state: AnchorState, now: datetime) -> float:
    if state.checkpoint is None or state.anchored:
        return 0.0
    return _age(state.checkpoint.created_at, now)


def _seen(state: AnchorState, now: datetime) -> float:
    live = state.transaction
    if state.settled or live is None:
        return 0.0
    return _age(live.seen_at, now)
