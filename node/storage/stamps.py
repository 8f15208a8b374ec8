"""OpenTimestamps stamps of the own checkpoints: one of each calendar."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import stamps


@dataclass(frozen=True, slots=True)
class StoredStamp:
    """What one calendar has said of one checkpoint."""

    tree_size: int
    calendar: str
    """Its URL, as configured."""

    stamp: bytes | None
    """The stamp as a file; None before the first answer."""

    height: int | None
    """The block that the calendar names, not verified; None while pending."""

    attempts: int
    """Failed ones since the last answer."""

    problem: str | None
    """What stood in the way last."""


async def find_stamp(
    c: AsyncConnection, tree_size: int, calendar: str
) -> StoredStamp | None:
    """Return what a calendar has said of a checkpoint; None if it was not asked."""
    found = await _stamps(c, stamps.c.tree_size == tree_size, stamps.c.calendar == calendar)
    return found[0] if found else None


async def stamps_of(c: AsyncConnection, tree_size: int) -> list[StoredStamp]:
    """Return what every calendar has said of a checkpoint, by the calendar's URL."""
    return await _stamps(c, stamps.c.tree_size == tree_size)


async def pending_stamps(c: AsyncConnection, calendar: str) -> list[StoredStamp]:
    """Return the stamps that a calendar has promised and named no block for."""
    return await _stamps(
        c,
        stamps.c.calendar == calendar,
        stamps.c.stamp.is_not(None),
        stamps.c.height.is_(None),
    )


async def latest_stamped(c: AsyncConnection) -> int | None:
    """Return the size of the largest checkpoint that has a stamp."""
    found: int | None = await c.scalar(
        select(func.max(stamps.c.tree_size)).where(stamps.c.stamp.is_not(None))
    )
    return found


async def save_stamp(
    c: AsyncConnection,
    tree_size: int,
    calendar: str,
    stamp: bytes,
    height: int | None,
    at: str,
) -> None:
    """Keep what a calendar has said, instead of what it said before."""
    values = {"stamp": stamp, "height": height, "attempts": 0, "problem": None}
    await _save(c, tree_size, calendar, at, values)


async def save_problem(
    c: AsyncConnection, tree_size: int, calendar: str, problem: str, at: str
) -> None:
    """Write down what stood in the way; a stamp that is there stays."""
    before = await find_stamp(c, tree_size, calendar)
    attempts = 1 + (before.attempts if before is not None else 0)
    await _save(c, tree_size, calendar, at, {"attempts": attempts, "problem": problem})


async def _stamps(c: AsyncConnection, *where: ColumnElement[bool]) -> list[StoredStamp]:
    query = select(stamps).where(*where).order_by(stamps.c.tree_size, stamps.c.calendar)
    return [
        StoredStamp(
            row.tree_size, row.calendar, row.stamp, row.height, row.attempts, row.problem
        )
        for row in await c.execute(query)
    ]


async def _save(
    c: AsyncConnection,
    tree_size: int,
    calendar: str,
    at: str,
    values: Mapping[str, bytes | int | str | None],
) -> None:
    key = {"tree_size": tree_size, "calendar": calendar}
    done = await c.execute(
        update(stamps)
        .where(stamps.c.tree_size == tree_size, stamps.c.calendar == calendar)
        .values(**values, tried_at=at)
    )
    if not done.rowcount:
        await c.execute(insert(stamps).values(**key, **values, tried_at=at))
