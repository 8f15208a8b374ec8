"""Checkpoints, and the transactions that anchor them.

    leaf -> checkpoint -> transaction

Each arrow is one transaction of the database, so a crash leaves either side of it. What
comes before a leaf is in `node.storage.ledger`.

Several transactions of one checkpoint can have one nonce: the later ones offer more. Of
these candidates one at most is live.

    stored      signed; not known to have been sent
    sent        handed to the network
    taken       another transaction has used its nonce, not yet for ever
    mined       in the chain
    confirmed   in the chain, at the configured depth
    final       in the chain for ever
    replaced    another candidate of its nonce is the live one
    lost        another transaction has used its nonce for ever
    reverted    mined and undone, for ever
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import anchor_troubles, checkpoints, transactions
from node.storage.store import Reader
from primitives.errors import Rejected
from primitives.hashing import Digest

EFFECTIVE: Final = frozenset({"mined", "confirmed", "final"})
"""States of a transaction whose event stands in the chain, as far as is known."""

DEAD: Final = frozenset({"replaced", "lost", "reverted"})
"""States of a transaction beside which there may be another for the same."""


class LogSplit(Rejected):
    """Another process has signed a checkpoint meanwhile; this one must not be."""

    code = "log-conflict"
    hint = "another process anchors for this node: leave it to that one"


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint that was signed, and the anchor record made for it."""

    tree_size: int
    root: Digest
    note: str
    record: bytes
    record_digest: Digest
    created_at: str


@dataclass(frozen=True, slots=True)
class CheckpointLine:
    """A checkpoint in a list of them."""

    tree_size: int
    record_digest: Digest
    created_at: str


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """A transaction that was signed, whatever became of it."""

    reference: str
    tree_size: int
    chain: str
    contract: str
    sender: str
    nonce: int
    raw: bytes
    state: str
    """See above."""

    block_number: int | None = None
    block_hash: str | None = None
    log_index: int | None = None
    block_time: str | None = None
    gas_used: int | None = None
    stored_at: str = ""
    max_fee: int | None = None
    """What it offers, in wei per gas."""

    depth: int | None = None
    """Blocks from its own to the head, at the last look."""

    waits_since: int | None = None
    """Height of the chain at the first look that did not show it mined."""

    seen_at: str | None = None
    """When the chain was last asked about it."""

    @property
    def is_live(self) -> bool:
        """Whether it is on its way, or in the chain."""
        return self.state not in DEAD

    @property
    def is_effective(self) -> bool:
        """Whether its event stands in the chain, as far as is known."""
        return self.state in EFFECTIVE


@dataclass(frozen=True, slots=True)
class AnchorTrouble:
    """What keeps an anchor from its chain."""

    code: str
    detail: str
    hint: str
    since: str
    seen_at: str


# Checkpoints

_OF_SIZE: Final = select(checkpoints).where(checkpoints.c.tree_size == bindparam("size"))


async def latest_checkpoint(c: AsyncConnection) -> StoredCheckpoint | None:
    """Return the largest checkpoint, or None before the first."""
    row = (
        await c.execute(
            select(checkpoints).order_by(checkpoints.c.tree_size.desc()).limit(1)
        )
    ).first()
    return _checkpoint(row)


async def find_checkpoint(c: Reader, tree_size: int) -> StoredCheckpoint | None:
    """Return the checkpoint of that size, or None if none was signed."""
    return _checkpoint((await c.execute(_OF_SIZE, {"size": tree_size})).first())


async def find_record(c: AsyncConnection, digest: Digest) -> StoredCheckpoint | None:
    """Return the checkpoint whose record has that digest, or None if there is none."""
    row = (
        await c.execute(select(checkpoints).where(checkpoints.c.record_digest == digest))
    ).first()
    return _checkpoint(row)


async def size_before(c: AsyncConnection, tree_size: int) -> int:
    """Return the size of the largest checkpoint below `tree_size`; 0 if there is none."""
    found: int | None = await c.scalar(
        select(func.max(checkpoints.c.tree_size)).where(checkpoints.c.tree_size < tree_size)
    )
    return found or 0


async def all_checkpoints(c: AsyncConnection) -> list[StoredCheckpoint]:
    """Return every checkpoint, smallest first."""
    rows = await c.execute(select(checkpoints).order_by(checkpoints.c.tree_size))
    return [found for row in rows if (found := _checkpoint(row)) is not None]


async def recent_checkpoints(c: AsyncConnection, most: int) -> list[CheckpointLine]:
    """Return the largest checkpoints, largest first, without their records."""
    columns = (
        checkpoints.c.tree_size,
        checkpoints.c.record_digest,
        checkpoints.c.created_at,
    )
    rows = await c.execute(
        select(*columns).order_by(checkpoints.c.tree_size.desc()).limit(most)
    )
    return [CheckpointLine(size, Digest(digest), at) for size, digest, at in rows]


async def page_checkpoints(
    c: AsyncConnection, below: int | None, limit: int
) -> list[StoredCheckpoint]:
    """Return up to `limit` checkpoints smaller than `below`, largest first."""
    query = select(checkpoints).order_by(checkpoints.c.tree_size.desc()).limit(limit)
    if below is not None:
        query = query.where(checkpoints.c.tree_size < below)
    rows = await c.execute(query)
    return [found for row in rows if (found := _checkpoint(row)) is not None]


async def save_checkpoint(
    c: AsyncConnection, checkpoint: StoredCheckpoint, after: int
) -> None:
    """Add a checkpoint if the largest one still is that of size `after`.

    Compare and swap: never two checkpoints of one size, never a smaller after a larger.

    Raises:
        LogSplit: Another process was faster.
    """
    latest = await latest_checkpoint(c)
    found = latest.tree_size if latest is not None else 0
    if found != after or checkpoint.tree_size <= found:
        raise LogSplit(f"found a checkpoint of size {found}, want {after}")
    await c.execute(
        insert(checkpoints).values(
            tree_size=checkpoint.tree_size,
            root=checkpoint.root,
            note=checkpoint.note,
            record=checkpoint.record,
            record_digest=checkpoint.record_digest,
            created_at=checkpoint.created_at,
        )
    )


def _checkpoint(row: object) -> StoredCheckpoint | None:
    if row is None:
        return None
    found = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001
    found["root"], found["record_digest"] = (
        Digest(found["root"]),
        Digest(found["record_digest"]),
    )
    return StoredCheckpoint(**found)


# Transactions


async def save_transaction(c: AsyncConnection, made: StoredTransaction) -> None:
    """Add a transaction before it is sent."""
    await c.execute(
        insert(transactions).values(
            reference=made.reference,
            tree_size=made.tree_size,
            chain=made.chain,
            contract=made.contract,
            sender=made.sender,
            nonce=made.nonce,
            raw=made.raw,
            state=made.state,
            stored_at=made.stored_at,
            max_fee=made.max_fee,
        )
    )


async def update_transaction(
    c: AsyncConnection, reference: str, **values: str | int | None
) -> None:
    """Record what became of a transaction."""
    await c.execute(
        update(transactions).where(transactions.c.reference == reference).values(**values)
    )


async def bury_transactions(
    c: AsyncConnection, references: Collection[str], state: str
) -> None:
    """Give transactions one of the states in which they are not live."""
    await c.execute(
        update(transactions)
        .where(transactions.c.reference.in_(references))
        .values(state=state)
    )


async def all_transactions(c: AsyncConnection) -> list[StoredTransaction]:
    """Return every transaction, in the order in which they were stored."""
    t = transactions.c
    rows = await c.execute(select(transactions).order_by(t.stored_at, t.nonce, t.max_fee))
    return [StoredTransaction(**row._mapping) for row in rows]  # noqa: SLF001


async def transactions_of(
    c: AsyncConnection, sizes: Collection[int]
) -> list[StoredTransaction]:
    """Return the transactions of checkpoints, in the order in which they were stored."""
    rows = await c.execute(
        select(transactions)
        .where(transactions.c.tree_size.in_(sizes))
        .order_by(transactions.c.stored_at, transactions.c.nonce)
    )
    return [StoredTransaction(**row._mapping) for row in rows]  # noqa: SLF001


def free_nonce(sent: Iterable[StoredTransaction], chain: str, *senders: str) -> int:
    """Return the lowest nonce above those that live transactions of an account hold.

    Args:
        sent: `all_transactions`.
        chain: CAIP-2 id.
        senders: Names of the account, in the spelling in which it was stored.
    """
    held = (t.nonce for t in sent if t.is_live and t.chain == chain and t.sender in senders)
    return max(held, default=-1) + 1


# Troubles


async def save_trouble(c: AsyncConnection, chain: str, trouble: AnchorTrouble) -> None:
    """Remember what keeps anchors from a chain, and since when it is so."""
    before = await find_trouble(c, chain)
    lasts = before is not None and before.code == trouble.code
    since = before.since if before is not None and lasts else trouble.since
    await forget_trouble(c, chain)
    await c.execute(
        insert(anchor_troubles).values(
            chain=chain,
            code=trouble.code,
            detail=trouble.detail,
            hint=trouble.hint,
            since=since,
            seen_at=trouble.seen_at,
        )
    )


async def find_trouble(c: AsyncConnection, chain: str | None) -> AnchorTrouble | None:
    """Return what keeps anchors from a chain, or from any; None if nothing does."""
    t = anchor_troubles.c
    asked = select(t.code, t.detail, t.hint, t.since, t.seen_at)
    if chain is not None:
        asked = asked.where(t.chain == chain)
    row = (await c.execute(asked.order_by(t.seen_at.desc()).limit(1))).first()
    return None if row is None else AnchorTrouble(**row._mapping)  # noqa: SLF001


async def forget_trouble(c: AsyncConnection, chain: str) -> None:
    """Nothing keeps anchors from that chain any more."""
    await c.execute(delete(anchor_troubles).where(anchor_troubles.c.chain == chain))
