"""POST /credentials/search: finding credentials by a name or a title."""

from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web

from node.api.context import NODE
from node.api.guard import ACTOR, needs
from node.api.operation import Answer, Body, Operation, described
from node.api.paging import CursorMalformed, PageQuery, read_cursor, write_cursor
from node.api.records import CredentialListed, CredentialPage, State
from node.api.request import MAX_BODY_BYTES, read_json_bytes
from node.api.schema import Keywords, body_of, read
from node.finding import MAX_CHARACTERS, SearchTooShort, find_by_words
from node.permissions import Action
from node.storage.search import Wanted, search_credentials
from primitives.strict_json import parse_json_object

routes = web.RouteTableDef()

_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class SearchGiven:
    """What is looked for, in a body: addresses stay in histories and logs."""

    words: Annotated[str, Keywords(minLength=2, maxLength=MAX_CHARACTERS)]
    """Parts of a name, a title or a subject's id, in any order; capitals and the marks of
    letters do not matter."""

    state: State | None = None
    cursor: Annotated[str, Keywords(minLength=1, maxLength=1024)] | None = None
    """`next` of the answer before."""


@routes.post("/credentials/search")
@described(
    Operation(
        "Find credentials by a name or a title, newest first",
        {
            200: Answer(
                "What one look over 20,000 credentials has found; `next` goes on,"
                " also where nothing was found yet.",
                CredentialPage,
            )
        },
        errors=(SearchTooShort, CursorMalformed),
        body=Body(SearchGiven),
    )
)
@needs(Action.CREDENTIAL_READ)
async def find(request: web.Request) -> web.Response:
    """Find credentials by their words; those alone that whoever asks may see."""
    raw = await read_json_bytes(request)
    given = read(SearchGiven, parse_json_object(raw, MAX_BODY_BYTES))
    place = read_cursor(PageQuery(_PAGE, given.cursor), str, str)
    before = (place[0], place[1]) if place is not None else None
    issuers = tuple(sorted(request[ACTOR].issuers))
    async with request.app[NODE].reading() as c:
        looked = await find_by_words(c, given.words, issuers, before, _PAGE)
        wanted = Wanted(uuids=looked.uuids, issuers=issuers, state=given.state)
        found = await search_credentials(c, wanted, None, _PAGE)
    following = write_cursor(*looked.more) if looked.more is not None else None
    page = CredentialPage(tuple(map(CredentialListed.of, found)), following)
    return web.json_response(body_of(page))
