"""Challenges in the database: by digest, so that who reads it can answer none."""

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import challenges


async def save_challenge(
    c: AsyncConnection, sha256: str, *, created_at: str, expires_at: str
) -> None:
    """Add a challenge that nobody has used."""
    await c.execute(
        insert(challenges).values(
            sha256=sha256, created_at=created_at, expires_at=expires_at
        )
    )


async def count_open(c: AsyncConnection, now: str) -> int:
    """Return how many challenges have not expired, used or not."""
    found: int | None = await c.scalar(
        select(func.count()).where(challenges.c.expires_at > now)
    )
    return found or 0


async def forget_expired(c: AsyncConnection, before: str) -> None:
    """Delete the challenges that expired before that moment."""
    await c.execute(delete(challenges).where(challenges.c.expires_at < before))


async def mark_used(
    c: AsyncConnection, sha256: str, now: str, *, is_open: bool | None = None
) -> bool:
    """Use a challenge up; return whether it was there to be used.

    One statement: of several at once, whichever process they are in, one finds it unused.

    Args:
        c: For writing.
        sha256: Of the challenge.
        now: The time.
        is_open: Whether its time is not over, where the caller knows better than the clock.
    """
    if is_open is False:
        return False
    query = update(challenges).where(
        challenges.c.sha256 == sha256, challenges.c.used_at.is_(None)
    )
    if is_open is None:
        query = query.where(challenges.c.expires_at > now)
    done = await c.execute(query.values(used_at=now))
    return done.rowcount == 1


async def used_at(c: AsyncConnection, sha256: str) -> tuple[bool, str | None]:
    """Return whether there is such a challenge, and when it was used if it was."""
    row = (await c.execute(select(challenges).where(challenges.c.sha256 == sha256))).first()
    return (False, None) if row is None else (True, row.used_at)
