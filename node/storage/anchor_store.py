"""Checkpoints, and the transactions that anchor them.

    leaf -> checkpoint -> transaction

Each arrow is one transaction of the database, so a crash leaves either side of it. What
comes before a leaf is in `node.storage.ledger`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import checkpoints, transactions
from primitives.errors import Rejected
from primitives.hashing import Digest


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
    """`stored`, `sent`, `mined`, `final` or `lost`."""

    block_number: int | None = None
    block_hash: str | None = None
    log_index: int | None = None
    block_time: str | None = None
    gas_used: int | None = None
    stored_at: str = ""


# Checkpoints


async def latest_checkpoint(c: AsyncConnection) -> StoredCheckpoint | None:
    """Return the largest checkpoint, or None before the first."""
    row = (
        await c.execute(
            select(checkpoints).order_by(checkpoints.c.tree_size.desc()).limit(1)
        )
    ).first()
    return _checkpoint(row)


async def find_checkpoint(c: AsyncConnection, tree_size: int) -> StoredCheckpoint | None:
    """Return the checkpoint of that size, or None if none was signed."""
    row = (
        await c.execute(select(checkpoints).where(checkpoints.c.tree_size == tree_size))
    ).first()
    return _checkpoint(row)


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
        )
    )


async def update_transaction(
    c: AsyncConnection, reference: str, **values: str | int | None
) -> None:
    """Record what became of a transaction."""
    await c.execute(
        update(transactions).where(transactions.c.reference == reference).values(**values)
    )


async def all_transactions(c: AsyncConnection) -> list[StoredTransaction]:
    """Return every transaction, in the order in which they were stored."""
    rows = await c.execute(
        select(transactions).order_by(transactions.c.stored_at, transactions.c.nonce)
    )
    return [StoredTransaction(**row._mapping) for row in rows]  # noqa: SLF001


async def transactions_covering(
    c: AsyncConnection, leaf_index: int, states: Iterable[str]
) -> list[StoredTransaction]:
    """Return those in `states` of the smallest such checkpoint that covers a leaf."""
    reached = transactions.c.state.in_(list(states))
    size: int | None = await c.scalar(
        select(func.min(transactions.c.tree_size)).where(
            reached, transactions.c.tree_size > leaf_index
        )
    )
    rows = await c.execute(
        select(transactions)
        .where(reached, transactions.c.tree_size == size)
        .order_by(transactions.c.stored_at, transactions.c.nonce)
    )
    return [StoredTransaction(**row._mapping) for row in rows]  # noqa: SLF001
