"""Signing in to the console, and out of it."""

import re
from typing import Final

from aiohttp import web

from node.api.context import NODE
from node.sessions import sign_in, sign_out
from node.web.console import (
    COOKIE,
    HOME,
    NOT_SIGNED_IN,
    SIGN_IN,
    console,
    redirect,
    remember,
)
from node.web.serving import for_people, page
from node.web.submission import read_form

_MAX_FORM_BYTES: Final = 4096
_OWN_PATH: Final = re.compile(r"/console(/[A-Za-z0-9/._~-]*)?(\?[A-Za-z0-9=&._~%-]*)?")
_UNAUTHORISED: Final = 401

routes = web.RouteTableDef()


@routes.get(SIGN_IN)
@for_people
async def form(request: web.Request) -> web.Response:
    """Ask for a token."""
    return _form(request, request.query.get("next", HOME))


@routes.post(SIGN_IN)
@for_people
async def enter(request: web.Request) -> web.Response:
    """Open a session for whoever shows a token in force.

    A page of another site cannot sign anybody in here: the node looks at `Origin`.
    """
    fields = await read_form(request, _MAX_FORM_BYTES)
    where = fields.get("next", b"").decode("ascii", "replace")
    try:
        token = fields.get("token", b"").decode("utf-8", "replace")
        secret = await sign_in(request.app[NODE], token)
    except NOT_SIGNED_IN:
        return _form(request, where, failed=True)
    response = redirect(_own(where))
    remember(request, response, secret)
    return response


@routes.post("/console/sign-out")
@console()
async def leave(request: web.Request) -> web.Response:
    """End the session."""
    await sign_out(request.app[NODE], request.cookies.get(COOKIE, ""))
    response = redirect(SIGN_IN)
    response.del_cookie(COOKIE, path=HOME)
    return response


def _form(request: web.Request, where: str, *, failed: bool = False) -> web.Response:
    status = _UNAUTHORISED if failed else 200
    return page(request, "sign_in", status=status, next=_own(where), failed=failed)


def _own(where: str) -> str:
    """Return a path of the console; its front page in place of anything else."""
    return where if _OWN_PATH.fullmatch(where) else HOME
