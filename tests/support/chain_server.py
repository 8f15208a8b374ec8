"""The development chain in a process of its own, so that it outlives the node's.

    python -m tests.support.chain_server < private key in hex

Prints its URL and serves JSON-RPC until its standard input ends.
"""

import asyncio
import sys
from typing import Any

from aiohttp import web
from web3 import AsyncWeb3
from web3.types import RPCEndpoint

from anchoring.dev_chain import DevChain


def wire(value: Any) -> Any:
    """Return a result of eth-tester as a node writes it: every number and hash in hex."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return hex(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, dict):
        return {str(name): wire(part) for name, part in value.items()}
    return [wire(part) for part in value]


async def main() -> None:
    key = await asyncio.to_thread(sys.stdin.readline)
    chain = await DevChain.start(bytes.fromhex(key))
    web3 = AsyncWeb3(chain.rpc, middleware=[])
    ask = await chain.rpc.request_func(web3, web3.middleware_onion)

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        response = await ask(RPCEndpoint(asked["method"]), asked.get("params", []))
        found: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
        if "error" in response:
            found["error"] = response["error"]
        else:
            found["result"] = wire(response["result"])
        return web.json_response(found)

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
