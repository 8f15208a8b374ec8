"""That this database was restored from a backup, and what was found out since."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import challenges, inherited_marks, restorations, status_lists
from node.storage.store import Reader


async def save_restoration(c: AsyncConnection, made_at: str, restored_at: str) -> None:
    """Write down that the rows are those of a backup; nothing may be signed from now on."""
    await c.execute(
        insert(restorations).values(
            made_at=made_at, restored_at=restored_at, first_sequence=1
        )
    )


async def is_pending(c: AsyncConnection) -> bool:
    """Tell whether the last restoration has not been compared with what was published."""
    found = await c.scalar(
        select(func.count()).where(restorations.c.reconciled_at.is_(None))
    )
    return bool(found)


async def settle(c: AsyncConnection, at: str, first_sequence: int) -> None:
    """Let the node sign again, in status lists from `first_sequence` on."""
    await c.execute(
        update(restorations)
        .where(restorations.c.reconciled_at.is_(None))
        .values(reconciled_at=at, first_sequence=first_sequence)
    )


_FIRST_SEQUENCE: Final = select(func.max(restorations.c.first_sequence))


async def first_sequence(c: Reader) -> int:
    """Return the first sequence of status lists in which places are given out."""
    rows = await c.execute(_FIRST_SEQUENCE)
    found: int | None = rows.scalar()
    return found or 1


async def last_sequence(c: AsyncConnection) -> int:
    """Return the highest sequence of any status list; 0 where there is none."""
    found: int | None = await c.scalar(select(func.max(status_lists.c.sequence)))
    return found or 0


async def inherited(c: AsyncConnection, url: str) -> set[int]:
    """Return the bits of a list that were published, and belong to nobody known here."""
    rows = await c.scalars(
        select(inherited_marks.c.status_index).where(inherited_marks.c.status_list == url)
    )
    return set(rows)


async def inherit(c: AsyncConnection, url: str, indexes: Collection[int]) -> None:
    """Keep bits of a list set for which there is no credential here."""
    known = await inherited(c, url)
    values = [{"status_list": url, "status_index": i} for i in sorted(set(indexes) - known)]
    if values:
        await c.execute(insert(inherited_marks), values)


async def forget_challenges(c: AsyncConnection) -> None:
    """One that was used after the backup must not be answered once more."""
    await c.execute(delete(challenges))
