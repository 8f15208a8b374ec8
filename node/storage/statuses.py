"""Status lists, the places in them, and what was done to the credentials there.

The events are the truth; a list's document is made from them. Nothing here removes one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import credentials, status_events, status_lists
from node.storage.store import Reader, is_storable

REVOKE = "revoke"
SUSPEND = "suspend"
REINSTATE = "reinstate"


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """One revocation, suspension, or end of a suspension."""

    credential: str
    """UUID."""

    purpose: str
    """That of the list: `revocation` or `suspension`."""

    action: str
    """`REVOKE`, `SUSPEND` or `REINSTATE`."""

    reason: str
    """The operator's words. They never leave the node."""

    at: str
    status_list: str
    """URL."""

    status_index: int
    list_version: int
    """The list's, from this event on."""


@dataclass(frozen=True, slots=True)
class StoredList:
    """A status list as the node keeps it."""

    url: str
    issuer: str
    """Slug."""

    name: str
    sequence: int
    purpose: str
    document: str
    """The signed list credential, JSON."""

    version: int
    """1, and one more with each change."""

    created_at: str


async def save_event(c: AsyncConnection, event: StatusEvent) -> None:
    """Add an event; its version of the list MUST be a new one."""
    await c.execute(
        insert(status_events).values(
            credential=event.credential,
            purpose=event.purpose,
            action=event.action,
            reason=event.reason,
            at=event.at,
            status_list=event.status_list,
            status_index=event.status_index,
            list_version=event.list_version,
        )
    )


async def events_of(c: AsyncConnection, credential: str) -> list[StatusEvent]:
    """Return what was done to a credential, by UUID, oldest first."""
    rows = await c.execute(
        select(status_events)
        .where(status_events.c.credential == credential)
        .order_by(status_events.c.seq)
    )
    return [
        StatusEvent(
            row.credential,
            row.purpose,
            row.action,
            row.reason,
            row.at,
            row.status_list,
            row.status_index,
            row.list_version,
        )
        for row in rows
    ]


async def marked_indexes(c: AsyncConnection, url: str) -> set[int]:
    """Return the indexes whose bit has to be set, after all events of a list."""
    rows = await c.execute(
        select(status_events.c.status_index, status_events.c.action)
        .where(status_events.c.status_list == url)
        .order_by(status_events.c.seq)
    )
    marked: set[int] = set()
    for row in rows:
        if row.action == REINSTATE:
            marked.discard(row.status_index)
        else:
            marked.add(row.status_index)
    return marked


async def used_indexes(
    c: AsyncConnection, issuer: str, name: str, sequence: int
) -> set[int]:
    """Return the indexes that belong to a credential, in the lists of that sequence.

    A credential has one index, in the revocation list and in the suspension list.
    """
    rows = await c.scalars(
        select(credentials.c.status_index)
        .join(status_lists, credentials.c.status_list == status_lists.c.url)
        .where(
            status_lists.c.issuer == issuer,
            status_lists.c.name == name,
            status_lists.c.sequence == sequence,
        )
    )
    return set(rows)


_LISTS_NAMED: Final = select(
    status_lists.c.purpose, status_lists.c.sequence, status_lists.c.url
).where(
    status_lists.c.issuer == bindparam("of_issuer"),
    status_lists.c.name == bindparam("of_name"),
)


async def lists_named(c: Reader, issuer: str, name: str) -> dict[tuple[str, int], str]:
    """Return the URLs of an issuer's lists of that name, by purpose and sequence."""
    rows = await c.execute(_LISTS_NAMED, {"of_issuer": issuer, "of_name": name})
    return {(row.purpose, row.sequence): row.url for row in rows}


async def used_places(
    c: AsyncConnection, urls: Collection[str], indexes: Collection[int]
) -> set[tuple[str, int]]:
    """Return which of these places in these lists belong to a credential."""
    rows = await c.execute(
        select(credentials.c.status_list, credentials.c.status_index).where(
            credentials.c.status_list.in_(urls), credentials.c.status_index.in_(indexes)
        )
    )
    return {(row.status_list, row.status_index) for row in rows}


async def find_list(c: AsyncConnection, url: str) -> StoredList | None:
    """Return the list at `url`, or None if there certainly is none."""
    if not is_storable(url):
        return None
    row = (await c.execute(select(status_lists).where(status_lists.c.url == url))).first()
    return StoredList(**row._mapping) if row is not None else None  # noqa: SLF001


async def all_lists(c: AsyncConnection) -> list[StoredList]:
    """Return every status list, by issuer, name and sequence."""
    order = (status_lists.c.issuer, status_lists.c.name, status_lists.c.sequence)
    rows = await c.execute(select(status_lists).order_by(*order, status_lists.c.purpose))
    return [StoredList(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's name


async def page_lists(
    c: AsyncConnection, issuers: Collection[str], after: str, limit: int
) -> list[StoredList]:
    """Return up to `limit` lists with addresses beyond `after`, by address.

    Args:
        c: For reading.
        issuers: Slugs; empty for those of all.
        after: The last address of the page before.
        limit: Most that are returned.
    """
    query = select(status_lists).where(status_lists.c.url > after)
    if issuers:
        query = query.where(status_lists.c.issuer.in_(issuers))
    rows = await c.execute(query.order_by(status_lists.c.url).limit(limit))
    return [StoredList(**row._mapping) for row in rows]  # noqa: SLF001


async def replace_document(
    c: AsyncConnection, url: str, document: str, version: int
) -> None:
    """Give a list its next version."""
    await c.execute(
        update(status_lists)
        .where(status_lists.c.url == url)
        .values(document=document, version=version)
    )
