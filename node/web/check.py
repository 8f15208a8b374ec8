"""The page that checks a credential: for people, and without a script where need be."""

import asyncio
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from credentials.bundle import Bundle
from credentials.model import Credential, parse_credential
from credentials.report import Outcome, Report
from node.anchor_state import anchor_state
from node.api.context import NODE
from node.api.verify import VERIFIER
from node.storage.registry import list_issuers
from node.web.answer import Tone, answer_of
from node.web.assets import find_asset
from node.web.claims import claims_of
from node.web.language import choose_language
from node.web.rendering import page_words
from node.web.serving import for_people, language_of, page, problem_page
from node.web.submission import Submission, is_link, read_document, read_submission
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError, Undetermined
from primitives.hashing import sha256
from primitives.instants import parse_instant
from primitives.strict_json import MAX_DOCUMENT_BYTES
from primitives.wording.words import Language, phrase

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_BRIEFLY: Final = "public, max-age=300"

routes = web.RouteTableDef()


@routes.get("/")
@for_people
async def front(request: web.Request) -> web.Response:
    """Show the form, who is known here, and where the log stands."""
    node = request.app[NODE]
    state = await anchor_state(node, node.config.chain.chain_id)
    async with node.reading() as c:
        issuers = await list_issuers(c)
    mined = state.transaction.block_time if state.transaction is not None else None
    return page(
        request,
        "front",
        issuers=[(issuer.name, issuer.did) for issuer in issuers],
        tree_size=state.checkpoint.tree_size if state.checkpoint is not None else 0,
        anchored_at=parse_instant(mined) if mined is not None else None,
    )


@routes.post("/")
@for_people
async def check(request: web.Request) -> web.Response:
    """Check what the form was sent with, and show the answer."""
    given = await read_submission(request)
    language = _chosen(request, given)
    if given.link and not given.body:
        return await _check_link(request, given.link, language)
    if is_link(given.body):
        link = given.body.decode("utf-8", "replace")
        return _ask_before_opening(request, link, language)
    return await _check_body(request, given.body, language)


@routes.get("/assets/{name}")
async def asset(request: web.Request) -> web.Response:
    """Give the style sheet, the script or the picture of the pages."""
    found = find_asset(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    is_named = request.query.get("v") == found.digest
    headers = {"Cache-Control": _FOR_EVER if is_named else _BRIEFLY}
    return web.Response(body=found.body, content_type=found.kind, headers=headers)


def _chosen(request: web.Request, given: Submission) -> Language:
    if given.language:
        return choose_language(given.language, None, "")
    return language_of(request)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A report, and the credential that it is on."""

    report: Report
    credential: Credential | None
    """None where it breaks the data model."""

    text: str
    """What was handed over, to ask again in another language."""

    digest: str


async def _check_body(
    request: web.Request, body: bytes, language: Language
) -> web.Response:
    checked = await _verify(request, body)
    verifier, words = request.app[VERIFIER], page_words(language)
    report, credential = checked.report, checked.credential
    known = verifier.demands(frozenset({"proof"})).issuers
    return page(
        request,
        "answer",
        language=language,
        answer=answer_of(report, credential, known, words),
        claims=claims_of(credential, words) if credential is not None else None,
        vouched=report.authenticity is Outcome.VALID,
        as_of=report.as_of,
        digest=checked.digest,
        site=request.app[NODE].config.domain,
        text=checked.text,
    )


async def _verify(request: web.Request, body: bytes) -> _Checked:
    verifier = request.app[VERIFIER]
    given = await asyncio.to_thread(read_document, body)
    if isinstance(given, Bundle):
        document, report = given.credential, await verifier.verify_bundle(given)
    else:
        document, report = given, await verifier.verify(given, size=len(body))
    credential = _readable(document)
    return _Checked(report, credential, body.decode(), sha256(body).hex())


def _readable(document: JsonObject) -> Credential | None:
    try:
        return parse_credential(document)
    except PatunayError:
        return None  # the report's check `structure` says why


async def _check_link(request: web.Request, link: str, language: Language) -> web.Response:
    fetch = request.app[VERIFIER].gatherer.fetch
    if fetch is None:
        raise RuntimeError("the verifier of a daemon looks things up")
    try:
        body = await fetch(link, MAX_DOCUMENT_BYTES)
    except Undetermined as e:
        words = page_words(language)
        lead = phrase(
            "The website did not answer, or it gave something else than a credential. Ask"
            " for the file itself."
        )
        headline = words.say("The link could not be opened")
        return problem_page(
            request, e, headline=headline, lead=words.say(lead), open="link", link=link
        )
    return await _check_body(request, body.strip(), language)


def _ask_before_opening(
    request: web.Request, link: str, language: Language
) -> web.Response:
    """Fetch nothing that was only pasted: its reader says first that he wants it."""
    words = page_words(language)
    lead = words.say(
        "It stands in the form below now. Press the button if this site is to open it."
    )
    return page(
        request,
        "problem",
        language=language,
        tone=Tone.OPEN,
        headline=words.say("You pasted a link"),
        lead=lead,
        detail="",
        form=True,
        open="link",
        link=link,
    )
