"""Reading the events of a contract from a real chain, and from one that lies."""

import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from web3.types import RPCEndpoint

from anchoring.backend import AnchorBackendMismatch, AnchorUnreachable
from anchoring.evm import EvmAnchor
from anchoring.evm_answers import AnchorRpcInconsistent
from anchoring.evm_deploy import deploy
from anchoring.evm_event_reader import EventReader
from anchoring.evm_purse import Purse
from anchoring.evm_rpc import HttpRpc
from contracts.artifact import load_artifact
from primitives.hashing import sha256
from tests.support.anvil import running_anvil
from tests.support.chains import ANVIL_CHAIN, fund

CONTRACT = "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
BLOCK = "0x" + "cd" * 32
GOOD = {
    "eth_chainId": "0x1",
    "eth_blockNumber": "0x10",
    "eth_getBlockByHash": {"hash": BLOCK, "number": "0x7", "timestamp": "0x65000000"},
}
LOG = {
    "address": CONTRACT.rpartition(":")[2],
    "topics": [
        "0x" + load_artifact().anchored_topic.hex(),
        "0x" + "00" * 12 + "11" * 20,
        "0x" + "ab" * 32,
    ],
    "data": "0x",
    "blockNumber": "0x7",
    "blockHash": BLOCK,
    "transactionHash": "0x" + "ee" * 32,
    "logIndex": "0x0",
}
Serve = Callable[[dict[str, Any]], Any]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Give what starts a server with these answers, and a reader of it."""
    opened: list[Any] = []

    async def start(answers: dict[str, Any]) -> EventReader:
        async def answer(request: web.Request) -> web.Response:
            call = await request.json()
            result = answers[call["method"]]
            if callable(result):
                result = result(*call["params"])
            error = {"error": {"message": result}} if isinstance(result, ValueError) else {}
            body = {"jsonrpc": "2.0", "id": call["id"]}
            body |= {"error": {"message": str(result)}} if error else {"result": result}
            return web.json_response(body)

        app = web.Application()
        app.router.add_post("/", answer)
        server = TestServer(app)
        await server.start_server()
        reader = EventReader(str(server.make_url("/")))
        opened.extend((reader, server))
        return reader

    yield start
    for each in opened:
        await each.close()


def quiet(_done: int, _total: int) -> None:
    pass


async def test_reads_what_a_real_chain_holds_in_its_order() -> None:
    async with running_anvil() as url:
        rpc = HttpRpc(url, timeout_seconds=5)
        key = secrets.token_bytes(32)
        await fund(rpc, Purse(key).address)
        contract = await deploy(rpc, ANVIL_CHAIN, key)
        anchor = EvmAnchor.connect(url, contract, private_key=key)
        wanted = []
        for i in range(3):
            made = await anchor.prepare(sha256(bytes([i])))
            await anchor.send(made)
            await rpc.make_request(RPCEndpoint("evm_mine"), [])
            seen = await anchor.find(made)
            assert seen is not None
            wanted.append((seen.receipt, made.digest))
        reader = EventReader(url)
        told = []
        found = await reader.read(
            contract, 0, lambda done, total: told.append((done, total))
        )
        assert [(event.anchor, event.digest) for event in found] == wanted
        assert {event.account for event in found} == {f"{ANVIL_CHAIN}:{Purse(key).address}"}
        assert told[-1][0] == told[-1][1]
        later = await reader.read(contract, wanted[1][0].block_number + 1, quiet)
        assert [event.digest for event in later] == [wanted[2][1]]
        with pytest.raises(AnchorBackendMismatch):
            await reader.read(contract.replace("31337", "1"), 0, quiet)
        await reader.close()
        await anchor.close()
        await rpc.disconnect()


async def test_asks_about_fewer_blocks_where_the_endpoint_refuses_many(
    serve: Serve,
) -> None:
    asked = []

    def logs(query: dict[str, str]) -> Any:
        first, last = int(query["fromBlock"], 0), int(query["toBlock"], 0)
        asked.append(last - first + 1)
        if last - first >= 1000:
            return ValueError("query exceeds 1000 blocks")
        return [LOG] if first <= 7 <= last else []

    answers = GOOD | {"eth_blockNumber": hex(5_000), "eth_getLogs": logs}
    events = await (await serve(answers)).read(CONTRACT, 0, quiet)
    assert len(events) == 1
    assert max(asked) > 1000
    assert sum(size for size in asked if size <= 1000) == 5_001


@pytest.mark.parametrize(
    ("method", "lie", "error"),
    [
        ("eth_chainId", "0x2", AnchorBackendMismatch),
        ("eth_chainId", 1, AnchorUnreachable),
        ("eth_blockNumber", "sixteen", AnchorUnreachable),
        ("eth_getLogs", {}, AnchorUnreachable),
        ("eth_getLogs", ["x"], AnchorRpcInconsistent),
        ("eth_getLogs", [LOG | {"removed": True}], AnchorRpcInconsistent),
        ("eth_getLogs", [LOG | {"address": "0x" + "22" * 20}], AnchorRpcInconsistent),
        ("eth_getLogs", [LOG | {"topics": LOG["topics"][:2]}], AnchorRpcInconsistent),
        ("eth_getLogs", [LOG | {"blockHash": "0x12"}], AnchorUnreachable),
        ("eth_getLogs", [LOG | {"blockNumber": "0x8"}], AnchorRpcInconsistent),
        ("eth_getBlockByHash", None, AnchorRpcInconsistent),
        ("eth_getBlockByHash", {"hash": "0x" + "ee" * 32}, AnchorRpcInconsistent),
        (
            "eth_getBlockByHash",
            {"hash": BLOCK, "number": "0x7", "timestamp": hex(1 << 60)},
            AnchorUnreachable,
        ),
    ],
)
async def test_a_lie_is_an_error_and_never_an_event(
    serve: Serve, method: str, lie: Any, error: type[Exception]
) -> None:
    good = GOOD | {"eth_getLogs": [LOG]}
    assert len(await (await serve(good)).read(CONTRACT, 0, quiet)) == 1
    with pytest.raises(error):
        await (await serve(good | {method: lie})).read(CONTRACT, 0, quiet)
