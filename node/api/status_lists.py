"""GET /status-lists: how far each list is filled. The lists themselves are public files."""

from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from node.api.guard import ACTOR, needs
from node.api.listing import Listing, Span
from node.api.operation import described
from node.api.schema import Instant
from node.permissions import Action
from node.storage.statuses import StoredList, marked_indexes, page_lists, used_indexes

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class StatusListShown:
    """One status list."""

    url: str
    """Where verifiers read it."""

    issuer: str
    """Slug."""

    name: str
    """As templates call it."""

    purpose: Literal["revocation", "suspension"]
    version: int
    """1, and one more with each change."""

    used: int
    """Credentials that have their place in it."""

    marked: int
    """Of these, how many are revoked, or suspended."""

    created_at: Instant


@dataclass(frozen=True, slots=True)
class StatusListPage:
    """Status lists, by address."""

    lists: tuple[StatusListShown, ...]
    next: str | None
    """Cursor of the next page; null on the last."""


_LISTS: Final = Listing(
    "The status lists of this node, and how far they are filled",
    StatusListPage,
    by={"url": str},
)


@routes.get("/status-lists")
@described(_LISTS.operation)
@needs(Action.CREDENTIAL_READ)
async def list_them(request: web.Request) -> web.Response:
    """List the status lists."""

    async def look(c: AsyncConnection, span: Span) -> list[StatusListShown]:
        (after,) = span.place or ("",)
        found = await page_lists(c, request[ACTOR].issuers, after, span.limit)
        return [await _shown(c, one) for one in found]

    return await _LISTS.answer(request, look)


async def _shown(c: AsyncConnection, one: StoredList) -> StatusListShown:
    used = await used_indexes(c, one.issuer, one.name, one.sequence)
    return StatusListShown(
        url=one.url,
        issuer=one.issuer,
        name=one.name,
        purpose="revocation" if one.purpose == "revocation" else "suspension",
        version=one.version,
        used=len(used),
        marked=len(await marked_indexes(c, one.url)),
        created_at=one.created_at,
    )
