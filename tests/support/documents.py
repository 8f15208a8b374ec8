"""A web server on this machine that answers as badly as it is told to."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(
    handler: Handler, *, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve `handler` at every path on 127.0.0.1, and give the port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    scheme = "http" if ssl_context is None else "https"
    server = TestServer(app, host="127.0.0.1", scheme=scheme)
    await server.start_server(ssl=ssl_context)
    try:
        assert server.port is not None
        yield server.port
    finally:
        await server.close()


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[int]:
    """Accept TCP connections on 127.0.0.1 and let `talk` have them; give the port.

    The request is read first. Whatever `talk` leaves open is closed.
    """
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        await talk(writer)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class StubResolver(AbstractResolver):
    """Gives the same addresses for every name, and notes the questions."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: int = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Answer with every address of this family, whatever the name."""
        self.asked.append(host)
        answers = [answer(host, address, port) for address in self.addresses]
        wanted = {family} if family else {socket.AF_INET, socket.AF_INET6}
        return [found for found in answers if found["family"] in wanted]

    async def close(self) -> None:
        """Nothing is open."""


def answer(host: str, address: str, port: int) -> ResolveResult:
    """Return one address in the form that aiohttp's resolvers use."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return {
        "hostname": host,
        "host": address,
        "port": port,
        "family": family,
        "proto": socket.IPPROTO_TCP,
        "flags": 0,
    }
