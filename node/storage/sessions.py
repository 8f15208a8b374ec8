"""Sessions of the console: kept as digests, so that a copy of the database opens none."""

from typing import Final

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import sessions
from node.storage.store import Reader

_BY_SECRET: Final = select(sessions.c.token, sessions.c.expires_at).where(
    sessions.c.secret_sha256 == bindparam("secret")
)


async def save_session(
    c: AsyncConnection, secret_sha256: str, token: str, expires_at: str
) -> None:
    """Add a session of the token with that id."""
    await c.execute(
        insert(sessions).values(
            secret_sha256=secret_sha256, token=token, expires_at=expires_at
        )
    )


async def find_session(c: Reader, secret_sha256: str) -> tuple[str, str] | None:
    """Return the token's id and when the session ends; None if there is no such."""
    row = (await c.execute(_BY_SECRET, {"secret": secret_sha256})).first()
    return None if row is None else (row.token, row.expires_at)


async def forget_session(c: AsyncConnection, secret_sha256: str) -> None:
    """End a session; one that is not there stays so."""
    await c.execute(delete(sessions).where(sessions.c.secret_sha256 == secret_sha256))


async def forget_all(c: AsyncConnection) -> None:
    """End every session."""
    await c.execute(delete(sessions))


async def forget_expired(c: AsyncConnection, now: str) -> None:
    """End every session whose time is over."""
    await c.execute(delete(sessions).where(sessions.c.expires_at <= now))
