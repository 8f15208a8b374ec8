"""The credentials of this node over HTTP: search, show, revoke, suspend, reinstate."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.status_list import Entry
from node.api.context import NODE
from node.api.creating import Made, answer_once
from node.api.guard import ACTOR, needs
from node.api.listing import Listing, Span
from node.api.operation import Answer, Body, Operation, described
from node.api.paging import PageQuery, query_of
from node.api.request import MAX_BODY_BYTES, read_json_bytes
from node.api.schema import Instant, Keywords, Sha256Hex, body_of, read
from node.logbook import CredentialUnknown
from node.node import Node, NodeSealed
from node.permissions import Action, Actor, check_permission
from node.status import (
    MAX_REASON_CHARACTERS,
    AlreadyRevoked,
    AlreadySuspended,
    CredentialState,
    NotRevocable,
    NotSuspendable,
    NotSuspended,
    ReasonMalformed,
    change_within,
    ensure_signed,
    find_state,
)
from node.status_lists import publish_lists
from node.storage.search import FoundCredential, Wanted, search_credentials
from node.storage.statuses import REINSTATE, REVOKE, SUSPEND, StatusEvent
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError
from primitives.hashing import sha256
from primitives.strict_json import parse_json_object

routes = web.RouteTableDef()

ONE: Final = r"/credentials/{id:(?!issue$|search$|verify$)[^/]+}"
"""Address of one credential. The three words are routes of their own, of other methods."""

State = Literal["issued", "suspended", "revoked"]
Name = Annotated[str, Keywords(minLength=1, maxLength=2048)]


@dataclass(frozen=True, slots=True)
class CredentialQuery(PageQuery):
    """Which credentials are looked for; all of it has to fit."""

    id: Name | None = None
    """The credential's `id`, or its UUID."""

    digest: Sha256Hex | None = None
    """SHA-256 of its RFC 8785 bytes, proof included."""

    issuer: Name | None = None
    """Slug."""

    template: Name | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class CredentialListed:
    """A credential without its content."""

    uuid: str
    id: str
    issuer: str
    """Slug."""

    template: str | None
    """Id of the template; null for what was issued without one."""

    state: State
    digest: Sha256Hex | None
    """SHA-256 of its RFC 8785 bytes; null until it is signed."""

    leaf_index: int | None
    """Its place in the log; null while it waits."""

    created_at: Instant
    signed_at: Instant | None

    @classmethod
    def of(cls, found: FoundCredential) -> "CredentialListed":
        """Return what a list shows of a credential."""
        states: dict[str | None, State] = {REVOKE: "revoked", SUSPEND: "suspended"}
        return cls(
            uuid=found.uuid,
            id=found.id,
            issuer=found.issuer,
            template=found.template,
            state=states.get(found.last_action, "issued"),
            digest=found.digest.hex() if found.digest is not None else None,
            leaf_index=found.leaf_index,
            created_at=found.created_at,
            signed_at=found.signed_at,
        )


@dataclass(frozen=True, slots=True)
class CredentialPage:
    """Credentials, newest first."""

    credentials: tuple[CredentialListed, ...]
    next: str | None
    """Cursor of the next page; null on the last."""


@dataclass(frozen=True, slots=True)
class StatusPlace:
    """A credential's place in a status list."""

    purpose: str
    list_url: str
    index: int

    @classmethod
    def of(cls, entry: Entry) -> "StatusPlace":
        """Return what is shown of an entry."""
        return cls(entry.purpose, entry.list_url, entry.index)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One revocation, suspension, or end of a suspension."""

    action: Literal["revoke", "suspend", "reinstate"]
    reason: str
    """It never leaves the node."""

    at: Instant
    list_url: str
    list_version: int
    """The status list's, from this change on."""

    @classmethod
    def of(cls, event: StatusEvent) -> "StatusChange":
        """Return what is shown of an event."""
        actions: dict[str, Literal["revoke", "suspend", "reinstate"]] = {
            REVOKE: "revoke",
            SUSPEND: "suspend",
            REINSTATE: "reinstate",
        }
        place = (event.at, event.status_list, event.list_version)
        return cls(actions[event.action], event.reason, *place)


@dataclass(frozen=True, slots=True)
class CredentialShown:
    """A credential, where it stands, and what was done to it."""

    uuid: str
    id: str
    issuer: str
    """Slug."""

    state: State
    digest: Sha256Hex | None
    """SHA-256 of its RFC 8785 bytes; null until it is signed."""

    places: tuple[StatusPlace, ...]
    changes: tuple[StatusChange, ...]
    """Oldest first."""

    credential: JsonObject | None
    """The signed document, as it was handed out; null until it is signed."""

    @classmethod
    def of(cls, found: CredentialState) -> "CredentialShown":
        """Return what is shown of a credential."""
        stored = found.stored
        body = stored.document.encode() if stored.document is not None else None
        states: dict[str, State] = {"revoked": "revoked", "suspended": "suspended"}
        return cls(
            uuid=stored.uuid,
            id=stored.id,
            issuer=stored.issuer,
            state=states.get(found.state, "issued"),
            digest=sha256(body).hex() if body is not None else None,
            places=tuple(map(StatusPlace.of, found.entries)),
            changes=tuple(map(StatusChange.of, found.events)),
            credential=parse_json_object(body) if body is not None else None,
        )


@dataclass(frozen=True, slots=True)
class ReasonGiven:
    """Why a status is changed."""

    reason: Annotated[str, Keywords(minLength=1, maxLength=MAX_REASON_CHARACTERS)]
    """One line. It stays in the node."""


_CREDENTIALS: Final = Listing(
    "The credentials of this node, newest first; or those that are looked for",
    CredentialPage,
    by={"created_at": str, "uuid": str},
    query=CredentialQuery,
)


@routes.get("/credentials")
@described(_CREDENTIALS.operation)
@needs(Action.CREDENTIAL_READ)
async def list_them(request: web.Request) -> web.Response:
    """List credentials, or search by id, digest, issuer, template and state."""
    query = query_of(request, CredentialQuery)
    wanted = Wanted(
        name=query.id,
        digest=bytes.fromhex(query.digest) if query.digest is not None else None,
        issuers=_reach(request[ACTOR], query.issuer),
        template=query.template,
        state=query.state,
    )

    async def look(c: AsyncConnection, span: Span) -> list[CredentialListed]:
        found = await search_credentials(c, wanted, span.place or None, span.limit)
        return [CredentialListed.of(one) for one in found]

    return await _CREDENTIALS.answer(request, look)


def _reach(actor: Actor, issuer: str | None) -> tuple[str, ...]:
    """Return the issuers whose credentials are shown; empty for all of them."""
    if issuer is not None:
        check_permission(actor, Action.CREDENTIAL_READ, issuer)
        return (issuer,)
    return tuple(sorted(actor.issuers))


@routes.get(ONE)
@described(
    Operation(
        "One credential, where it stands, and what was done to it",
        {200: Answer("The credential.", CredentialShown)},
        errors=(CredentialUnknown,),
    )
)
@needs(Action.CREDENTIAL_READ)
async def show(request: web.Request) -> web.Response:
    """Show a credential."""
    async with request.app[NODE].reading() as c:
        found = await find_state(c, request.match_info["id"])
    check_permission(request[ACTOR], Action.CREDENTIAL_READ, found.stored.issuer)
    return web.json_response(body_of(CredentialShown.of(found)))


def _changes(summary: str, *errors: type[PatunayError]) -> Operation:
    return Operation(
        summary,
        {200: Answer("It is done, and the list is published.", CredentialShown)},
        errors=(CredentialUnknown, ReasonMalformed, NodeSealed, AlreadyRevoked, *errors),
        body=Body(ReasonGiven),
        creates=True,
    )


@routes.post("/credentials/{id}/revoke")
@described(_changes("Take a credential back, for ever", NotRevocable))
@needs(Action.CREDENTIAL_REVOKE)
async def revoke(request: web.Request) -> web.Response:
    """Revoke a credential; the body gives the reason."""
    return await _change(request, REVOKE)


@routes.post("/credentials/{id}/suspend")
@described(
    _changes(
        "Take a credential out of force until it is reinstated",
        AlreadySuspended,
        NotSuspendable,
    )
)
@needs(Action.CREDENTIAL_SUSPEND)
async def suspend(request: web.Request) -> web.Response:
    """Suspend a credential; the body gives the reason."""
    return await _change(request, SUSPEND)


@routes.post("/credentials/{id}/reinstate")
@described(_changes("End a suspension", NotSuspended, NotSuspendable))
@needs(Action.CREDENTIAL_REINSTATE)
async def reinstate(request: web.Request) -> web.Response:
    """End a suspension; the body gives the reason."""
    return await _change(request, REINSTATE)


async def _change(request: web.Request, action: str) -> web.Response:
    node: Node = request.app[NODE]
    name = request.match_info["id"]
    raw = await read_json_bytes(request)
    given = read(ReasonGiven, parse_json_object(raw, MAX_BODY_BYTES))
    await ensure_signed(node, name)
    changed: list[str] = []

    async def effect(c: AsyncConnection) -> Made:
        event = await change_within(node, c, name, action, given.reason)
        changed.append(event.status_list)
        return Made(200, body_of(CredentialShown.of(await find_state(c, name))))

    answer = await answer_once(node, request, raw, effect)
    if changed:
        await publish_lists(node, changed)
    return answer
