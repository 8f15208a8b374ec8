"""The audit log's rows. Nothing here changes or removes one."""

from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.audit_chain import Head, StoredEntry
from node.storage.schema import audit_entries, audit_head


async def lock_head(c: AsyncConnection) -> Head:
    """Return the log's head, which nobody else changes before this transaction ends."""
    row = (await c.execute(select(audit_head).with_for_update())).one()
    return Head(row.sequence, row.digest)


async def read_head(c: AsyncConnection) -> Head:
    """Return the log's head."""
    row = (await c.execute(select(audit_head))).one()
    return Head(row.sequence, row.digest)


async def append_entries(c: AsyncConnection, entries: Sequence[StoredEntry]) -> None:
    """Add entries, at least one, that follow the head, which `lock_head` gave."""
    await c.execute(
        insert(audit_entries),
        [
            {"sequence": one.sequence, "body": one.body, "digest": one.digest}
            for one in entries
        ],
    )
    last = entries[-1]
    await c.execute(update(audit_head).values(sequence=last.sequence, digest=last.digest))


async def read_entries(c: AsyncConnection, after: int, limit: int) -> list[StoredEntry]:
    """Return up to `limit` entries that follow number `after`, in order."""
    rows = await c.execute(
        select(audit_entries)
        .where(audit_entries.c.sequence > after)
        .order_by(audit_entries.c.sequence)
        .limit(limit)
    )
    return [StoredEntry(row.sequence, row.body, row.digest) for row in rows]
