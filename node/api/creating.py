"""Answering requests that make something: once, if the client names a key.

The header is that of draft-ietf-httpapi-idempotency-key-header.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from node.api.guard import ACTOR, needed
from node.audit_log import refusals_recorded
from node.idempotency import OnceOnly, find_answer, keep_answer
from node.node import Node
from node.storage.idempotency import KeptAnswer
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed

IDEMPOTENCY_KEY: Final = "Idempotency-Key"

_KEY: Final = re.compile(r'[A-Za-z0-9._~:/+=-]{1,128}|"[A-Za-z0-9._~:/+=-]{1,128}"')


class IdempotencyKeyMalformed(Malformed):
    """The idempotency key is none that is kept."""

    code = "idempotency-key-malformed"
    hint = "send 1 to 128 letters, digits and ._~:/+=- such as a new UUID, in one header"


@dataclass(frozen=True, slots=True)
class Made:
    """What an effect is answered with."""

    status: int
    body: JsonObject
    location: str | None = None
    """Path under which it can be read."""


Effect: TypeAlias = Callable[[AsyncConnection], Awaitable[Made]]
"""Does what the request asks for, in the transaction that it is given."""


async def answer_once(
    node: Node, request: web.Request, raw: bytes, effect: Effect
) -> web.Response:
    """Return the answer of `effect`, or of the equal request that came before.

    Args:
        node: In whose database all of it happens.
        request: Of whoever has shown a token, whose keys these are.
        raw: The request's body.
        effect: Runs at most once for a key.

    Raises:
        IdempotencyKeyMalformed: The key cannot be kept.
        IdempotencyConflict: It was used for another request.
    """
    once, action = read_key(request, raw), needed(request.match_info.handler)
    if action is None:
        raise TypeError("what makes something needs a guard")
    async with refusals_recorded(node, action), node.writing() as c:
        if once is None:
            return to_response(_kept(await effect(c)))
        earlier = await find_answer(node, c, once)
        if earlier is not None:
            return to_response(earlier)
        answer = _kept(await effect(c))
        await keep_answer(c, once, answer)
    return to_response(answer)


def read_key(request: web.Request, raw: bytes) -> OnceOnly | None:
    """Return the idempotency key of a request and its body; None where it names none.

    Raises:
        IdempotencyKeyMalformed: The key cannot be kept.
    """
    values = request.headers.getall(IDEMPOTENCY_KEY, [])
    if not values:
        return None
    if len(values) > 1 or not _KEY.fullmatch(values[0]):
        raise IdempotencyKeyMalformed(f"found {', '.join(values)[:80]!r}")
    return OnceOnly.of(
        scope=request[ACTOR].token,
        key=values[0].strip('"'),
        method=request.method,
        target=request.path_qs,
        body=raw,
    )


def _kept(made: Made) -> KeptAnswer:
    return KeptAnswer(made.status, made.location, json.dumps(made.body))


def to_response(answer: KeptAnswer) -> web.Response:
    """Return an answer as it is sent."""
    headers = {"Location": answer.location} if answer.location is not None else {}
    return web.Response(
        status=answer.status,
        text=answer.body,
        content_type="application/json",
        headers=headers,
    )
