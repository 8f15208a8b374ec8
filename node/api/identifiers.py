"""GET /identifiers/{did}: a DID resolver, of this node's own DIDs first."""

import json
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from did.document import parse_did_document
from did.identifier import Did, DidUrl
from did.resolver import Resolver
from node.api.did_options import check_options
from node.api.did_resolution import (
    DEFAULT_REPRESENTATION,
    DocumentUnusable,
    Representation,
    RepresentationUnsupported,
    choose_representation,
    find_resource,
    read_identifier,
    write_answer,
    write_error,
)
from node.api.operation import Answer, Operation, described
from node.api.problems import Overloaded
from node.disk import StorageFailed
from node.node import Node
from node.storage.registry import list_issuers
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError

MAX_IN_HAND: Final = 200
"""Resolutions at once, as for verifying: each may wait for a stranger's server."""

_PREFIX: Final = "/identifiers/"
_OLDER: Final = Representation("application/json", is_result=False)


@dataclass(slots=True)
class Identifiers:
    """Resolves DIDs for strangers."""

    node: Node
    resolver: Resolver
    """For the DIDs that are not this node's."""

    in_hand: int = 0

    async def resolve(self, did: Did) -> JsonObject:
        """Return the document of `did`, which holds together.

        Raises:
            Overloaded: `MAX_IN_HAND` others are under way.
            DocumentUnusable: What was had breaks a rule of DID documents.
            PatunayError: As the resolver.
        """
        if self.in_hand >= MAX_IN_HAND:
            raise Overloaded(f"found {self.in_hand} resolutions in hand")
        self.in_hand += 1
        try:
            document = await self._own(str(did))
            if document is None:
                document = (await self.resolver.resolve(str(did))).document
        finally:
            self.in_hand -= 1
        try:
            parse_did_document(document, str(did))
        except PatunayError as e:
            raise DocumentUnusable(f"{e} ({e.code})") from e
        return document

    async def _own(self, did: str) -> JsonObject | None:
        """Return what this node publishes of its own DID; None of a stranger's."""
        async with self.node.reading() as c:
            issuers = await list_issuers(c)
        return next((issuer.parsed() for issuer in issuers if issuer.did == did), None)


IDENTIFIERS = web.AppKey("IDENTIFIERS", Identifiers)

routes = web.RouteTableDef()


_ERRORS: Final = ("application/did-resolution", "application/did-url-dereferencing")
_KINDS: Final = (
    *_ERRORS,
    "application/did",
    "application/did+json",
    "application/did+ld+json",
    "application/json",
)


def _error(description: str) -> Answer:
    return Answer(description, {"type": "object"}, (*_ERRORS, "application/json"))


@routes.get("/identifiers/")
@routes.get("/identifiers/{did}")
@described(
    Operation(
        "Resolve a DID, or give what a DID URL's fragment names",
        {
            200: Answer(
                "The result, document, verification method or service.",
                {"type": "object"},
                _KINDS,
            ),
            400: _error("No DID, or a query after it."),
            404: _error("No such document, or no such fragment in it."),
            406: _error("No media type that is known here."),
            501: _error("Another DID method, or another type of key."),
            502: _error("Another server's answer is of no use."),
            504: _error("Another server does not answer."),
        },
        errors=(Overloaded,),
        description=(
            "`Accept` chooses the document alone, or a result with its metadata; errors "
            "are written in the same dialect."
        ),
        parts={"did": "A DID, or one with `%23` and a fragment; or URL-encoded whole."},
    )
)
async def resolve(request: web.Request) -> web.Response:
    """Resolve a DID, or give the method or service that a DID URL names in a document.

    200, or what the HTTPS binding of DID Resolution says: 400, 404, 406, 501; 502 and 504
    for what another server does wrong.
    """
    # The path as it was sent: unquoting it would make another DID of some.
    raw = request.raw_path.partition(_PREFIX)[2].partition("?")[0]
    representation, is_resource = DEFAULT_REPRESENTATION, "%23" in raw or "#" in raw
    try:
        representation = _representation(request)
        wanted = read_identifier(raw)
        did = wanted if isinstance(wanted, Did) else wanted.did
        check_options(request.query.items(), is_constant=did.method == "key")
        content = await _content(request.app[IDENTIFIERS], wanted)
    except (Overloaded, StorageFailed):
        raise
    except PatunayError as e:
        # Whoever accepts nothing that is known here may still read plain JSON.
        told = _OLDER if isinstance(e, RepresentationUnsupported) else representation
        body, kind, status = write_error(told, e, is_resource=is_resource)
        return _response(body, kind, status)
    body, kind = write_answer(representation, content, is_resource=is_resource)
    return _response(body, kind, 200)


def _representation(request: web.Request) -> Representation:
    return choose_representation(",".join(request.headers.getall("Accept", [])))


async def _content(identifiers: Identifiers, wanted: Did | DidUrl) -> JsonObject:
    if isinstance(wanted, Did):
        return await identifiers.resolve(wanted)
    return find_resource(await identifiers.resolve(wanted.did), wanted)


def _response(body: JsonObject, kind: str, status: int) -> web.Response:
    headers = {"Content-Type": kind, "Vary": "Accept", "Cache-Control": "no-cache"}
    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers)
