"""How a thing that is tried until it succeeds was tried last, and how often."""

from sqlalchemy import Column, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection


async def save_attempt(
    c: AsyncConnection, key: Column[str] | Column[int], value: object, **values: object
) -> None:
    """Write down how one more attempt has ended.

    Args:
        c: For writing.
        key: Of a table with a column `attempts`, which has one row for each value of it.
        value: Of the thing that was tried.
        values: What is to be known of this attempt.
    """
    table = key.table
    done = await c.execute(
        update(table).where(key == value).values(attempts=table.c.attempts + 1, **values)
    )
    if not done.rowcount:
        first = {key.name: value, "attempts": 1, **values}
        await c.execute(insert(table).values(first))
