"""Asks for every host of `tests.support.denied_hosts`, and prints what came of it as JSON.

A program of its own, so that strace can watch every connection that it makes. With
`--unguarded` it connects to this machine as a fetcher without guard would: the witness has
to see that.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack
from typing import Final

from aiohttp import web
from aiohttp.abc import ResolveResult

from did.fetch import DidWebResolver, PublicFetcher
from primitives.clock import SystemClock
from primitives.errors import PatunayError
from tests.support.denied_hosts import DENIED, DeniedHost
from tests.support.documents import StubResolver, answer, serving

PUBLIC: Final = "8.8.8.8"
"""Is part of answers that are refused as a whole, and is never asked."""

_NAME = "https://example.edu/"
_LOOPBACK = ("127.", "::1")


class _ChangedAnswer(list[ResolveResult]):
    """Public when it is judged, another when it is used."""

    def __init__(self, address: str) -> None:
        super().__init__([answer("example.edu", PUBLIC, 443)])
        self._addresses = iter([PUBLIC])
        self._then = address

    def __iter__(self) -> Iterator[ResolveResult]:
        address = next(self._addresses, self._then)
        return iter([answer("example.edu", address, 443)])


class _ChangingResolver(StubResolver):
    """Gives an answer that changes between being judged and being used."""

    async def resolve(
        self, host: str, port: int = 0, family: int = 0
    ) -> list[ResolveResult]:
        await super().resolve(host, port, family)
        return _ChangedAnswer(self.addresses[0])


async def _code_of(asked: Awaitable[object]) -> str:
    try:
        await asked
    except PatunayError as e:
        return e.code
    return "fetched"


def _get(fetcher: PublicFetcher, url: str) -> Awaitable[object]:
    return fetcher.get(url, max_bytes=1_000, accept="application/json")


async def _literal(row: DeniedHost) -> dict[str, str]:
    async with PublicFetcher(resolver=StubResolver(row.leads_to)) as fetcher:
        did = "did:web:" + row.host.replace(":", "%3A")
        resolver = DidWebResolver(fetcher, SystemClock())
        return {
            "did": await _code_of(resolver.resolve(did)),
            "url": await _code_of(_get(fetcher, f"https://{row.host}/did.json")),
        }


async def _dns(row: DeniedHost, port: int) -> dict[str, str]:
    found = {}
    for stage, resolver in {
        "dns": StubResolver(row.leads_to),
        "dns, the first of two": StubResolver(row.leads_to, PUBLIC),
        "dns, the second of two": StubResolver(PUBLIC, row.leads_to),
        "dns, changed between judging and use": _ChangingResolver(row.leads_to),
    }.items():
        async with PublicFetcher(resolver=resolver) as fetcher:
            found[stage] = await _code_of(_get(fetcher, _NAME))
    if not row.leads_to.startswith(_LOOPBACK):
        rebinding = StubResolver("127.0.0.1")
        async with PublicFetcher(resolver=rebinding, allow_loopback_http=True) as fetcher:
            url = f"http://localhost:{port}/"
            found["dns, first question"] = await _code_of(_get(fetcher, url))
            rebinding.addresses = [row.leads_to]
            found["dns, second question"] = await _code_of(_get(fetcher, url))
    return found


async def _ask_all() -> dict[str, object]:
    async def redirect(request: web.Request) -> web.Response:
        index = request.query.get("to")
        if index is None:
            return web.Response(body=b"{}")
        to = f"https://{DENIED[int(index)].host}/did.json"
        printable = "".join(c for c in to if c.isprintable())
        return web.Response(status=302, headers={"Location": printable})

    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving(redirect))
        local = await stack.enter_async_context(PublicFetcher(allow_loopback_http=True))
        rows = []
        for index, row in enumerate(DENIED):
            url = f"http://127.0.0.1:{port}/?to={index}"
            rows.append(
                await _literal(row)
                | await _dns(row, port)
                | {"redirect": await _code_of(_get(local, url))}
            )
        return {"port": port, "rows": rows}


async def _connect_unguarded() -> dict[str, object]:
    async def hello(_: web.Request) -> web.Response:
        return web.Response()

    async with serving(hello) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
    # Nobody listens there any more; the attempt alone is what is to be seen.
    for host in ("127.0.0.1", "::1"):
        try:
            await asyncio.open_connection(host, port)
        except OSError:
            continue
    return {"port": port}


if __name__ == "__main__":
    unguarded = sys.argv[1:] == ["--unguarded"]
    json.dump(asyncio.run(_connect_unguarded() if unguarded else _ask_all()), sys.stdout)
