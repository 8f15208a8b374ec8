"""Taking over entries and checkpoints that were published and are not stored here."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from node.storage.anchor_store import StoredCheckpoint
from node.storage.schema import checkpoints, credentials, entries, status_lists
from primitives.hashing import Digest


async def adopt_leaves(
    c: AsyncConnection,
    start: int,
    leaves: Sequence[tuple[EntryKind, Digest]],
    subjects: Mapping[int, str],
    times: Mapping[int, str],
    at: str,
) -> int:
    """Give the leaves from `start` on their places; return how many credentials are new.

    What waits in the queue and is one of them gets that place; the others are added, with
    the subject and the time that are known of them by place; without, none, and `at`. No
    time is taken that is before that of an earlier leaf.
    """
    rows = await c.execute(
        select(entries.c.seq, entries.c.kind, entries.c.digest)
        .where(entries.c.leaf_index.is_(None))
        .order_by(entries.c.seq)
    )
    queued: dict[tuple[int, bytes], list[int]] = {}
    for row in rows:
        queued.setdefault((row.kind, bytes(row.digest)), []).append(row.seq)
    floor: str = (
        await c.scalar(
            select(func.max(entries.c.queued_at)).where(entries.c.leaf_index.is_not(None))
        )
    ) or ""
    unknown = 0
    for index, (kind, digest) in enumerate(leaves, start):
        waiting = queued.get((int(kind), bytes(digest)))
        if waiting:
            seq = waiting.pop(0)
            await c.execute(
                update(entries).where(entries.c.seq == seq).values(leaf_index=index)
            )
            continue
        subject = subjects.get(index, f"unknown leaf {index}")
        unknown += kind is EntryKind.CREDENTIAL
        if index in times:
            floor = max(floor, times[index])
        await c.execute(
            insert(entries).values(
                leaf_index=index,
                kind=int(kind),
                digest=digest,
                subject=subject,
                queued_at=floor if index in times else at,
            )
        )
    return unknown


async def adopt_checkpoint(c: AsyncConnection, made: StoredCheckpoint) -> None:
    """Add a checkpoint that this node has signed, and forgotten."""
    await c.execute(
        insert(checkpoints).values(
            tree_size=made.tree_size,
            root=made.root,
            note=made.note,
            record=made.record,
            record_digest=made.record_digest,
            created_at=made.created_at,
        )
    )


async def is_logged(c: AsyncConnection, digest: Digest) -> bool:
    """Tell whether a document is in the log, or waits for it."""
    found = await c.scalar(select(entries.c.seq).where(entries.c.digest == digest).limit(1))
    return found is not None


async def credentials_by_place(
    c: AsyncConnection, issuer: str, name: str, sequence: int
) -> dict[int, str]:
    """Return the UUIDs of the credentials in the lists of that sequence, by index."""
    rows = await c.execute(
        select(credentials.c.status_index, credentials.c.uuid)
        .join(status_lists, credentials.c.status_list == status_lists.c.url)
        .where(
            status_lists.c.issuer == issuer,
            status_lists.c.name == name,
            status_lists.c.sequence == sequence,
        )
    )
    return {row.status_index: row.uuid for row in rows}
