"""Every anchor backend, with what a test does to the chain behind the backend's back."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from web3 import AsyncWeb3
from web3.middleware.base import MiddlewareOnion
from web3.providers.async_base import AsyncBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from anchoring.backend import AnchorBackend
from anchoring.dev_chain import DEV_CONTRACT, DevChain
from anchoring.evm import EvmAnchor
from anchoring.evm_deploy import deploy
from anchoring.evm_purse import Purse
from anchoring.evm_rpc import HttpRpc
from anchoring.memory import MemoryAnchor
from primitives.hashing import Digest
from tests.support.anvil import running_anvil

ANVIL_CHAIN = "eip155:31337"
OnSend = Callable[[], tuple[bool, bool]]


class Stage(Protocol):
    """A backend, and the world that it runs in."""

    @property
    def backend(self) -> AnchorBackend: ...

    def on_send(self, faults: OnSend) -> None:
        """Keep the write or not, answer or not."""
        ...

    def cut(self, *, off: bool) -> None: ...
    async def settle(self) -> None:
        """Mine what waits, where that does not happen by itself."""
        ...

    async def mine(self, blocks: int) -> None: ...
    async def reorganise(self, depth: int) -> None: ...
    async def height(self) -> int: ...
    async def events(self, digest: Digest) -> int:
        """Events for `digest` in the chain as it is now."""
        ...

    async def block_time(self, number: int) -> datetime: ...


@dataclass
class MemoryStage:
    backend: MemoryAnchor

    def on_send(self, faults: OnSend) -> None:
        self.backend.on_send = faults

    def cut(self, *, off: bool) -> None:
        self.backend.unreachable = off

    async def settle(self) -> None:
        """Each transaction is mined before `send` returns."""

    async def mine(self, blocks: int) -> None:
        self.backend.mine(blocks)

    async def reorganise(self, depth: int) -> None:
        self.backend.reorganise(depth)

    async def height(self) -> int:
        return len(self.backend._blocks) - 1

    async def events(self, digest: Digest) -> int:
        return sum(
            transaction.digest == digest
            for block in self.backend._blocks
            for transaction in block.transactions
        )

    async def block_time(self, number: int) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=12 * number)


class FaultyRpc(AsyncBaseProvider):
    """Any provider, with faults on the way to it and back."""

    def __init__(self, inner: AsyncBaseProvider) -> None:
        super().__init__()
        self.inner = inner
        self.down = False
        self.on_send: OnSend = lambda: (True, True)
        self.rewrite: Callable[[str, Any], Any] = lambda _method, result: result
        """Lets a test lie: gets method and result, returns another result."""

    async def request_func(
        self, async_w3: AsyncWeb3[Any], middleware_onion: MiddlewareOnion
    ) -> Callable[..., Coroutine[Any, Any, RPCResponse]]:
        forward = await self.inner.request_func(async_w3, middleware_onion)

        async def request(method: RPCEndpoint, params: Any) -> RPCResponse:
            if self.down:
                raise ConnectionRefusedError("no route")
            sending = method == "eth_sendRawTransaction"
            keep, answer = self.on_send() if sending else (True, True)
            response = await forward(method, params) if keep else None
            if response is None or not answer:
                raise ConnectionResetError("closed before the answer")
            if "result" in response:
                response["result"] = self.rewrite(method, response["result"])
            return response

        return request

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        if self.down:
            raise ConnectionRefusedError("no route")
        return await self.inner.make_request(method, params)

    async def disconnect(self) -> None:
        if isinstance(self.inner, HttpRpc):
            await self.inner.disconnect()


class EvmStage:
    """EvmAnchor behind a faulty line; control and counting go by another one."""

    def __init__(
        self,
        provider: AsyncBaseProvider,
        contract: str,
        private_key: bytes,
        rewind: Callable[[int], Awaitable[None]],
    ) -> None:
        self.line = FaultyRpc(provider)
        self.backend = EvmAnchor(
            self.line, contract, private_key=private_key, request_timeout_seconds=5
        )
        self.provider = provider
        self.private_key = private_key
        self.eth = AsyncWeb3(provider, middleware=[]).eth
        self._rewind = rewind

    def on_send(self, faults: OnSend) -> None:
        self.line.on_send = faults

    def cut(self, *, off: bool) -> None:
        self.line.down = off

    async def settle(self) -> None:
        """Each transaction is mined before `send` returns, but on anvil."""

    async def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            await self.provider.make_request(RPCEndpoint("evm_mine"), [])

    async def reorganise(self, depth: int) -> None:
        await self._rewind(depth)

    async def height(self) -> int:
        return await self.eth.block_number

    async def events(self, digest: Digest) -> int:
        logs = await self.eth.get_logs(
            {"fromBlock": 0, "topics": [None, None, "0x" + digest.hex()]}
        )
        return len(logs)

    async def block_time(self, number: int) -> datetime:
        block = await self.eth.get_block(number)
        return datetime.fromtimestamp(block["timestamp"], UTC)


class AnvilStage(EvmStage):
    """Mines on demand: left alone, anvil mines at some time after it has answered."""

    async def settle(self) -> None:
        pool = await self.provider.make_request(RPCEndpoint("txpool_status"), [])
        if pool["result"]["pending"] != "0x0":
            await self.mine(1)


@asynccontextmanager
async def memory_stage() -> AsyncIterator[Stage]:
    yield MemoryStage(MemoryAnchor())


@asynccontextmanager
async def dev_chain_stage() -> AsyncIterator[EvmStage]:
    key = secrets.token_bytes(32)
    chain = await DevChain.start(key)
    tester = chain.rpc.ethereum_tester

    async def rewind(depth: int) -> None:
        head = tester.get_block_by_number("latest")["number"]
        fork = tester.get_block_by_number(head - depth)["hash"]
        # The snapshots of py-evm are block hashes; any block will do.
        tester.backend.revert_to_snapshot(bytes.fromhex(fork[2:]))
        tester.mine_blocks(depth)

    stage = EvmStage(chain.rpc, DEV_CONTRACT, key, rewind)
    yield stage
    await stage.backend.close()


@asynccontextmanager
async def anvil_stage() -> AsyncIterator[EvmStage]:
    async with running_anvil() as url:
        rpc = HttpRpc(url, timeout_seconds=5)
        key = secrets.token_bytes(32)
        await fund(rpc, Purse(key).address)
        contract = await deploy(rpc, ANVIL_CHAIN, key)

        async def rewind(depth: int) -> None:
            await rpc.make_request(RPCEndpoint("anvil_reorg"), [depth, []])

        await rpc.make_request(RPCEndpoint("evm_setAutomine"), [False])
        stage = AnvilStage(rpc, contract, key, rewind)
        yield stage
        await stage.backend.close()


async def fund(rpc: AsyncBaseProvider, address: str) -> None:
    """Give an account of an anvil chain 10 coins."""
    await rpc.make_request(RPCEndpoint("anvil_setBalance"), [address, hex(10**19)])
