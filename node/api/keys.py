"""The keys of this node's issuers over HTTP: replaced, and declared compromised."""

from dataclasses import dataclass
from typing import Annotated, Literal

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from did.key_event import CompromiseMovedLater
from did.pkcs11_signer import HsmKeyExists, HsmUnavailable
from node.api.context import NODE
from node.api.creating import Made, answer_once
from node.api.guard import needs
from node.api.operation import Answer, Body, Operation, described
from node.api.request import MAX_BODY_BYTES, read_json_bytes
from node.api.schema import Instant, Keywords, body_of, read
from node.compromise import (
    CompromiseAhead,
    Declaration,
    LogDeclaration,
    declare_within,
)
from node.issuer_keys import KeyNotPublished
from node.node import NodeSealed
from node.permissions import Action
from node.rotation import DidKeyCannotRotate, Rotation, rotate_within
from node.setup import publish_all
from node.storage.registry import IssuerUnknown
from node.token_keys import HsmNotConfigured
from primitives.instants import InstantMalformed, format_instant, parse_instant
from primitives.strict_json import parse_json_object

routes = web.RouteTableDef()

_COMMON = (NodeSealed, DidKeyCannotRotate, HsmKeyExists, HsmUnavailable)


@dataclass(frozen=True, slots=True)
class RotationGiven:
    """Which key is to be replaced."""

    role: Literal["credential", "status"] = "credential"
    """What it signs."""

    on_token: bool | None = None
    """Whether the new key is made on the node's PKCS#11 token; else where the old is."""


@dataclass(frozen=True, slots=True)
class KeyReplaced:
    """A key that signs from now on."""

    issuer: str
    """Slug."""

    did: str
    old: str
    """Verification method of the old key, which stays in the DID document."""

    new: str
    """Verification method of the new key."""

    key: str
    """Its id in the key store."""

    @classmethod
    def of(cls, made: Rotation) -> "KeyReplaced":
        """Return what is shown of a rotation."""
        return cls(made.issuer, made.did, made.old, made.new, made.key_id)


@routes.post("/issuers/{slug}/rotate")
@described(
    Operation(
        "Replace a key of an issuer by a new one, which signs from now on",
        {
            200: Answer(
                "It is replaced; what the old key has signed stays good.", KeyReplaced
            )
        },
        errors=(IssuerUnknown, HsmNotConfigured, *_COMMON),
        body=Body(RotationGiven),
        creates=True,
    )
)
@needs(Action.KEY_CHANGE)
async def rotate(request: web.Request) -> web.Response:
    """Replace a key, as `patunay key rotate` does."""
    node, slug = request.app[NODE], request.match_info["slug"]
    raw = await read_json_bytes(request)
    given = read(RotationGiven, parse_json_object(raw, MAX_BODY_BYTES))

    async def effect(c: AsyncConnection) -> Made:
        made = await rotate_within(node, c, slug, given.role, on_token=given.on_token)
        return Made(200, body_of(KeyReplaced.of(made)))

    answer = await answer_once(node, request, raw, effect)
    await publish_all(node)
    return answer


@dataclass(frozen=True, slots=True)
class CompromiseGiven:
    """That somebody else may have a key."""

    key: Annotated[str, Keywords(minLength=1, maxLength=2048)]
    """Its id in the key store, its verification method, or `log`."""

    since: Instant
    """Since when. It can be moved earlier later on, and never later."""


@dataclass(frozen=True, slots=True)
class CompromiseDeclared:
    """What was declared."""

    key: str
    """Verification method; of the log, its C2SP verifier key."""

    since: Instant
    dids: tuple[str, ...]
    """In whose histories it stands."""

    by: str | None
    """Verification method that signed it; null for the log's key, which each DID signs."""

    successor: str | None
    """Verification method that signs from now on; null for the log's key."""

    voided: int | None
    """Credentials of that key that were not anchored before `since`; null for the log's."""

    @classmethod
    def of(cls, made: Declaration | LogDeclaration) -> "CompromiseDeclared":
        """Return what is shown of a declaration."""
        since = format_instant(made.since)
        if isinstance(made, LogDeclaration):
            return cls(made.key, since, made.dids, None, None, None)
        return cls(made.key, since, (made.did,), made.by, made.successor, made.voided)


@routes.post("/keys/compromised")
@described(
    Operation(
        "Declare that somebody else may have had a key since a moment, for ever",
        {200: Answer("It is declared; anchor it now.", CompromiseDeclared)},
        errors=(
            *(KeyNotPublished, CompromiseAhead, CompromiseMovedLater, InstantMalformed),
            *_COMMON,
        ),
        body=Body(CompromiseGiven),
        creates=True,
    )
)
@needs(Action.KEY_CHANGE)
async def compromised(request: web.Request) -> web.Response:
    """Declare a key compromised, as `patunay key compromised` does."""
    node = request.app[NODE]
    raw = await read_json_bytes(request)
    given = read(CompromiseGiven, parse_json_object(raw, MAX_BODY_BYTES))
    since = parse_instant(given.since)

    async def effect(c: AsyncConnection) -> Made:
        made = await declare_within(node, c, given.key, since)
        return Made(200, body_of(CompromiseDeclared.of(made)))

    answer = await answer_once(node, request, raw, effect)
    await publish_all(node)
    return answer
