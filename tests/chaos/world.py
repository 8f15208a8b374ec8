"""The chain and the line to it, under a test's control.

One anvil serves many stories, one after another.
"""

import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from web3.types import RPCEndpoint

from anchoring.evm_deploy import deploy
from anchoring.evm_purse import Purse
from anchoring.evm_rpc import HttpRpc
from contracts.artifact import load_artifact
from did.keystore import open_keystore
from node.config_tables import ChainConfig
from node.home import Home
from node.node import EVM_KEY
from tests.support.anvil import running_anvil
from tests.support.chains import ANVIL_CHAIN, fund
from tests.support.faulty_proxy import FaultyProxy, running_proxy
from tests.support.nodes import PASSPHRASE, make_home_here

CONFIRMATIONS = 3
FINAL_DEPTH = 13
"""One more than the deepest reorganisation here, which takes 12 blocks."""

MAX_FEE_GWEI = 200
GWEI = 10**9
_BEFORE = 30
"""Blocks before a story, so that no reorganisation reaches the one before."""


@dataclass
class World:
    """What a story plays in."""

    home: Home
    """A node that has issued nothing yet; each story works on a copy."""

    proxy: FaultyProxy
    contract: str
    key: bytes
    """Of the node's account: a thief has it too."""

    rpc: HttpRpc

    async def ask(self, method: str, *params: Any) -> Any:
        """Ask the chain itself, past the proxy."""
        response = await self.rpc.make_request(RPCEndpoint(method), list(params))
        assert "result" in response, (method, response)
        return response["result"]

    async def begin(self) -> int:
        """Return a height that lies below all that a story can change, but not by much."""
        await self.mine(_BEFORE)
        return await self.height() - FINAL_DEPTH

    async def end(self) -> None:
        """Leave nothing behind that would reach into another story."""
        self.proxy.heal()
        await self.ask("anvil_dropAllTransactions")

    async def height(self) -> int:
        return int(await self.ask("eth_blockNumber"), 16)

    async def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            await self.ask("evm_mine")

    async def reorganise(self, depth: int) -> None:
        """Replace the newest blocks by empty ones; what was in them is forgotten."""
        await self.ask("anvil_reorg", depth, [])

    async def waiting(self) -> list[str]:
        """Return the transactions in the pool."""
        content = await self.ask("txpool_content")
        return sorted(
            transaction["hash"]
            for pool in ("pending", "queued")
            for nonces in content[pool].values()
            for transaction in nonces.values()
        )

    async def drop(self, chance: random.Random) -> None:
        """Let the pool forget one transaction, if it has any."""
        waiting = await self.waiting()
        if waiting:
            await self.ask("anvil_dropTransaction", chance.choice(waiting))

    async def ask_base_fee(self, gwei: int) -> None:
        """Let the next block ask for that fee."""
        await self.ask("anvil_setNextBlockBaseFeePerGas", hex(gwei * GWEI))

    async def steal_nonce(self) -> None:
        """Send something else with the next nonce of the node's account.

        Changes nothing where such a transaction waits already.
        """
        account = Account.from_key(self.key)
        used = int(await self.ask("eth_getTransactionCount", account.address, "latest"), 16)
        signed = account.sign_transaction(
            {
                "type": 2,
                "chainId": int(ANVIL_CHAIN.partition(":")[2]),
                "nonce": used,
                "to": account.address,
                "value": 0,
                "gas": 21_000,
                "maxFeePerGas": 900 * GWEI,
                "maxPriorityFeePerGas": 300 * GWEI,
            }
        )
        raw = "0x" + bytes(signed.raw_transaction).hex()
        send = RPCEndpoint("eth_sendRawTransaction")
        answer = await self.rpc.make_request(send, [raw])
        if "error" in answer:
            assert "already imported" in str(answer["error"]), answer

    async def events(self, began: int) -> Counter[bytes]:
        """Return how often each digest stands in the chain, from a height on."""
        logs = await self.ask(
            "eth_getLogs",
            {
                "fromBlock": hex(began),
                "toBlock": "latest",
                "address": self.contract.rpartition(":")[2],
            },
        )
        topic = "0x" + load_artifact().anchored_topic.hex()
        assert all(log["topics"][0] == topic for log in logs)
        return Counter(bytes.fromhex(log["topics"][2][2:]) for log in logs)


@asynccontextmanager
async def world(root: Path) -> AsyncIterator[World]:
    """Start a chain with the contract on it, and make a node that anchors there."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(running_anvil("--no-mining"))
        proxy, line = await stack.enter_async_context(running_proxy(url))
        rpc = HttpRpc(url, timeout_seconds=10)
        stack.push_async_callback(rpc.disconnect)
        contract = await _deployed(rpc)
        place = ChainConfig(
            line, contract, CONFIRMATIONS, FINAL_DEPTH, max_fee_gwei=MAX_FEE_GWEI
        )
        home = await make_home_here(root / "base", chain=place)
        keys = open_keystore(home.keystore_file.read_bytes()).unlock(PASSPHRASE)
        key = keys.secret(EVM_KEY)
        made = World(home, proxy, contract, key, rpc)
        await fund(rpc, Purse(key).address)
        yield made


async def _deployed(rpc: HttpRpc) -> str:
    key = secrets.token_bytes(32)
    await fund(rpc, Purse(key).address)
    await rpc.make_request(RPCEndpoint("evm_setAutomine"), [True])
    try:
        return await deploy(rpc, ANVIL_CHAIN, key)
    finally:
        await rpc.make_request(RPCEndpoint("evm_setAutomine"), [False])
