"""A JSON-RPC server on the loopback interface that lies about a chain that is real.

It asks an honest node, and changes what it passes on: so each lie differs from the truth in
one thing alone.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from tests.support.loopback import posted_to

Answer = dict[str, Any]
Lie = Callable[[str, Answer], Answer | bytes | web.Response]
"""Gets the method and the true answer; returns an answer, other bytes, or a response."""

_JSON = {"Content-Type": "application/json"}


class LyingRpc:
    """Tells the truth until `lie` is set."""

    def __init__(self, honest_url: str, session: aiohttp.ClientSession) -> None:
        self._honest_url = honest_url
        self._session = session
        self.lie: Lie | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        async with self._session.post(self._honest_url, json=asked) as found:
            answer: Answer = await found.json()
        told = answer if self.lie is None else self.lie(asked["method"], answer)
        if isinstance(told, web.Response):
            return told
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        return web.Response(body=body, headers=_JSON)


def about(method: str, change: Callable[[Any], Any]) -> Lie:
    """Return a lie about the results of one method; null results stay as they are."""

    def lie(asked: str, answer: Answer) -> Answer:
        if asked != method or answer.get("result") is None:
            return answer
        return {**answer, "result": change(answer["result"])}

    return lie


@asynccontextmanager
async def running_liar(honest_url: str) -> AsyncIterator[tuple[LyingRpc, str]]:
    """Give a liar about the node at `honest_url`, and its own URL."""
    async with aiohttp.ClientSession() as session:
        liar = LyingRpc(honest_url, session)
        async with posted_to(liar.answer) as url:
            yield liar, url
