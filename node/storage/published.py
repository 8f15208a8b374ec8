"""By what to notice that static files are older than the database."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import checkpoints, cosignatures, entries, issuers, status_lists


@dataclass(frozen=True, slots=True)
class PublishedMarks:
    """What changes whenever a static file has to."""

    identities: tuple[tuple[str, str, int], ...]
    """Slug and DID document of each issuer, and the newest entry about that DID."""

    lists: Mapping[str, int]
    """Version of each status list, by URL."""

    checkpoint: tuple[int, int]
    """Size of the latest checkpoint, and how many have cosigned it."""


async def published_marks(c: AsyncConnection) -> PublishedMarks:
    """Return the marks, in one snapshot."""
    newest = (
        select(func.max(entries.c.seq))
        .where(entries.c.subject == issuers.c.did)
        .scalar_subquery()
    )
    known = await c.execute(
        select(issuers.c.slug, issuers.c.document, newest.label("newest")).order_by(
            issuers.c.slug
        )
    )
    lists = await c.execute(select(status_lists.c.url, status_lists.c.version))
    size: int | None = await c.scalar(select(func.max(checkpoints.c.tree_size)))
    count: int | None = await c.scalar(
        select(func.count())
        .select_from(cosignatures)
        .where(cosignatures.c.tree_size == (size or 0))
    )
    return PublishedMarks(
        tuple((row.slug, row.document, row.newest or 0) for row in known),
        {row.url: row.version for row in lists},
        (size or 0, count or 0),
    )
