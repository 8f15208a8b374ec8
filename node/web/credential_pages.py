"""Credentials in the console: found, shown, and taken back with a reason."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from aiohttp import web

from credentials.model import parse_credential
from credentials.status_list import REVOCATION, SUSPENSION
from node.api.context import NODE
from node.api.paging import PageQuery, read_cursor, write_cursor
from node.finding import exactly, find_by_words, label_of
from node.holder import find_page
from node.node import Node
from node.permissions import Action, Actor, check_permission
from node.status import find_state, reinstate, revoke, suspend
from node.storage.search import FoundCredential, Wanted, search_credentials
from node.storage.statuses import REVOKE, SUSPEND, StatusEvent
from node.storage.text_search import MAX_LOOKED_AT, documents_of
from node.web.claims import claims_of
from node.web.console import SESSION, console, console_page, field, redirect
from node.web.rendering import page_words
from node.web.serving import language_of
from primitives.strict_json import parse_json_object

_PAGE: Final = 25
_MAX_NAME: Final = 2048
_NOTHING: Final = "{}"
_STATES: Final = ("issued", "suspended", "revoked")
_STATE_BY_ACTION: Final = {REVOKE: "revoked", SUSPEND: "suspended"}

_CHANGES: Final[
    Mapping[str, tuple[Action, Callable[[Node, str, str], Awaitable[StatusEvent]]]]
] = {
    "revoke": (Action.CREDENTIAL_REVOKE, revoke),
    "suspend": (Action.CREDENTIAL_SUSPEND, suspend),
    "reinstate": (Action.CREDENTIAL_REINSTATE, reinstate),
}

routes = web.RouteTableDef()


@routes.get("/console/credentials")
@console(Action.CREDENTIAL_READ)
async def credentials(request: web.Request) -> web.Response:
    """List credentials of a state, or all; the newest first."""
    state = _chosen(request.query.get("state", ""))
    cursor = request.query.get("cursor")
    place = read_cursor(PageQuery(_PAGE, cursor), str, str) if cursor else None
    wanted = Wanted(issuers=request[SESSION].token.actor.issuers, state=state or None)
    async with request.app[NODE].reading() as c:
        found = await search_credentials(c, wanted, place, _PAGE + 1)
        texts = await documents_of(c, [one.uuid for one in found[:_PAGE]])
    more = ""
    if len(found) > _PAGE:
        more = write_cursor(found[_PAGE - 1].created_at, found[_PAGE - 1].uuid)
    return _list(request, found[:_PAGE], texts, state=state, more=more)


@routes.post("/console/credentials")
@console(Action.CREDENTIAL_READ)
async def find(request: web.Request) -> web.Response:
    """Find credentials by a name, a title, an id or a digest.

    In a form and not in an address: addresses stay in histories and logs.
    """
    asked, state = field(request, "q"), _chosen(field(request, "state"))
    if not asked:
        return redirect(f"/console/credentials?state={state}")
    issuers, cursor = request[SESSION].token.actor.issuers, field(request, "cursor")
    place = read_cursor(PageQuery(_PAGE, cursor), str, str) if cursor else None
    more = ""
    async with request.app[NODE].reading() as c:
        wanted = exactly(asked[:_MAX_NAME])
        if wanted is None:
            before = (place[0], place[1]) if place is not None else None
            looked = await find_by_words(c, asked, issuers, before, _PAGE)
            wanted = Wanted(uuids=looked.uuids)
            more = write_cursor(*looked.more) if looked.more is not None else ""
        wanted = replace(wanted, issuers=issuers, state=state or None)
        found = await search_credentials(c, wanted, None, _PAGE)
        texts = await documents_of(c, [one.uuid for one in found])
    return _list(request, found, texts, q=asked, state=state, more=more)


def _chosen(state: str) -> str:
    return state if state in _STATES else ""


def _list(
    request: web.Request,
    found: list[FoundCredential],
    texts: Mapping[str, str],
    *,
    q: str = "",
    state: str,
    more: str,
) -> web.Response:
    return console_page(
        request,
        "credentials",
        here="credentials",
        found=[
            (one, _state(one), *label_of(texts.get(one.uuid) or _NOTHING)) for one in found
        ],
        q=q,
        state=state,
        states=_STATES,
        more=more,
        most=MAX_LOOKED_AT,
    )


def _state(found: FoundCredential) -> str:
    if found.signed_at is None:
        return "draft"
    return _STATE_BY_ACTION.get(found.last_action or "", "issued")


@routes.get("/console/credentials/{id}")
@console(Action.CREDENTIAL_READ)
async def show(request: web.Request) -> web.Response:
    """Show one credential, what was done to it, and what can be done."""
    node, name = request.app[NODE], request.match_info["id"]
    async with node.reading() as c:
        found = await find_state(c, name)
    actor = request[SESSION].token.actor
    check_permission(actor, Action.CREDENTIAL_READ, found.stored.issuer)
    body = found.stored.document
    words = page_words(language_of(request))
    credential = parse_credential(parse_json_object(body.encode())) if body else None
    purposes = {entry.purpose for entry in found.entries}
    return console_page(
        request,
        "credential",
        here="credentials",
        stored=found.stored,
        state=found.state if body else "draft",
        events=found.events,
        claims=claims_of(credential, words) if credential is not None else None,
        holder=(await find_page(node, found.stored.uuid)).path if body else "",
        changes=_possible(found.state, purposes) if body else (),
        done=request.query.get("done", ""),
        base=node.config.public_url,
    )


def _possible(state: str, purposes: set[str]) -> tuple[str, ...]:
    """Return what may be done to a credential that stands so, in lists of these kinds."""
    found = []
    if SUSPENSION in purposes and state != "revoked":
        found.append("reinstate" if state == "suspended" else "suspend")
    if REVOCATION in purposes and state != "revoked":
        found.append("revoke")
    return tuple(found)


@routes.post("/console/credentials/{id}/{change:revoke|suspend|reinstate}")
@console()
async def change(request: web.Request) -> web.Response:
    """Take a credential back, suspend it, or end that, with a reason."""
    node, name = request.app[NODE], request.match_info["id"]
    word = request.match_info["change"]
    action, do = _CHANGES[word]
    await _require(node, request[SESSION].token.actor, action, name)
    await do(node, name, field(request, "reason"))
    return redirect(f"/console/credentials/{name}?done={word}")


async def _require(node: Node, actor: Actor, action: Action, name: str) -> None:
    """Look at the permission before at the credential: ids are not for everybody."""
    check_permission(actor, action)
    async with node.reading() as c:
        found = await find_state(c, name)
    check_permission(actor, action, found.stored.issuer)
