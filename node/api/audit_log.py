"""GET /audit-log: who did what, for those who audit the node."""

from typing import Final

from aiohttp import web

from node.api.context import NODE
from node.api.guard import needs
from node.audit_chain import StoredEntry
from node.permissions import Action
from node.storage.audit_log import read_entries, read_head
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed
from primitives.strict_json import parse_json_object

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 200
"""An entry of a signing names up to 300 credentials, in 15 KB."""

_MAX_DIGITS: Final = 15

routes = web.RouteTableDef()


class PageMalformed(Malformed):
    """A query that names no page."""

    code = "page-malformed"
    hint = "give whole numbers, such as ?after=100&limit=100"


@routes.get("/audit-log")
@needs(Action.AUDIT_READ)
async def audit_log(request: web.Request) -> web.Response:
    """Give entries in order: `after` a number, at most `limit` of them.

    With the log's head, and the number to go on after; null after the last.
    """
    after = _number(request, "after", 0, 0)
    limit = min(_number(request, "limit", DEFAULT_LIMIT, 1), MAX_LIMIT)
    async with request.app[NODE].reading() as c:
        rows = await read_entries(c, after, limit + 1)
        head = await read_head(c)
    shown = rows[:limit]
    return web.json_response(
        {
            "version": 1,
            "entries": [described(row) for row in shown],
            "next": shown[-1].sequence if len(rows) > limit else None,
            "head": str(head),
        },
        headers={"Cache-Control": "no-store"},
    )


def described(row: StoredEntry) -> JsonObject:
    """Return an entry with its digest."""
    return {**parse_json_object(row.body.encode()), "digest": row.digest}


def _number(request: web.Request, name: str, default: int, least: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    if not is_number or int(text) < least:
        raise PageMalformed(f"{name}: found {text[:40]!r}, want a whole number")
    return int(text)
