"""Verifying what comes as a file or a link, and giving a credential with its evidence."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web

from credentials.bundle import BundleAltered, BundleMalformed, encode_bundle
from credentials.presentation_checks import PresentationTooLarge
from did.address import FetchAddressRefused
from did.fetch import (
    FetchFailed,
    FetchNotFound,
    FetchRedirectRefused,
    FetchTimeout,
    FetchTlsFailed,
    FetchTooLarge,
    FetchUrlRefused,
)
from node.api.context import NODE
from node.api.guard import ACTOR, needs
from node.api.operation import Answer, Body, Operation, described, named
from node.api.presentations import verify_any
from node.api.problems import MediaTypeUnsupported
from node.api.request import MAX_BODY_BYTES, read_body, read_json_bytes
from node.api.schema import Keywords, RequestMalformed, read
from node.api.verify import VERIFIER, answer_report, verifying
from node.holder import bundle_of
from node.logbook import CredentialUnknown
from node.permissions import Action, check_permission
from node.status import find_state
from node.web.submission import MAX_SUBMISSION_BYTES, read_document, read_form
from primitives.strict_json import MAX_DOCUMENT_BYTES, parse_json_object

routes = web.RouteTableDef()

_FORM: Final = "multipart/form-data"
_REPORT: Final = {"oneOf": [named("Report"), named("PresentationReport")]}
_RAW: Final = ("application/octet-stream", "application/vc+json")
_BINARY: Final = {"type": "string", "format": "binary"}
_FILE: Final[dict[str, Any]] = {
    **dict.fromkeys(_RAW, _BINARY),
    _FORM: {"type": "object", "required": ["file"], "properties": {"file": _BINARY}},
}


@dataclass(frozen=True, slots=True)
class LinkGiven:
    """Where a credential is to be read."""

    url: Annotated[str, Keywords(minLength=1, maxLength=2048)]
    """With TLS, and at a public address."""


@routes.post("/files/verify")
@described(
    verifying(
        "Verify a file: a credential, a bundle with its evidence, or a presentation",
        Body({"type": "object"}, more=_FILE),
        PresentationTooLarge,
        BundleMalformed,
        BundleAltered,
        report=_REPORT,
    )
)
async def verify_file(request: web.Request) -> web.Response:
    """Verify a file, sent as it is or in the field `file` of a form."""
    return await _verify(request, await _read_file(request))


async def _read_file(request: web.Request) -> bytes:
    packed = request.headers.get("Content-Encoding", "identity")
    if packed != "identity":
        raise MediaTypeUnsupported(f"found Content-Encoding {packed[:32]}, want none")
    kind = request.content_type
    if kind == _FORM:
        fields = await read_form(request, MAX_SUBMISSION_BYTES)
        if not fields.get("file"):
            raise RequestMalformed("found no field `file` with anything in it")
        return fields["file"]
    if kind not in _RAW and kind != "application/json" and not kind.endswith("+json"):
        raise MediaTypeUnsupported(f"found {kind[:64]}, want JSON, {_RAW[0]} or {_FORM}")
    return await read_body(request, MAX_SUBMISSION_BYTES)


@routes.post("/links/verify")
@described(
    verifying(
        "Have a link opened, and verify what is there",
        Body(LinkGiven),
        PresentationTooLarge,
        FetchUrlRefused,
        FetchAddressRefused,
        FetchFailed,
        FetchNotFound,
        FetchRedirectRefused,
        FetchTimeout,
        FetchTlsFailed,
        FetchTooLarge,
        report=_REPORT,
    )
)
@needs(Action.CREDENTIAL_READ)
async def verify_link(request: web.Request) -> web.Response:
    """Fetch a credential from a public address, and verify it.

    A stranger may not ask: he would choose what this node calls, and how often.
    """
    raw = await read_json_bytes(request)
    given = read(LinkGiven, parse_json_object(raw, MAX_BODY_BYTES))
    fetch = request.app[VERIFIER].gatherer.fetch
    if fetch is None:
        raise RuntimeError("the verifier of a daemon looks things up")
    return await _verify(request, await fetch(given.url, MAX_DOCUMENT_BYTES))


async def _verify(request: web.Request, body: bytes) -> web.Response:
    verifier = request.app[VERIFIER]
    given = await asyncio.to_thread(read_document, body.strip())
    report = await verify_any(verifier, given, size=len(body))
    return answer_report(report)


@routes.get("/credentials/{id}/bundle")
@described(
    Operation(
        "A credential with all the evidence that this node has about it",
        {200: Answer("The bundle.", {"type": "object"})},
        errors=(CredentialUnknown,),
    )
)
@needs(Action.CREDENTIAL_READ)
async def bundle(request: web.Request) -> web.Response:
    """Give an evidence bundle, to be judged without a network."""
    node = request.app[NODE]
    async with node.reading() as c:
        found = await find_state(c, request.match_info["id"])
    check_permission(request[ACTOR], Action.CREDENTIAL_READ, found.stored.issuer)
    if found.stored.document is None:
        raise CredentialUnknown(f"credential {found.stored.uuid} is not signed yet")
    document = parse_json_object(found.stored.document.encode())
    evidence = await request.app[VERIFIER].evidence(document)
    body = encode_bundle(await bundle_of(node, document, evidence))
    return web.Response(body=body, content_type="application/json")
