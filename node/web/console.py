"""What every page of the console has in common: who has signed in, and what he may do."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from node.access import TokenExpired, TokenMissing, TokenRefused
from node.acting import act_as
from node.api.context import NODE
from node.api.problems import problem_response
from node.audit_log import record_refusal
from node.permissions import (
    ALLOWED,
    Action,
    Actor,
    IssuerRefused,
    RoleRefused,
    check_permission,
)
from node.sessions import SESSION_SECONDS, Session, SessionMissing, find_session
from node.web.rendering import page_words
from node.web.serving import Page, is_over_tls, language_of, page
from node.web.submission import read_form
from primitives.errors import PatunayError, Undetermined
from primitives.wording.words import phrase

COOKIE: Final = "patunay_session"
HOME: Final = "/console"
SIGN_IN: Final = "/console/sign-in"
SESSION: Final = web.RequestKey("SESSION", Session)
FORM: Final = web.RequestKey("FORM", dict[str, bytes])

FORM_KEY: Final = "form_key"
_MAX_FORM_BYTES: Final = 1 << 20
_ACTION: Final = "patunay_console_action"


def console(
    action: Action | None = None, *, max_bytes: int = _MAX_FORM_BYTES
) -> Callable[[Page], Page]:
    """Let a handler be reached by those alone who have signed in and may do `action`.

    A form has to be one that this session's own pages made; the handler finds its fields
    in `request[FORM]`, and who asks in `request[SESSION]`. Errors are pages.
    """

    def guard(handler: Page) -> Page:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            node = request.app[NODE]
            try:
                session = await find_session(node, request.cookies.get(COOKIE, ""))
            except SessionMissing:
                return _to_sign_in(request)
            request[SESSION] = session
            act_as(session.token.actor)
            try:
                await _check(request, session.token.actor, action)
                if request.method == "POST":
                    request[FORM] = await read_form(request, max_bytes)
                    session.check_form(field(request, FORM_KEY))
                return await handler(request)
            except PatunayError as e:
                return console_problem(request, e)

        setattr(guarded, _ACTION, action)
        return guarded

    return guard


def is_console(handler: object) -> bool:
    """Tell whether only those who have signed in reach a handler."""
    return hasattr(handler, _ACTION)


async def _check(request: web.Request, actor: Actor, action: Action | None) -> None:
    if action is None:
        return
    try:
        check_permission(actor, action)
    except (RoleRefused, IssuerRefused) as e:
        await record_refusal(request.app[NODE], action, e)
        raise


def field(request: web.Request, name: str) -> str:
    """Return a text field of the form; empty where it has none of that name."""
    return request[FORM].get(name, b"").decode("utf-8", "replace").strip()


def console_page(request: web.Request, template: str, **values: Any) -> web.Response:
    """Return a page of the console."""
    session = request[SESSION]
    actor = session.token.actor
    allowed = frozenset(a for role in actor.roles for a in ALLOWED[role])
    return page(
        request,
        template,
        **{
            "form_key": session.form_key,
            "who": actor.name,
            "roles": sorted(actor.roles),
            "may": lambda name: Action(name) in allowed,
            "width": "broad",
            "status": 200,
            **values,
        },
    )


_REFUSED: Final = phrase("That was not done")
_LATER: Final = phrase("That could not be done just now")


def console_problem(request: web.Request, error: PatunayError) -> web.Response:
    """Return the page about an error, with the status that programs get."""
    words = page_words(language_of(request))
    headline = _LATER if isinstance(error, Undetermined) else _REFUSED
    return console_page(
        request,
        "console_problem",
        status=problem_response(error).status,
        headline=words.say(headline),
        detail=str(error),
        hint=error.hint,
        code=error.code,
    )


def redirect(where: str) -> web.Response:
    """Send the reader to another page after a form: loading it anew sends nothing."""
    headers = {"Location": where, "Cache-Control": "no-store"}
    return web.Response(status=web.HTTPSeeOther.status_code, headers=headers)


def _to_sign_in(request: web.Request) -> web.Response:
    where = request.path_qs if request.method == "GET" else HOME
    return redirect(f"{SIGN_IN}?next={quote(where, safe='')}")


def remember(request: web.Request, response: web.Response, secret: str) -> None:
    """Put a session's secret into its cookie: for this site alone, and no script."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=SESSION_SECONDS,
        path=HOME,
        httponly=True,
        samesite="Strict",
        secure=is_over_tls(request),
    )


NOT_SIGNED_IN: Final = (TokenMissing, TokenRefused, TokenExpired)
