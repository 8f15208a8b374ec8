import asyncio
import secrets
import sys

import pytest
from web3 import AsyncWeb3

from anchoring.dev_chain import DEV_CHAIN_CAIP2, DEV_CONTRACT, DevChain, DevChainMissing
from contracts.artifact import load_artifact
from primitives.hashing import sha256


async def test_every_fresh_chain_has_the_contract_at_the_known_address() -> None:
    for _ in range(2):
        chain = await DevChain.start(secrets.token_bytes(32))
        eth = AsyncWeb3(chain.rpc, middleware=[]).eth
        assert f"eip155:{await eth.chain_id}" == DEV_CHAIN_CAIP2
        code = await eth.get_code(DEV_CONTRACT.rpartition(":")[2])  # type: ignore[arg-type]
        assert bytes(code) == load_artifact().deployed_bytecode
        assert chain.anchor.contract == DEV_CONTRACT
        await chain.close()


async def test_mining_deepens_what_is_anchored() -> None:
    chain = await DevChain.start(secrets.token_bytes(32))
    transaction = await chain.anchor.prepare(sha256(b"a record"))
    await chain.anchor.send(transaction)
    await chain.mine(3)
    sighting = await chain.anchor.find(transaction)
    assert sighting is not None
    assert sighting.depth == 4


async def test_it_works_beside_the_event_loop() -> None:
    chain = await DevChain.start(secrets.token_bytes(32))
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(take_turns())
    await chain.mine(20)
    others.cancel()
    # Each turn waits for the interpreter's switch; on the loop there would be two.
    assert turns > 5
    await chain.close()


async def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # None is how Python itself marks a module that cannot be imported.
    monkeypatch.setitem(sys.modules, "eth", None)
    with pytest.raises(DevChainMissing, match="no package eth,") as caught:
        await DevChain.start(secrets.token_bytes(32))
    assert caught.value.code == "dev-chain-missing"
    assert "patunay[dev-chain]" in caught.value.hint


async def test_two_chains_share_nothing() -> None:
    key = secrets.token_bytes(32)
    one, other = await DevChain.start(key), await DevChain.start(key)
    transaction = await one.anchor.prepare(sha256(b"a record"))
    await one.anchor.send(transaction)
    assert await other.anchor.find(transaction) is None
