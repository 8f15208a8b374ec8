"""A holder's page of one credential: to look at, to print, and to take away."""

from typing import Final

from aiohttp import web

from credentials.bundle import encode_bundle
from credentials.model import parse_credential
from credentials.report import Outcome
from node.api.context import NODE
from node.api.operation import HTML, Answer, Operation, described, named
from node.api.verify import VERIFIER
from node.holder import HolderPage, bundle_of, open_page
from node.logbook import CredentialUnknown, NotYetAnchored, build_receipt
from node.web.answer import answer_of
from node.web.claims import claims_of
from node.web.rendering import page_words
from node.web.serving import for_people, language_of, page
from primitives.canonical_json import canonicalize
from primitives.errors import PatunayError

_PRIVATE: Final = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, noarchive",
}
"""For whoever has the address, and for no cache and no search engine."""

routes = web.RouteTableDef()


def _holds(summary: str, answer: Answer, *errors: type[PatunayError]) -> Operation:
    return Operation(
        summary,
        {200: answer},
        errors=(CredentialUnknown, *errors),
        parts={"id": "The credential's UUID."},
        is_page=True,
    )


@routes.get("/c/{id}/{key}")
@described(_holds("A holder's page of one credential", Answer("The page.", None, (HTML,))))
@for_people
async def certificate(request: web.Request) -> web.Response:
    """Show a credential as a certificate, with how it stands today."""
    found, verifier = await _opened(request), request.app[VERIFIER]
    report = await verifier.verify(found.document, size=len(found.body))
    credential = parse_credential(found.document)
    words = page_words(language_of(request))
    known = verifier.demands(frozenset({"proof"})).issuers
    try:
        await build_receipt(request.app[NODE], found.uuid)
        has_receipt = True
    except NotYetAnchored:
        has_receipt = False
    response = page(
        request,
        "certificate",
        answer=answer_of(report, credential, known, words),
        claims=claims_of(credential, words),
        issuer_name=known.get(credential.issuer, ""),
        issuer=credential.issuer,
        holds=report.outcome is Outcome.VALID,
        has_receipt=has_receipt,
        here=found.path,
        uuid=found.uuid,
        as_of=report.as_of,
        site=request.app[NODE].config.domain,
        anchored=report.check("anchor").since,
    )
    response.headers.update(_PRIVATE)
    return response


@routes.get("/c/{id}/{key}/credential.json")
@described(
    _holds(
        "The credential of a holder's page",
        Answer("The credential.", None, ("application/vc+json",)),
    )
)
@for_people
async def credential_file(request: web.Request) -> web.Response:
    """Give the credential, to the byte as it was issued."""
    found = await _opened(request)
    return _file(found.body, "application/vc+json", f"{found.uuid}.json")


@routes.get("/c/{id}/{key}/receipt.json")
@described(
    _holds(
        "The receipt of a holder's page",
        Answer("The receipt.", named("Receipt")),
        NotYetAnchored,
    )
)
@for_people
async def receipt_file(request: web.Request) -> web.Response:
    """Give the receipt of its entry in the log."""
    found = await _opened(request)
    receipt = await build_receipt(request.app[NODE], found.uuid)
    body = canonicalize(receipt.to_json())
    return _file(body, "application/json", f"{found.uuid}.receipt.json")


@routes.get("/c/{id}/{key}/bundle.json")
@described(
    _holds(
        "The credential of a holder's page with its evidence",
        Answer("The evidence bundle.", {"type": "object"}),
    )
)
@for_people
async def bundle_file(request: web.Request) -> web.Response:
    """Give the credential with all the evidence that this node has about it."""
    found = await _opened(request)
    evidence = await request.app[VERIFIER].evidence(found.document)
    made = await bundle_of(request.app[NODE], found.document, evidence)
    return _file(encode_bundle(made), "application/json", f"{found.uuid}.bundle.json")


async def _opened(request: web.Request) -> HolderPage:
    named, key = request.match_info["id"], request.match_info["key"]
    return await open_page(request.app[NODE], named, key)


def _file(body: bytes, kind: str, name: str) -> web.Response:
    headers = {**_PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body, content_type=kind, headers=headers)
