"""Opening the places to anchor and to publish that the configuration names."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Final

from anchoring.backend import AnchorBackend
from anchoring.blocks import BlockPublisher
from node.config_checks import ConfigInvalid
from node.node import EVM_KEY, Node
from primitives.clock import Clock

GWEI: Final = 10**9
"""Wei in one gwei."""


async def open_backend(node: Node) -> AnchorBackend:
    """Return the configured backend; it opens its connection when it is first used.

    On `dev` a fresh chain is started inside this process.

    Raises:
        NodeSealed: The keys are not unlocked.
        DevChainMissing: `dev` is configured and its optional packages are not installed.
        ConfigInvalid: An RPC URL is configured, and no contract.
    """
    secret = node.keys().secret(EVM_KEY)
    chain = node.config.chain
    # In a thread: requests are answered already, and the import takes a second.
    await asyncio.to_thread(
        import_module, "anchoring.dev_chain" if chain.is_dev else "anchoring.evm"
    )
    if chain.is_dev:
        from anchoring.dev_chain import DevChain  # noqa: PLC0415 - web3 takes a second

        return (await DevChain.start(secret)).anchor
    if not chain.contract:
        raise ConfigInvalid(
            "chain.contract is empty",
            hint="deploy one with `patunay chain deploy`, and put its account there",
        )
    from anchoring.evm import EvmAnchor  # noqa: PLC0415 - web3 takes a second

    return EvmAnchor.connect(
        chain.url,
        chain.contract,
        other_urls=chain.urls[1:],
        quorum=chain.quorum,
        private_key=secret,
        max_fee_per_gas=chain.max_fee_gwei * GWEI,
    )


@asynccontextmanager
async def ipfs_publisher(node: Node) -> AsyncIterator[BlockPublisher | None]:
    """Give the configured Kubo node, or None where none is configured.

    It is first asked when something is published.
    """
    if not node.config.ipfs_api:
        yield None
        return
    from anchoring.ipfs import Kubo  # noqa: PLC0415 - its client takes a while to import

    kubo = Kubo(node.config.ipfs_api)
    try:
        yield kubo
    finally:
        await kubo.close()


def read_only_backend(
    url: str,
    contract: str,
    *,
    clock: Clock,
    other_urls: Sequence[str] = (),
    quorum: int = 0,
) -> AnchorBackend:
    """Return a backend that checks receipts of `contract` (CAIP-10) at RPC URLs.

    A chain whose newest block lies ahead of `clock` is not believed.

    Raises:
        AnchorContractMalformed: `contract` has another form.
    """
    from anchoring.evm import EvmAnchor  # noqa: PLC0415 - web3 takes a second

    return EvmAnchor.connect(
        url, contract, other_urls=other_urls, quorum=quorum, clock=clock
    )
