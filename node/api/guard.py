"""Which routes need a token, and what for."""

from collections.abc import Callable
from functools import wraps
from typing import Final

from aiohttp import web

from node.access import require
from node.api.context import NODE
from node.api.limits import LIMITS
from node.api.problems import Handler
from node.permissions import Action, Actor

ACTOR: Final = web.RequestKey("ACTOR", Actor)

_ACTION: Final = "patunay_action"


def needs(action: Action) -> Callable[[Handler], Handler]:
    """Let a handler be reached by those alone who may do `action`.

    Of a route with `{slug}`, to that issuer. The handler finds who asks in
    `request[ACTOR]`. Where the request names the issuer in another way, what the handler
    calls checks it: recording the act does (`node.audit_log.record`).
    """

    def guard(handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            slug = request.match_info.get("slug")
            node = request.app[NODE]
            request[ACTOR] = await require(node, request.headers, action, slug)
            request.app[LIMITS].tokens.check(request[ACTOR].token)
            return await handler(request)

        setattr(guarded, _ACTION, action)
        return guarded

    return guard


def needed(handler: object) -> Action | None:
    """Return the action that a handler is guarded with; None if anybody may reach it."""
    found = getattr(handler, _ACTION, None)
    return found if isinstance(found, Action) else None
