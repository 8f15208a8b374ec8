"""What anybody may see of the node's log: how far it goes, and where it is anchored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from anchoring.record import digest_cid
from credentials.policy import DEVELOPMENT_CHAINS
from node.chain_presets import explorer_link
from node.node import Node
from node.storage import anchor_store, ledger
from node.storage.anchor_store import CheckpointLine, StoredTransaction
from node.storage.receipts import anchors_of
from node.storage.registry import list_issuers
from primitives.instants import parse_instant

SHOWN_CHECKPOINTS: Final = 20
"""One anchor an hour: most of a day. Each older one is named by the one after it."""


@dataclass(frozen=True, slots=True)
class ShownAnchor:
    """One transaction that anchors a checkpoint."""

    chain: str
    """CAIP-2 id."""

    transaction: str
    block_number: int
    at: datetime
    """Time of the block, aware."""

    is_test: bool
    """Whether anyone can set the clock of the chain."""

    explorer: str | None
    """Address of a page about the transaction; None for a chain without one."""


@dataclass(frozen=True, slots=True)
class ShownCheckpoint:
    """One checkpoint."""

    tree_size: int
    record: str
    """CID of its anchor record."""

    signed_at: datetime
    """By the node's own clock; aware."""

    anchors: tuple[ShownAnchor, ...]
    """Empty while none stands in a chain."""


@dataclass(frozen=True, slots=True)
class Transparency:
    """What the public page says of the log."""

    log: str
    vkey: str
    tree_size: int
    """Of the last checkpoint; 0 before the first."""

    waiting: int
    """Entries in the queue."""

    issuers: tuple[tuple[str, str], ...]
    """Name and DID."""

    checkpoints: tuple[ShownCheckpoint, ...]
    """The latest first, at most `SHOWN_CHECKPOINTS`."""


async def read_transparency(node: Node) -> Transparency:
    """Return where the log stands, from the database alone."""
    async with node.reading() as c:
        lines = await anchor_store.recent_checkpoints(c, SHOWN_CHECKPOINTS)
        sent = {line.tree_size: await anchors_of(c, line.tree_size) for line in lines}
        waiting, _ = await ledger.queue_state(c)
        issuers = await list_issuers(c)
    return Transparency(
        log=node.config.log_name,
        vkey=str(node.vkey),
        tree_size=lines[0].tree_size if lines else 0,
        waiting=waiting,
        issuers=tuple((issuer.name, issuer.did) for issuer in issuers),
        checkpoints=tuple(_shown(line, sent[line.tree_size]) for line in lines),
    )


def _shown(line: CheckpointLine, sent: list[StoredTransaction]) -> ShownCheckpoint:
    return ShownCheckpoint(
        line.tree_size,
        digest_cid(line.record_digest),
        parse_instant(line.created_at),
        tuple(anchor for one in sent if (anchor := shown_anchor(one)) is not None),
    )


def shown_anchor(sent: StoredTransaction) -> ShownAnchor | None:
    """Return what is shown of a transaction; None while it is in no block."""
    if sent.block_number is None or sent.block_time is None:
        return None
    return ShownAnchor(
        sent.chain,
        sent.reference,
        sent.block_number,
        parse_instant(sent.block_time),
        sent.chain in DEVELOPMENT_CHAINS,
        explorer_link(sent.chain, sent.reference),
    )
