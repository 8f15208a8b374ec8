"""GET /audit-log: who did what, for those who audit the node."""

from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web

from node.api.context import NODE
from node.api.guard import needs
from node.api.operation import Answer, Operation, described, named
from node.api.paging import (
    CursorMalformed,
    PageQuery,
    page_of,
    page_response,
    query_of,
    read_cursor,
)
from node.api.schema import Keywords
from node.permissions import Action
from node.storage.audit_log import read_entries, read_head
from primitives.canonical_json import JsonObject
from primitives.strict_json import parse_json_object

routes = web.RouteTableDef()

_ENTRY: Final = Keywords(**named("AuditEntry"))


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries of the audit log, oldest first."""

    entries: tuple[Annotated[JsonObject, _ENTRY], ...]
    """As they are stored, each with its digest."""

    next: str | None
    """Cursor of the next page; null on the last."""

    head: str
    """Number and digest of the last entry of all: `NUMBER:DIGEST`."""


@routes.get("/audit-log")
@described(
    Operation(
        "Who did what, in order",
        {200: Answer("A page of it.", AuditPage)},
        errors=(CursorMalformed,),
        query=PageQuery,
    )
)
@needs(Action.AUDIT_READ)
async def audit_log(request: web.Request) -> web.Response:
    """Give entries in order, and the log's head."""
    query = query_of(request, PageQuery)
    (after,) = read_cursor(query, int) or (0,)
    async with request.app[NODE].reading() as c:
        found = await read_entries(c, after, query.limit + 1)
        head = await read_head(c)
    shown, following = page_of(found, query.limit, lambda row: (row.sequence,))
    entries = tuple(
        {**parse_json_object(row.body.encode()), "digest": row.digest} for row in shown
    )
    response = page_response(request, AuditPage(entries, following, str(head)))
    response.headers["Cache-Control"] = "no-store"
    return response
