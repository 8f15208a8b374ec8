"""Figures for the console: counted in the database, a few rows each."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.anchor_store import EFFECTIVE, StoredTransaction
from node.storage.schema import credentials, status_events, transactions
from node.storage.statuses import REVOKE


@dataclass(frozen=True, slots=True)
class Spent:
    """What some transactions took."""

    transactions: int
    gas: int
    wei_at_most: int
    """Gas times what each offered at most: a chain takes no more, and mostly less."""


async def signed_by_day(c: AsyncConnection, since: str) -> dict[str, int]:
    """Return how many credentials were signed on each day, such as 2026-11-22, in UTC.

    Days without any are left out.
    """
    day = func.substr(credentials.c.signed_at, 1, 10)
    rows = await c.execute(
        select(day, func.count())
        .where(credentials.c.signed_at >= since)
        .group_by(day)
        .order_by(day)
    )
    return {str(name): int(count) for name, count in rows}


async def count_signed(c: AsyncConnection) -> int:
    """Return how many credentials were ever signed."""
    found = await c.scalar(
        select(func.count())
        .select_from(credentials)
        .where(credentials.c.signed_at.is_not(None))
    )
    return found or 0


async def count_revoked(c: AsyncConnection) -> int:
    """Return how many credentials were taken back."""
    found = await c.scalar(
        select(func.count(func.distinct(status_events.c.credential))).where(
            status_events.c.action == REVOKE
        )
    )
    return found or 0


async def recent_transactions(c: AsyncConnection, most: int) -> list[StoredTransaction]:
    """Return the latest transactions, newest first, whatever became of them."""
    rows = await c.execute(
        select(transactions)
        .order_by(transactions.c.stored_at.desc(), transactions.c.nonce.desc())
        .limit(most)
    )
    return [StoredTransaction(**row._mapping) for row in rows]  # noqa: SLF001


def spent_on(sent: list[StoredTransaction]) -> Spent:
    """Return what those of the transactions took that stand in a chain."""
    mined = [one for one in sent if one.state in EFFECTIVE and one.gas_used is not None]
    return Spent(
        len(mined),
        sum(one.gas_used or 0 for one in mined),
        sum((one.gas_used or 0) * (one.max_fee or 0) for one in mined),
    )
