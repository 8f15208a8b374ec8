"""HttpRpc and Endpoint against servers that are broken, or lie."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anchoring.backend import (
    AnchorBackendMismatch,
    AnchorReceipt,
    AnchorRefused,
    AnchorUnreachable,
    InsufficientFunds,
    SignedTransaction,
)
from anchoring.dev_chain import DEV_CHAIN_CAIP2, DEV_CONTRACT
from anchoring.evm import EvmAnchor
from anchoring.evm_rpc import MAX_ANSWER_BYTES
from primitives.errors import PatunayError
from primitives.hashing import sha256

DIGEST = sha256(b"an anchor record")
KEY = bytes(range(1, 33))
ENDPOINT_SECRET = "k3y-0f-the-h0sted-endp01nt"

RECEIPT = AnchorReceipt(
    contract=DEV_CONTRACT,
    transaction="0x" + "66" * 32,
    block_number=1,
    block_hash="0x" + "77" * 32,
    log_index=0,
    timestamp=datetime(2026, 1, 1, tzinfo=UTC),
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def _endpoint(handler: Handler, timeout: float = 2) -> AsyncIterator[EvmAnchor]:  # noqa: ASYNC109
    """A backend whose endpoint is `handler`, on the loopback interface."""
    app = web.Application()
    app.router.add_post("/{key}", handler)
    async with AsyncExitStack() as stack:
        server = TestServer(app)
        await server.start_server()
        stack.push_async_callback(server.close)
        anchor = EvmAnchor.connect(
            str(server.make_url(f"/{ENDPOINT_SECRET}")),
            DEV_CONTRACT,
            private_key=KEY,
            request_timeout_seconds=timeout,
        )
        stack.push_async_callback(anchor.close)
        yield anchor


def _result(result: Any) -> Handler:
    """Answer every question with `result`."""

    async def handler(request: web.Request) -> web.Response:
        call = await request.json()
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], "result": result})

    return handler


async def _html(_: web.Request) -> web.Response:
    return web.Response(text="<html>Rate limited</html>", content_type="text/html")


async def _five_hundred(_: web.Request) -> web.Response:
    return web.Response(status=500, text="oops")


async def _too_many(_: web.Request) -> web.Response:
    return web.Response(status=429)


async def _redirect(_: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})


async def _half_json(_: web.Request) -> web.Response:
    return web.Response(text='{"jsonrpc": "2.0", "id": 1, "resu')


async def _empty(_: web.Request) -> web.Response:
    return web.Response()


async def _list(_: web.Request) -> web.Response:
    return web.json_response([])


async def _neither(request: web.Request) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": (await request.json())["id"]})


async def _huge(_: web.Request) -> web.Response:
    return web.Response(body=b" " * (MAX_ANSWER_BYTES + 1))


async def _error_without_code(request: web.Request) -> web.Response:
    call = await request.json()
    return web.json_response({"jsonrpc": "2.0", "id": call["id"], "error": "no"})


async def _hang(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    raise AssertionError("the client should have gone")


async def _wrong_id(request: web.Request) -> web.Response:
    call = await request.json()
    return web.json_response({"jsonrpc": "2.0", "id": call["id"] + 7, "result": "0x1"})


_BROKEN: dict[str, tuple[Handler, str]] = {
    "HTML": (_html, "no JSON-RPC answer"),
    "500": (_five_hundred, "found HTTP status 500, want 200"),
    "429": (_too_many, "found HTTP status 429, want 200"),
    "redirect": (_redirect, "found HTTP status 307, want 200"),
    "half JSON": (_half_json, "no JSON-RPC answer"),
    "empty": (_empty, "no JSON-RPC answer"),
    "a list": (_list, "no JSON-RPC answer"),
    "neither result nor error": (_neither, "no usable answer"),
    "too long": (_huge, f"over {MAX_ANSWER_BYTES} bytes"),
    "an error that is text": (_error_without_code, "no usable answer"),
    "a result that is null": (_result(None), "want a number"),
    "a result that is text": (_result("hello"), "no usable answer"),
    "a result that is an object": (_result({"a": 1}), "want a number"),
    "the answer to another question": (_wrong_id, "want 1"),
}


@pytest.mark.parametrize("broken", _BROKEN)
async def test_a_broken_endpoint_is_unreachable(broken: str) -> None:
    handler, reason = _BROKEN[broken]
    async with _endpoint(handler) as anchor:
        with pytest.raises(AnchorUnreachable, match=reason):
            await anchor.prepare(DIGEST)


async def test_an_endpoint_that_does_not_answer_is_unreachable_in_time() -> None:
    async with _endpoint(_hang, timeout=0.2) as anchor:
        async with asyncio.timeout(5):
            with pytest.raises(AnchorUnreachable, match=r"within 0\.2 seconds"):
                await anchor.prepare(DIGEST)


async def test_no_endpoint_at_all_is_unreachable(unused_tcp_port: int) -> None:
    anchor = EvmAnchor.connect(f"http://127.0.0.1:{unused_tcp_port}/", DEV_CONTRACT)
    with pytest.raises(AnchorUnreachable):
        await anchor.check(RECEIPT, DIGEST)
    await anchor.close()


async def test_an_endpoint_of_another_chain_is_refused() -> None:
    async with _endpoint(_result("0x1")) as anchor:
        with pytest.raises(
            AnchorBackendMismatch, match="found an endpoint of eip155:1, want"
        ):
            await anchor.prepare(DIGEST)


@pytest.mark.parametrize("broken", ["HTML", "500", "half JSON", "redirect"])
async def test_no_error_shows_the_url_of_the_endpoint(broken: str) -> None:
    async with _endpoint(_BROKEN[broken][0]) as anchor:
        with pytest.raises(AnchorUnreachable) as caught:
            await anchor.prepare(DIGEST)
    error: BaseException | None = caught.value
    while error is not None:
        assert ENDPOINT_SECRET not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


def _refusing(words: str) -> Handler:
    """A node of the right chain that answers everything else with an error."""

    async def handler(request: web.Request) -> web.Response:
        call = await request.json()
        answer = {"jsonrpc": "2.0", "id": call["id"]}
        if call["method"] == "eth_chainId":
            number = int(DEV_CHAIN_CAIP2.partition(":")[2])
            return web.json_response({**answer, "result": hex(number)})
        return web.json_response({**answer, "error": {"code": -32003, "message": words}})

    return handler


TRANSACTION = SignedTransaction(
    chain=DEV_CHAIN_CAIP2,
    sender="0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
    nonce=0,
    reference="0x" + "88" * 32,
    raw=b"\x02\xc0",
    digest=DIGEST,
)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("insufficient funds for gas * price + value", InsufficientFunds),
        ("intrinsic gas too low", AnchorRefused),
        ("daily request count exceeded", AnchorUnreachable),
    ],
)
async def test_sending_reads_the_words_of_the_node(
    words: str, error: type[PatunayError]
) -> None:
    async with _endpoint(_refusing(words)) as anchor:
        with pytest.raises(error, match=words.split(" *", maxsplit=1)[0]):
            await anchor.send(TRANSACTION)


async def test_sending_what_the_node_has_already_is_success() -> None:
    async with _endpoint(_refusing("already known")) as anchor:
        await anchor.send(TRANSACTION)


async def test_finding_never_takes_an_error_for_absence() -> None:
    async with _endpoint(_refusing("transaction indexing is in progress")) as anchor:
        with pytest.raises(AnchorUnreachable, match="indexing"):
            await anchor.find(TRANSACTION)
