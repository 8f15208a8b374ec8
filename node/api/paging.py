"""Long lists in pages: keyset cursors, so that what is added meanwhile moves nothing.

A cursor says after which item the next page begins, and is not secret. Everything that
was there when the first page was read is on exactly one page.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from aiohttp import web

from node.api.schema import Keywords, RequestMalformed, body_of, read_query
from primitives.encodings import decode_base64url, encode_base64url
from primitives.errors import PatunayError
from primitives.strict_json import parse_json

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200

Limit = Annotated[int, Keywords(minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT)]
Cursor = Annotated[str, Keywords(minLength=1, maxLength=1024)]

Q = TypeVar("Q")
Item = TypeVar("Item")


class CursorMalformed(RequestMalformed):
    """The cursor is none that this list has given out."""

    code = "cursor-malformed"
    hint = "take the cursor from `next`, or begin without one"


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which part of a list."""

    limit: Limit = DEFAULT_LIMIT
    """Items in a page."""

    cursor: Cursor | None = None
    """`next` of the page before."""


def query_of(request: web.Request, kind: type[Q]) -> Q:
    """Return what a request's query asks for.

    Raises:
        RequestMalformed: It names something else, or twice.
    """
    names = [name for name, _ in request.query.items()]
    return read_query(kind, request.query, names)


def read_cursor(query: PageQuery, *kinds: type) -> tuple[Any, ...] | None:
    """Return the place that the cursor of a query names; None for the beginning.

    Args:
        query: Of the request.
        kinds: Types of the values that the place has.

    Raises:
        CursorMalformed: It is another list's, or no cursor.
    """
    if query.cursor is None:
        return None
    try:
        place = parse_json(decode_base64url(query.cursor), max_bytes=1024)
    except PatunayError as e:
        raise CursorMalformed("found no cursor of this node") from e
    if not isinstance(place, list) or [type(part) for part in place] != [*kinds]:
        raise CursorMalformed("found the cursor of another list")
    return tuple(place)


def write_cursor(*place: str | int) -> str:
    """Return the cursor that names a place."""
    return encode_base64url(json.dumps(place, separators=(",", ":")).encode())


def page_of(
    found: Sequence[Item], limit: int, place: Callable[[Item], tuple[str | int, ...]]
) -> tuple[Sequence[Item], str | None]:
    """Return the items of a page, and the cursor of the next; None after the last.

    Args:
        found: Up to `limit` + 1 items: one more than the page tells that there is more.
        limit: Items in a page.
        place: Gives the place of an item in the list.
    """
    shown = found[:limit]
    return shown, write_cursor(*place(shown[-1])) if len(found) > limit else None


def page_response(request: web.Request, page: Any) -> web.Response:
    """Return a page as JSON, with the address of the next in the header `Link`.

    Args:
        request: Of this page.
        page: A dataclass with a field `next`.
    """
    response = web.json_response(body_of(page))
    if page.next is not None:
        target = request.rel_url.update_query(cursor=page.next)
        response.headers["Link"] = f'<{target}>; rel="next"'
    return response
