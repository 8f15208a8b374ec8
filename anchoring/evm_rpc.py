"""One JSON-RPC endpoint, as web3 sees it: the half of `anchoring.evm` that has a socket.

Every failure comes out as a typed error, and none of them shows the endpoint's URL.
"""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

import aiohttp
from hexbytes import HexBytes
from web3 import AsyncWeb3
from web3.exceptions import TransactionNotFound, Web3Exception, Web3RPCError
from web3.providers.async_base import AsyncBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from anchoring.backend import AnchorBackendMismatch, AnchorUnreachable
from anchoring.evm_answers import (
    AnchorRpcInconsistent,
    Block,
    Mined,
    read_block,
    read_mined,
    require_canonical,
    require_number,
    require_plausible_head,
)
from primitives.clock import Clock
from primitives.strict_json import JsonMalformed, parse_json_object

T = TypeVar("T")

MAX_ANSWER_BYTES = 1024 * 1024
"""A block of 2,800 transaction hashes, the most that 60 million gas hold, has 200 KB."""

_HTTP_OK = 200


class NodeError(AnchorUnreachable):
    """The node answered with an error; sending reads more from its words than others do."""

    def __init__(self, words: str) -> None:
        super().__init__(f"the node answered {words[:200]!r}")
        self.words = words


class HttpRpc(AsyncBaseProvider):
    """JSON-RPC to one endpoint: no redirects, bounded answers, no URL in any error.

    web3's own HTTP provider reads answers of any size, and its errors quote the URL, which
    for hosted endpoints contains the key to the account there.
    """

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        super().__init__()
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._requests = 0

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Return the node's answer, as web3 wants it."""
        self._requests += 1
        call = {"jsonrpc": "2.0", "id": self._requests, "method": method, "params": params}
        raw = await self._post(json.dumps(call).encode())
        try:
            answer = parse_json_object(raw, MAX_ANSWER_BYTES)
        except JsonMalformed as e:
            raise AnchorUnreachable(f"found no JSON-RPC answer: {e}") from e
        # An error may come without the id, when the node could not read the request.
        if answer.get("id") != call["id"] and "result" in answer:
            raise AnchorRpcInconsistent(
                f"found an answer to {str(answer.get('id'))[:20]}, want {call['id']}"
            )
        return cast(RPCResponse, answer)

    async def _post(self, body: bytes) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Content-Type": "application/json"},
            )
        async with self._session.post(
            self._url, data=body, allow_redirects=False
        ) as answer:
            if answer.status != _HTTP_OK:
                raise AnchorUnreachable(f"found HTTP status {answer.status}, want 200")
            raw = bytearray()
            async for chunk in answer.content.iter_any():
                raw += chunk
                if len(raw) > MAX_ANSWER_BYTES:
                    raise AnchorUnreachable(
                        f"found over {MAX_ANSWER_BYTES} bytes of answer, want at most that"
                    )
        return bytes(raw)

    async def disconnect(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


class Endpoint:
    """One chain through one endpoint. Every failure comes out as a typed error."""

    def __init__(
        self, provider: AsyncBaseProvider, caip2: str, timeout_seconds: float
    ) -> None:
        # A contract could otherwise make web3 fetch a URL of its choice (EIP-3668), and a
        # name could be looked up where an address is meant.
        provider.global_ccip_read_enabled = False
        self._provider = provider
        self.eth = AsyncWeb3(provider, middleware=[], ens=cast(Any, None)).eth
        self.caip2 = caip2
        self.id = int(caip2.removeprefix("eip155:"))
        self._timeout_seconds = timeout_seconds
        self._confirmed = False

    async def ask(self, request: Awaitable[T]) -> T:
        """Return the answer to one request of `eth`.

        Raises:
            TransactionNotFound: web3's own; callers that ask for one catch it.
            NodeError: The node answered with an error.
            AnchorUnreachable: No answer, or none that can be read.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await request
        except TransactionNotFound:
            raise
        except Web3RPCError as e:
            raise NodeError(_words(e)) from e
        except TimeoutError as e:
            raise AnchorUnreachable(
                f"found no answer within {self._timeout_seconds:g} seconds"
            ) from e
        # web3's formatters raise whatever Python raises on a value of the wrong shape.
        except (
            Web3Exception,
            aiohttp.ClientError,
            OSError,
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
        ) as e:
            raise AnchorUnreachable(f"found no usable answer: {type(e).__name__}") from e

    async def raw(self, method: str, *params: Any) -> Any:
        """Return the result of a call as JSON has it, past web3's formatters.

        Raises:
            NodeError: The node answered with an error.
            AnchorUnreachable: As `ask`.
        """
        answer = await self.ask(
            self._provider.make_request(RPCEndpoint(method), list(params))
        )
        if "result" not in answer:
            raise NodeError(str(answer.get("error")))
        return answer["result"]

    async def number(self, request: Awaitable[Any]) -> int:
        """Return the answer to a request for a number; errors as from `ask`."""
        return require_number(await self.ask(request), "answer")

    async def confirm(self) -> None:
        """Return if the endpoint answers for the right chain; asked once.

        Raises:
            AnchorBackendMismatch: It answers for another.
        """
        if self._confirmed:
            return
        found = await self.number(self.eth.chain_id)
        if found != self.id:
            raise AnchorBackendMismatch(
                f"found an endpoint of eip155:{found}, want {self.caip2}"
            )
        self._confirmed = True

    async def head(self, clock: Clock) -> Block:
        """Return the newest block, if its time is plausible by `clock`."""
        answer = await self.ask(self.eth.get_block("latest"))
        return require_plausible_head(read_block(answer), clock.now())

    async def finalized(self) -> int:
        """Return the height that the chain calls finalized."""
        return read_block(await self.ask(self.eth.get_block("finalized"))).number

    async def used_nonces(self, account: str, height: int) -> int:
        """Return how many nonces `account` had used as of the block at `height`."""
        request = self.eth.get_transaction_count(cast(Any, account), height)
        return await self.number(request)

    async def pending_nonces(self, account: str) -> int:
        """Return the same, with what waits in the endpoint's pool."""
        request = self.eth.get_transaction_count(cast(Any, account), "pending")
        return await self.number(request)

    async def suggested_priority(self) -> int:
        """Return what a miner should be offered beyond the base fee, in wei per gas."""
        return await self.number(self.eth.max_priority_fee)

    async def receipt(self, reference: str) -> Mined | None:
        """Return the receipt of a transaction; None if it is certainly not mined."""
        try:
            answer = await self.ask(self.eth.get_transaction_receipt(HexBytes(reference)))
        except TransactionNotFound:
            if await self.ask(self.eth.syncing) is not False:
                # It may well be in one of the blocks that are still missing.
                raise AnchorUnreachable("the node is still catching up") from None
            return None
        mined = read_mined(answer)
        if mined is not None and mined.reference != reference:
            raise AnchorRpcInconsistent(
                f"found the receipt of {mined.reference}, want {reference}"
            )
        return mined

    async def canonical_block(self, mined: Mined, clock: Clock) -> tuple[Block, int]:
        """Return the block of `mined`, and its depth under the head: 1 when just mined.

        Raises:
            AnchorRpcInconsistent: The chain as it is now does not hold that block.
        """
        try:
            answer = await self.ask(self.eth.get_block(mined.block_number))
        except NodeError as e:
            raise AnchorRpcInconsistent(
                f"found no block {mined.block_number}, which the receipt names"
            ) from e
        block = read_block(answer)
        head = await self.head(clock)
        require_canonical(mined, block, head)
        return block, head.number - block.number + 1

    async def close(self) -> None:
        """Give back sockets."""
        # That of web3's base class answers NotImplementedError.
        if type(self._provider).disconnect is not AsyncBaseProvider.disconnect:
            await self._provider.disconnect()


def _words(error: Web3RPCError) -> str:
    answer = error.rpc_response
    return str(answer["error"]["message"]) if answer and "error" in answer else str(error)
