"""Refusals that come before any page, as pages for whoever reads with a browser.

Everybody else gets the problem document (RFC 9457) that `node.api.problems` has made.
"""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from node.api.problems import PROBLEM, Handler
from node.web.headlines import Tone
from node.web.rendering import page_words
from node.web.serving import NO_PAGE, NO_PAGE_LEAD, language_of, page
from primitives.wording.words import phrase

_BUSY: Final = (
    phrase("This site is busy just now"),
    phrase("Nothing is said about any credential by this. Try again in a moment."),
)

_SAID: Final[Mapping[str, tuple[str, str]]] = {
    "host-refused": (
        phrase("This site does not go by that name"),
        phrase(
            "Your browser asked for it under another name than its own. Look whether the"
            " address is right."
        ),
    ),
    "origin-refused": (
        phrase("Nothing was done"),
        phrase(
            "Another website has sent this form. Open this site itself, and do there what"
            " you want to do."
        ),
    ),
    "http-rate-limited": (
        phrase("Too many requests came from your network"),
        phrase(
            "Nothing is said about any credential by this. Wait a minute, then try again."
        ),
    ),
    "http-overloaded": _BUSY,
    "not-ready": _BUSY,
    "not-found": (NO_PAGE, NO_PAGE_LEAD),
}
"""What people are told, by the code of the problem; of any other code, what it is."""


@web.middleware
async def pages_for_people(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a browser that is refused with a page in its reader's language."""
    response = await handler(request)
    said = _SAID.get(response.get(PROBLEM, ""))
    if said is None or response.content_type == "text/html":
        return response
    response.headers.add("Vary", "Accept")
    if not _reads_pages(request):
        return response
    words, code = page_words(language_of(request)), response[PROBLEM]
    made = page(
        request,
        "problem",
        status=response.status,
        tone=Tone.OPEN,
        headline=words.say(said[0]),
        lead=words.say(said[1]),
        detail="",
        code=code,
        form=False,
        open="",
    )
    if "Retry-After" in response.headers:
        made.headers["Retry-After"] = response.headers["Retry-After"]
    made.headers.add("Vary", "Accept")
    made[PROBLEM] = code
    return made


def _reads_pages(request: web.Request) -> bool:
    """Whether a browser opens a page: its scripts, and programs, name no HTML."""
    accepted = request.headers.get("Accept", "").lower()
    return "text/html" in accepted and "json" not in accepted
