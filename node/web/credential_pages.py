"""Credentials in the console: found, shown, and taken back with a reason."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from credentials.model import parse_credential
from credentials.status_list import REVOCATION, SUSPENSION
from node.api.context import NODE
from node.api.paging import PageQuery, read_cursor, write_cursor
from node.holder import find_page
from node.node import Node
from node.permissions import Action, Actor, check_permission
from node.status import find_state, reinstate, revoke, suspend
from node.storage.search import FoundCredential, Wanted, search_credentials
from node.storage.statuses import REVOKE, SUSPEND, StatusEvent
from node.web.claims import claims_of
from node.web.console import SESSION, console, console_page, field, redirect
from node.web.rendering import page_words
from node.web.serving import language_of
from primitives.strict_json import parse_json_object

_PAGE: Final = 25
_MAX_NAME: Final = 2048
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
    """Find credentials by their id or state; the newest first."""
    name = request.query.get("q", "").strip()[:_MAX_NAME]
    state = request.query.get("state", "")
    state = state if state in _STATES else ""
    cursor = request.query.get("cursor")
    place = read_cursor(PageQuery(_PAGE, cursor), str, str) if cursor else None
    actor = request[SESSION].token.actor
    wanted = Wanted(name=name or None, issuers=actor.issuers, state=state or None)
    async with request.app[NODE].reading() as c:
        found = await search_credentials(c, wanted, place, _PAGE + 1)
    shown = found[:_PAGE]
    more = write_cursor(shown[-1].created_at, shown[-1].uuid) if len(found) > _PAGE else ""
    return console_page(
        request,
        "credentials",
        here="credentials",
        found=[(one, _state(one)) for one in shown],
        q=name,
        state=state,
        states=_STATES,
        more=more,
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
