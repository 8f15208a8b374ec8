"""GET /status-lists: how far each list is filled. The lists themselves are public files."""

from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from node.api.context import NODE
from node.api.guard import ACTOR, needs
from node.api.operation import Answer, Operation, described
from node.api.paging import (
    CursorMalformed,
    PageQuery,
    page_of,
    page_response,
    query_of,
    read_cursor,
)
from node.api.schema import Instant
from node.permissions import Action
from node.storage.statuses import marked_indexes, page_lists, used_indexes

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


@routes.get("/status-lists")
@described(
    Operation(
        "The status lists of this node, and how far they are filled",
        {200: Answer("A page of them.", StatusListPage)},
        errors=(CursorMalformed,),
        query=PageQuery,
    )
)
@needs(Action.CREDENTIAL_READ)
async def list_them(request: web.Request) -> web.Response:
    """List the status lists."""
    query, actor = query_of(request, PageQuery), request[ACTOR]
    (after,) = read_cursor(query, str) or ("",)
    async with request.app[NODE].reading() as c:
        found = await page_lists(c, actor.issuers, after, query.limit + 1)
        listed, following = page_of(found, query.limit, lambda one: (one.url,))
        shown = []
        for one in listed:
            used = await used_indexes(c, one.issuer, one.name, one.sequence)
            shown.append(
                StatusListShown(
                    url=one.url,
                    issuer=one.issuer,
                    name=one.name,
                    purpose="revocation" if one.purpose == "revocation" else "suspension",
                    version=one.version,
                    used=len(used),
                    marked=len(await marked_indexes(c, one.url)),
                    created_at=one.created_at,
                )
            )
    return page_response(request, StatusListPage(tuple(shown), following))
