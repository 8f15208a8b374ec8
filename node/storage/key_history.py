"""What the log holds about an issuer's keys: DID documents and key events, oldest first.

There is no table of its own: every version and every event is a leaf, or waits to be one,
so the queue and the log tell the history in the order in which it was made.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from credentials.policy import DEVELOPMENT_CHAINS
from node.storage.schema import credentials, documents, entries, transactions


async def logged_documents(
    c: AsyncConnection, subject: str, kind: EntryKind
) -> list[tuple[str, str]]:
    """Return the JSON of a subject's documents of that kind, and when each was made."""
    logged = await c.execute(
        select(entries.c.digest, entries.c.queued_at)
        .where(entries.c.subject == subject, entries.c.kind == int(kind))
        .order_by(entries.c.seq)
    )
    found: list[tuple[str, str]] = []
    for row in logged.all():
        body: str = (
            await c.execute(
                select(documents.c.body).where(documents.c.sha256 == row.digest.hex())
            )
        ).scalar_one()
        found.append((body, row.queued_at))
    return found


async def signed_between(
    c: AsyncConnection, issuer: str, start: str, end: str, *, after: str, limit: int
) -> list[tuple[str, str, str]]:
    """Return up to `limit` signed credentials of an issuer: UUID, time signed, JSON.

    Those signed from `start` to `end`, both included, in the order of UUIDs, after `after`.
    """
    rows = await c.execute(
        select(credentials.c.uuid, credentials.c.signed_at, credentials.c.document)
        .where(
            credentials.c.issuer == issuer,
            credentials.c.signed_at >= start,
            credentials.c.signed_at <= end,
            credentials.c.uuid > after,
        )
        .order_by(credentials.c.uuid)
        .limit(limit)
    )
    return [(row.uuid, row.signed_at, row.document) for row in rows]


async def anchored_size(c: AsyncConnection, before: str) -> int:
    """Return the size of the largest checkpoint anchored before that time, or 0.

    Development chains do not count: their time is anyone's.
    """
    found: int | None = await c.scalar(
        select(transactions.c.tree_size)
        .where(
            transactions.c.state.in_(("mined", "final")),
            transactions.c.chain.not_in(DEVELOPMENT_CHAINS),
            transactions.c.block_time < before,
        )
        .order_by(transactions.c.tree_size.desc())
        .limit(1)
    )
    return found or 0
