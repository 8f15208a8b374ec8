"""Answers that are pages: in the reader's language, with the headers that guard them."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from aiohttp import web

from credentials.foreign.formats import FormatNotSupported
from node.api.context import NODE
from node.api.problems import problem_response
from node.challenges import ChallengeExpired, ChallengeUnknown, ChallengeUsed
from node.logbook import CredentialUnknown
from node.web.headlines import OTHER_KIND, OTHER_KIND_LEAD, Tone
from node.web.language import choose_language
from node.web.rendering import page_words, render
from primitives.errors import PatunayError, Undetermined
from primitives.wording.words import Language, phrase

LANGUAGE_COOKIE: Final = "patunay_lang"
_YEAR_SECONDS: Final = 365 * 24 * 3600

_CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, nothing inline, in no frame."""

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


def language_of(request: web.Request) -> Language:
    """Return the language that the reader asked for, or accepts."""
    return choose_language(
        request.query.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        request.headers.get("Accept-Language", ""),
    )


def page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    language: Language | None = None,
    **values: Any,
) -> web.Response:
    """Return the page that `template` makes of `values`.

    Never stored by anybody on the way: most pages hold personal data. A language that was
    asked for is remembered.
    """
    chosen = language or language_of(request)
    text = render(
        template,
        chosen,
        path=request.path,
        provider=request.app[NODE].config.domain,
        **values,
    )
    response = web.Response(
        text=text,
        status=status,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _CSP,
            "Cache-Control": "no-store",
            "Content-Language": chosen.value,
            # Not `no-referrer`: with that, a browser hides the origin of a form as well,
            # and the node could not tell its own forms from those of another site.
            "Referrer-Policy": "same-origin",
            "Vary": "Accept-Language, Cookie",
        },
    )
    if language is not None or "lang" in request.query:
        response.set_cookie(
            LANGUAGE_COOKIE,
            chosen.value,
            max_age=_YEAR_SECONDS,
            path="/",
            samesite="Lax",
            httponly=True,
            secure=is_over_tls(request),
        )
    return response


def is_over_tls(request: web.Request) -> bool:
    """Tell whether the reader's browser speaks TLS, to us or to the proxy before us."""
    return request.app[NODE].config.public_url.startswith("https:")


_FALSE: Final = phrase("This cannot be read as a credential")
_FALSE_LEAD: Final = phrase(
    "It is no credential, or it was damaged on its way. Choose the file exactly as you got"
    " it. A photo or a PDF of a certificate cannot be checked here."
)
NO_PAGE: Final = phrase("There is nothing at this address")
NO_PAGE_LEAD: Final = phrase(
    "Look whether the address was copied whole. Whoever gave it to you can give it again."
)
_CHALLENGE: Final = phrase("That challenge is not open")
_CHALLENGE_LEAD: Final = phrase(
    "Nothing was checked. The challenge was used before, is too old, or is not one of this"
    " site. Ask for a new one, and for a presentation that answers it."
)
_OPEN: Final = phrase("That did not work just now")
_OPEN_LEAD: Final = phrase("Nothing is said about the credential by this. Try again later.")


def problem_page(request: web.Request, error: PatunayError, **values: Any) -> web.Response:
    """Return the page about an error, with the status that programs get."""
    words = page_words(language_of(request))
    headline, lead = _said_of(error)
    response = problem_response(error)
    made = page(
        request,
        "problem",
        status=response.status,
        tone=Tone.OPEN,
        detail=str(error),
        hint=error.hint,
        code=error.code,
        **{
            "headline": words.say(headline),
            "lead": words.say(lead),
            "form": True,
            "open": "",
            **values,
        },
    )
    if "Retry-After" in response.headers:
        made.headers["Retry-After"] = response.headers["Retry-After"]
    return made


def _said_of(error: PatunayError) -> tuple[str, str]:
    if isinstance(error, FormatNotSupported):
        return OTHER_KIND, OTHER_KIND_LEAD
    if isinstance(error, CredentialUnknown):
        return NO_PAGE, NO_PAGE_LEAD
    if isinstance(error, ChallengeUsed | ChallengeExpired | ChallengeUnknown):
        return _CHALLENGE, _CHALLENGE_LEAD
    if isinstance(error, Undetermined):
        return _OPEN, _OPEN_LEAD
    return _FALSE, _FALSE_LEAD


def for_people(handler: Page) -> Page:
    """Let a handler's errors be pages as well."""

    @wraps(handler)
    async def handled(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except PatunayError as e:
            return problem_page(request, e)

    return handled
