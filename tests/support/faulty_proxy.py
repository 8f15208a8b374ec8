"""An HTTP proxy before a JSON-RPC endpoint that loses requests and answers when told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from tests.support.loopback import posted_to

SENDING = "eth_sendRawTransaction"


class FaultyProxy:
    """Forwards what it gets, except for as many requests as these fields say."""

    def __init__(self, target: str, session: aiohttp.ClientSession) -> None:
        self._target = target
        self._session = session
        self.lost_answers = 0
        """Transactions that arrive at the chain, and whose answer never comes back."""

        self.refused = 0
        """Requests that are answered with 503 and go no further."""

        self.failed = 0
        """Requests that arrive at the chain and are answered with 500."""

        self.down = False
        """Every connection is closed without an answer."""

    def heal(self) -> None:
        """Forward everything from now on."""
        self.lost_answers = self.refused = self.failed = 0
        self.down = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self.down:
            raise _hang_up(request)
        if self.refused > 0:
            self.refused -= 1
            return web.Response(status=503)
        async with self._session.post(self._target, data=body, headers=_JSON) as found:
            answer = await found.read()
        if self.failed > 0:
            self.failed -= 1
            return web.Response(status=500)
        if self.lost_answers > 0 and SENDING.encode() in body:
            self.lost_answers -= 1
            raise _hang_up(request)
        return web.Response(body=answer, headers=_JSON)


_JSON = {"Content-Type": "application/json"}


def _hang_up(request: web.Request) -> Exception:
    """Close the connection; the client sees no answer at all."""
    if request.transport is not None:
        request.transport.close()
    return web.HTTPBadGateway()


@asynccontextmanager
async def running_proxy(target: str) -> AsyncIterator[tuple[FaultyProxy, str]]:
    """Give a proxy before `target`, and its URL on the loopback interface."""
    async with aiohttp.ClientSession() as session:
        proxy = FaultyProxy(target, session)
        async with posted_to(proxy.answer) as url:
            yield proxy, url
