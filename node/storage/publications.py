"""Which anchor records have been handed to IPFS, and what stood in the way.

A row is written after Kubo has pinned a record, or has not: without one, the record was not
tried yet. Handing a record over again changes nothing, so a crash in between loses nothing.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.attempts import save_attempt
from node.storage.schema import checkpoints, publications


@dataclass(frozen=True, slots=True)
class PublicationState:
    """Where handing records to IPFS stands."""

    published: int
    """Records that are pinned."""

    waiting: int
    """Records that are not."""

    attempts: int
    """At the oldest of those that wait."""

    problem: str | None
    """What stood in the way of that one last, with its code; None before the first try."""

    tried_at: str | None


async def unpublished_sizes(c: AsyncConnection, limit: int) -> list[int]:
    """Return the tree sizes of up to `limit` records that wait, smallest first."""
    rows = await c.scalars(_waiting(select(checkpoints.c.tree_size)).limit(limit))
    return list(rows)


async def save_published(c: AsyncConnection, tree_size: int, at: str) -> None:
    """Write down that a record is pinned."""
    await save_attempt(
        c, publications.c.tree_size, tree_size, published_at=at, tried_at=at, problem=None
    )


async def save_failed(c: AsyncConnection, tree_size: int, problem: str, at: str) -> None:
    """Write down what stood in the way of a record."""
    await save_attempt(c, publications.c.tree_size, tree_size, problem=problem, tried_at=at)


async def publication_state(c: AsyncConnection) -> PublicationState:
    """Return where handing records to IPFS stands."""
    published = await c.scalar(
        select(func.count(publications.c.published_at)).select_from(publications)
    )
    total = await c.scalar(select(func.count()).select_from(checkpoints))
    oldest = (
        await c.execute(
            _waiting(
                select(
                    publications.c.attempts, publications.c.problem, publications.c.tried_at
                )
            ).limit(1)
        )
    ).first()
    done = published or 0
    return PublicationState(
        done,
        (total or 0) - done,
        (oldest.attempts or 0) if oldest is not None else 0,
        oldest.problem if oldest is not None else None,
        oldest.tried_at if oldest is not None else None,
    )


def _waiting(query: Select[Any]) -> Select[Any]:
    """Restrict a query to records that are not pinned, smallest first."""
    joined = checkpoints.outerjoin(
        publications, publications.c.tree_size == checkpoints.c.tree_size
    )
    return (
        query.select_from(joined)
        .where(publications.c.published_at.is_(None))
        .order_by(checkpoints.c.tree_size)
    )
