"""Routes that give a list in pages: said once, how they are described and answered."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from node.api.context import NODE
from node.api.operation import Answer, Operation
from node.api.paging import (
    CursorMalformed,
    PageQuery,
    page_of,
    page_response,
    query_of,
    read_cursor,
)
from primitives.errors import PatunayError

Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Span:
    """Which items of a list are looked for."""

    place: tuple[Any, ...]
    """Of the last item of the page before; empty for the first page."""

    limit: int
    """Most that are returned; one more than a page has."""


Look: TypeAlias = Callable[[AsyncConnection, Span], Awaitable[Sequence[Shown]]]
"""Returns the items of a span, as they are shown."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[Shown]):
    """A list that is given in pages."""

    summary: str

    page: Callable[[tuple[Shown, ...], str | None], Any]
    """A dataclass of the items and the cursor of the next page."""

    by: Mapping[str, type[str] | type[int]]
    """The fields of an item that are its place in the list, with their types."""

    query: type[PageQuery] = PageQuery

    errors: tuple[type[PatunayError], ...] = ()
    """Besides those of a cursor."""

    @property
    def operation(self) -> Operation:
        """What the route takes and answers."""
        return Operation(
            self.summary,
            {200: Answer("A page of them.", self.page)},
            errors=(*self.errors, CursorMalformed),
            query=self.query,
        )

    async def answer(self, request: web.Request, look: Look[Shown]) -> web.Response:
        """Return the page that a request asks for.

        Raises:
            RequestMalformed: Its query or its cursor is none of this list.
        """
        query = query_of(request, self.query)
        place = read_cursor(query, *self.by.values()) or ()
        async with request.app[NODE].reading() as c:
            found = await look(c, Span(place, query.limit + 1))
        shown, following = page_of(found, query.limit, self._place)
        return page_response(request, self.page(tuple(shown), following))

    def _place(self, item: Shown) -> tuple[str | int, ...]:
        return tuple(getattr(item, name) for name in self.by)
