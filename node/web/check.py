"""The page that checks a credential: for people, and without a script where need be."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from aiohttp import web

from credentials.bundle import Bundle
from credentials.foreign.formats import (
    FormatNotSupported,
    file_format,
    foreign_format,
)
from credentials.presentation import PresentationReport
from credentials.presentation_checks import presented_credentials
from credentials.report import Report
from did.fetch import FetchFailed
from node.anchor_state import anchor_state
from node.api.context import NODE
from node.api.operation import HTML, NO_FILE, Answer, Body, Operation, described
from node.api.presentations import text_option, verify_any
from node.api.problems import MediaTypeUnsupported
from node.api.verify import VERIFIER
from node.challenges import is_own
from node.storage.registry import list_issuers
from node.web.answer import answer_of
from node.web.assets import find_asset
from node.web.claims import claims_of
from node.web.headlines import OTHER_KIND_LEAD, Tone
from node.web.kinds import kind_line
from node.web.language import choose_language
from node.web.presented import Asked, presentation_answer, readable
from node.web.rendering import page_words
from node.web.serving import for_people, language_of, page, problem_page
from node.web.submission import (
    NothingHandedOver,
    Submission,
    is_link,
    read_document,
    read_submission,
)
from primitives.canonical_json import JsonObject
from primitives.errors import Undetermined
from primitives.hashing import sha256
from primitives.instants import parse_instant
from primitives.strict_json import MAX_DOCUMENT_BYTES, JsonMalformed
from primitives.wording.words import Language, phrase

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_BRIEFLY: Final = "public, max-age=300"
_ASSETS: Final = ("text/css", "text/javascript", "image/svg+xml")
_FORM: Final = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "credential": {"type": "string"},
        "link": {"type": "string"},
        "challenge": {"type": "string"},
        "domain": {"type": "string"},
        "lang": {"enum": [language.value for language in Language]},
    },
}
"""As `node.web.submission` reads it."""

routes = web.RouteTableDef()


@routes.get("/")
@described(
    Operation(
        "The page that checks a credential",
        {200: Answer("The page.", None, (HTML,))},
        is_page=True,
    )
)
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
@described(
    Operation(
        "The page's form: check a file, a text or a link",
        {200: Answer("The answer, as a page.", None, (HTML,))},
        errors=(
            NothingHandedOver,
            JsonMalformed,
            MediaTypeUnsupported,
            FormatNotSupported,
            FetchFailed,
        ),
        body=Body(_FORM, ("multipart/form-data",)),
        is_page=True,
    )
)
@for_people
async def check(request: web.Request) -> web.Response:
    """Check what the form was sent with, and show the answer."""
    given = await read_submission(request)
    language = _chosen(request, given)
    asked = Asked(given.challenge, given.domain)
    if given.link and not given.body:
        return await _check_link(request, given.link, language)
    if is_link(given.body):
        link = given.body.decode("utf-8", "replace")
        return _ask_before_opening(request, link, language)
    return await _check_body(request, given.body, language, asked)


@routes.get("/assets/{name}")
@described(
    Operation(
        "What the pages load: style sheet, script, picture",
        {200: Answer("The file.", None, _ASSETS), 404: NO_FILE},
    )
)
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


async def _check_body(
    request: web.Request, body: bytes, language: Language, asked: Asked
) -> web.Response:
    try:
        given = await asyncio.to_thread(read_document, body)
    except FormatNotSupported as e:
        return _other_kind(request, e, body, language)
    sent = {"text": body.decode(), "digest": sha256(body).hex()}
    options: JsonObject = {name: text for name, text in asdict(asked).items() if text}
    report = await verify_any(
        request.app[VERIFIER],
        given,
        size=len(body),
        challenge=text_option(options, "challenge"),
        domain=text_option(options, "domain"),
    )
    document = given.credential if isinstance(given, Bundle) else given
    if isinstance(report, PresentationReport):
        return _presentation(request, document, report, asked, language, sent)
    return _answer(request, document, report, language, sent)


def _answer(
    request: web.Request,
    document: JsonObject,
    report: Report,
    language: Language,
    sent: Mapping[str, Any],
) -> web.Response:
    words, credential = page_words(language), readable(document)
    known = request.app[VERIFIER].demands(frozenset({"proof"})).issuers
    answer = answer_of(report, credential, known, words)
    if (kind := foreign_format(document)) is not None:
        answer = replace(answer, lines=(kind_line(kind.value, words), *answer.lines))
    return page(
        request,
        "answer",
        language=language,
        answer=answer,
        claims=claims_of(credential, words) if credential is not None else None,
        as_of=report.as_of,
        site=request.app[NODE].config.domain,
        again={},
        **sent,
    )


def _presentation(
    request: web.Request,
    document: JsonObject,
    report: PresentationReport,
    asked: Asked,
    language: Language,
    sent: Mapping[str, Any],
) -> web.Response:
    words = page_words(language)
    known = request.app[VERIFIER].demands(frozenset({"proof"})).issuers
    members = presented_credentials(document)
    # One of this node works once: asked again with it, an answer would be another.
    again = asked if not is_own(asked.challenge) else Asked(domain=asked.domain)
    return page(
        request,
        "presentation",
        language=language,
        answer=presentation_answer(report, members, known, asked, words),
        as_of=report.as_of,
        site=request.app[NODE].config.domain,
        again=asdict(again),
        **sent,
    )


def _other_kind(
    request: web.Request, error: FormatNotSupported, body: bytes, language: Language
) -> web.Response:
    """Say of a file that is no JSON what it is."""
    words = page_words(language)
    found, lead = file_format(body), words.say(OTHER_KIND_LEAD)
    if found is not None:
        lead = f"{kind_line(found, words).text} {lead}"
    return problem_page(request, error, lead=lead)


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
    return await _check_body(request, body.strip(), language, Asked())


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
