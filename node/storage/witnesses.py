"""What this node has cosigned of other logs, and what others have cosigned of its own."""

from typing import Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.checkpoint import Checkpoint
from node.storage.schema import checkpoints, cosignatures, witnessed
from node.storage.store import Reader
from primitives.hashing import Digest

_LINES: Final = (
    select(cosignatures.c.line)
    .where(cosignatures.c.tree_size == bindparam("size"))
    .order_by(cosignatures.c.witness)
)

# Other logs


async def last_cosigned(c: AsyncConnection, origin: str) -> Checkpoint | None:
    """Return the last checkpoint of a log that was cosigned, or None before the first."""
    row = (await c.execute(select(witnessed).where(witnessed.c.origin == origin))).first()
    if row is None:
        return None
    return Checkpoint(row.origin, row.tree_size, Digest(row.root))


async def swap_cosigned(
    c: AsyncConnection,
    checkpoint: Checkpoint,
    note: str,
    at: str,
    *,
    after: Checkpoint | None,
) -> bool:
    """Store a checkpoint if the last one still is `after`; return whether it was.

    Compare and swap: of two that are stored at once after the same one, one is.
    """
    values = {
        "tree_size": checkpoint.tree_size,
        "root": checkpoint.root,
        "note": note,
        "cosigned_at": at,
    }
    if after is None:
        if await last_cosigned(c, checkpoint.origin) is not None:
            return False
        await c.execute(insert(witnessed).values(origin=checkpoint.origin, **values))
        return True
    done = await c.execute(
        update(witnessed)
        .where(
            witnessed.c.origin == checkpoint.origin,
            witnessed.c.tree_size == after.tree_size,
            witnessed.c.root == after.root,
        )
        .values(**values)
    )
    return done.rowcount == 1


# The own log


async def save_cosignature(
    c: AsyncConnection, tree_size: int, witness: str, line: str, at: str
) -> None:
    """Keep a witness's line on a checkpoint; the first one stays."""
    known = await c.scalar(
        select(cosignatures.c.line).where(
            cosignatures.c.tree_size == tree_size, cosignatures.c.witness == witness
        )
    )
    if known is None:
        await c.execute(
            insert(cosignatures).values(
                tree_size=tree_size, witness=witness, line=line, received_at=at
            )
        )


async def cosignatures_of(c: Reader, tree_size: int) -> list[str]:
    """Return the lines on a checkpoint, in the order of the witnesses' keys."""
    rows = await c.execute(_LINES, {"size": tree_size})
    return [row.line for row in rows]


async def size_known_to(c: AsyncConnection, witness: str) -> int:
    """Return the largest size that a witness has cosigned; 0 before the first."""
    found: int | None = await c.scalar(
        select(func.max(cosignatures.c.tree_size)).where(cosignatures.c.witness == witness)
    )
    return found or 0


async def count_witnesses(c: AsyncConnection) -> int:
    """Return how many witnesses have cosigned the latest checkpoint."""
    latest = select(func.max(checkpoints.c.tree_size)).scalar_subquery()
    found: int | None = await c.scalar(
        select(func.count())
        .select_from(cosignatures)
        .where(cosignatures.c.tree_size == latest)
    )
    return found or 0
