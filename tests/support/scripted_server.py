"""A chain's endpoints and an IPFS gateway on this machine, which say what a script says.

    {"chains": [{"eth_chainId": {"result": "0x1"},
                 "eth_getBlockByNumber latest": {"result": {…}},
                 "*": {"error": {"code": -32601, "message": "…"}}}],
     "blocks": {CID: {"base64": "…"}}}

The n-th chain answers at `/rpc/n`, by method and first parameter, by method alone, or under
`*`. An answer has a `result` or `error`, and `id` where it is to be a wrong one; or it is a
page: `status`, `body` or `base64`, and `pace`: `at-once`, `endless` or `cut-short`.
"""

import base64
from collections.abc import Mapping
from typing import Any

from aiohttp import web

ENDLESS_PIECES = 10_000
"""Of 10 kB each: 100 MB for whoever reads them all."""

_NOT_FOUND = {"status": 404, "body": "not here"}
_UNKNOWN_METHOD = {"error": {"code": -32601, "message": "the method does not exist"}}


class ScriptedServer:
    """Serves one script after another at `url`."""

    def __init__(self) -> None:
        self._script: Mapping[str, Any] = {}
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.asked: list[str] = []
        """What was asked for, in order: JSON-RPC methods and CIDs."""

    def show(self, script: Mapping[str, Any]) -> None:
        """Answer as `script` says from now on."""
        self._script = script
        self.asked = []

    @property
    def rpc_urls(self) -> list[str]:
        """The endpoints of the script."""
        count = len(self._script.get("chains", ()))
        return [f"{self.url}/rpc/{number}" for number in range(count)]

    async def start(self) -> None:
        """Listen on a free port of the loopback interface."""
        app = web.Application()
        app.router.add_post("/rpc/{number}", self._rpc)
        app.router.add_get("/ipfs/{cid}", self._block)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://localhost:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _rpc(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        method, first = asked["method"], next(iter(asked.get("params", [])), "")
        self.asked.append(method)
        answers = self._script["chains"][int(request.match_info["number"])]
        names = (f"{method} {first}", method, "*")
        answer = next((answers[n] for n in names if n in answers), _UNKNOWN_METHOD)
        if not answer.keys() & {"result", "error"}:
            return await _page(request, answer)
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], **answer})

    async def _block(self, request: web.Request) -> web.StreamResponse:
        cid = request.match_info["cid"]
        self.asked.append(cid)
        return await _page(request, self._script.get("blocks", {}).get(cid, _NOT_FOUND))


async def _page(request: web.Request, page: Mapping[str, Any]) -> web.StreamResponse:
    body = base64.b64decode(page.get("base64", "")) or page.get("body", "").encode()
    status, pace = page.get("status", 200), page.get("pace", "at-once")
    if pace == "at-once":
        return web.Response(status=status, body=body)
    response = web.StreamResponse(status=status)
    if pace == "cut-short":
        response.content_length = len(body) + 1
    await response.prepare(request)
    try:
        for _ in range(ENDLESS_PIECES if pace == "endless" else 0):
            await response.write(b" " * 10_000)
        await response.write(body)
    except ConnectionError:
        # The reader has gone, which is what it should do.
        return response
    if pace == "cut-short" and request.transport is not None:
        request.transport.close()
    return response
