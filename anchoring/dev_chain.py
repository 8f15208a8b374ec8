"""A whole Ethereum inside the process, for demonstrations, development and tests.

It lives as long as the process and its keys are known to everyone, so it is no evidence of
time: a verifier answers `no-time-evidence` for `DEV_CHAIN_CAIP2`.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any, Self, cast

from eth_utils.exceptions import ValidationError
from web3 import AsyncWeb3
from web3.providers.eth_tester import AsyncEthereumTesterProvider, EthereumTesterProvider
from web3.types import RPCEndpoint, RPCResponse, TxParams

from anchoring.evm import EvmAnchor
from contracts.artifact import load_artifact
from primitives.errors import Misconfigured

DEV_CHAIN_CAIP2 = "eip155:131277322940537"
"""The chain id that eth-tester gives itself."""

DEV_CONTRACT = f"{DEV_CHAIN_CAIP2}:0xF2E246BB76DF876Cef8b38ae84130F4F55De395b"
"""The first contract of eth-tester's first account, on every fresh chain: DID documents can
name it before the chain is started."""

_FUNDS_WEI = 1_000 * 10**18
_TRANSFER_GAS = 21_000
_DEPLOYMENT_GAS = 200_000


class DevChainMissing(Misconfigured):
    """The packages that the development chain is made of are not installed."""

    code = "dev-chain-missing"
    hint = "install patunay[dev-chain]"


class DevChainRpc(AsyncEthereumTesterProvider):
    """eth-tester's provider, with refusals in the words of a real node.

    eth-tester raises Python exceptions where a node answers with an error. It works in a
    thread of its own: what deploys a contract would stop everything else for as long.
    """

    def __init__(self) -> None:
        super().__init__()
        self._blocking = EthereumTesterProvider(self.ethereum_tester)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dev-chain")

    async def disconnect(self) -> None:
        """Answer no more."""
        self._thread.shutdown(wait=False)

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Return the answer, or an error as a node would word it."""
        # Imported here for those who import this module without the extra.
        from eth_tester import exceptions  # noqa: PLC0415

        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._blocking.make_request, method, params
            )
        except (
            ValidationError,
            exceptions.ValidationError,
            exceptions.TransactionFailed,
        ) as e:
            error = {"code": -32000, "message": _node_words(str(e))}
            return cast(RPCResponse, {"jsonrpc": "2.0", "id": 0, "error": error})


def _node_words(message: str) -> str:
    expected, _, found = message.partition(", but got ")
    if expected.startswith("Invalid transaction nonce: Expected "):
        low = int(found) < int(expected.rpartition(" ")[2])
        return f"nonce too {'low' if low else 'high'}: {message}"
    if "cannot afford" in message or "does not have enough balance" in message:
        return f"insufficient funds: {message}"
    return message


class DevChain:
    """A running chain with the contract on it and money in the node's account."""

    def __init__(self, rpc: DevChainRpc, anchor: EvmAnchor) -> None:
        self.rpc = rpc
        """For what only a development chain can do."""

        self.anchor = anchor

    @classmethod
    async def start(cls, account_private_key: bytes) -> Self:
        """Start a fresh chain; every transaction is mined at once in a block of its own.

        Raises:
            DevChainMissing: The optional packages are not installed.
        """
        for package in ("eth_tester", "eth"):
            # eth-tester without py-evm would quietly run a mock that executes nothing.
            if find_spec(package) is None:
                raise DevChainMissing(f"found no package {package}, want it installed")
        rpc = await asyncio.to_thread(DevChainRpc)  # imports an EVM, and starts it
        anchor = EvmAnchor(rpc, DEV_CONTRACT, private_key=account_private_key)
        eth = AsyncWeb3(rpc, middleware=[]).eth
        first = (await eth.accounts)[0]
        purse = anchor.account.rpartition(":")[2]
        deployment = {"from": first, "data": load_artifact().bytecode}
        funding = {"from": first, "to": purse, "value": _FUNDS_WEI}
        await eth.send_transaction(cast(TxParams, {**deployment, "gas": _DEPLOYMENT_GAS}))
        await eth.send_transaction(cast(TxParams, {**funding, "gas": _TRANSFER_GAS}))
        return cls(rpc, anchor)

    async def mine(self, blocks: int = 1) -> None:
        """Add empty blocks."""
        await self.rpc.make_request(RPCEndpoint("evm_mine"), [blocks])

    async def close(self) -> None:
        """Forget the chain."""
        await self.anchor.close()
