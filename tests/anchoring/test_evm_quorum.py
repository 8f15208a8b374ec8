"""EvmAnchor with several endpoints, of which some lie, lag or are gone."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from anchoring.backend import (
    AnchorBackendMismatch,
    AnchorReceipt,
    AnchorRefused,
    AnchorUnreachable,
    NonceState,
    SignedTransaction,
)
from anchoring.dev_chain import DEV_CONTRACT
from anchoring.evm import EvmAnchor
from anchoring.evm_quorum import AnchorEndpointsDisagree, Quorum
from anchoring.evm_rpc import Endpoint
from primitives.hashing import sha256
from tests.support.chains import EvmStage, FaultyRpc, dev_chain_stage

DIGEST = sha256(b"an anchor record")


@pytest.fixture
async def stage() -> AsyncIterator[EvmStage]:
    async with dev_chain_stage() as made:
        yield made


def behind(stage: EvmStage, count: int, quorum: int) -> tuple[EvmAnchor, list[FaultyRpc]]:
    """Return a backend with `count` endpoints of one chain, and the lines to them."""
    lines = [FaultyRpc(stage.provider) for _ in range(count)]
    anchor = EvmAnchor(lines, DEV_CONTRACT, quorum=quorum, private_key=stage.private_key)
    return anchor, lines


def lie(line: FaultyRpc, method: str, change: Callable[[Any], Any]) -> None:
    line.rewrite = lambda asked, result: change(result) if asked == method else result


async def mined(stage: EvmStage) -> tuple[SignedTransaction, AnchorReceipt]:
    transaction = await stage.backend.prepare(DIGEST)
    await stage.backend.send(transaction)
    sighting = await stage.backend.find(transaction)
    assert sighting is not None
    return transaction, sighting.receipt


def _no_receipt(line: FaultyRpc) -> None:
    lie(line, "eth_getTransactionReceipt", lambda _: None)


async def test_all_have_to_agree_where_nothing_else_is_said(stage: EvmStage) -> None:
    anchor, lines = behind(stage, 3, 0)
    transaction, receipt = await mined(stage)
    found = await anchor.find(transaction)
    assert found is not None
    assert found.receipt == receipt
    _no_receipt(lines[1])
    with pytest.raises(AnchorEndpointsDisagree, match="found no 3 of 3 endpoints") as e:
        await anchor.find(transaction)
    assert e.value.code == "anchor-endpoints-disagree"


async def test_two_of_three_outvote_one_that_lies(stage: EvmStage) -> None:
    anchor, lines = behind(stage, 3, 2)
    transaction, receipt = await mined(stage)
    _no_receipt(lines[0])
    found = await anchor.find(transaction)
    assert found is not None
    assert found.receipt == receipt
    assert (await anchor.check(receipt, DIGEST)).receipt == receipt
    outlook = await anchor.follow([transaction], final_depth=1)
    assert outlook.sighting is not None


async def test_absence_needs_a_quorum_too(stage: EvmStage) -> None:
    anchor, lines = behind(stage, 3, 2)
    transaction, _ = await mined(stage)
    for line in lines[:2]:
        _no_receipt(line)
        line.down = False
    lines[1].down = True
    # One says there is none, one says there is, one is gone: nobody knows.
    with pytest.raises(AnchorEndpointsDisagree):
        await anchor.find(transaction)


async def test_an_endpoint_that_is_gone_does_not_matter_while_enough_answer(
    stage: EvmStage,
) -> None:
    anchor, lines = behind(stage, 3, 2)
    lines[2].down = True
    transaction = await anchor.prepare(DIGEST)
    await anchor.send(transaction)
    assert await anchor.find(transaction) is not None
    assert await anchor.balance() > 0
    lines[1].down = True
    with pytest.raises(AnchorUnreachable, match="found no 2 of 3 endpoints"):
        await anchor.find(transaction)
    with pytest.raises(AnchorUnreachable):
        await anchor.prepare(DIGEST)


async def test_one_endpoint_that_takes_a_transaction_is_enough(stage: EvmStage) -> None:
    anchor, lines = behind(stage, 2, 1)
    transaction = await anchor.prepare(DIGEST)
    lines[0].down = True
    await anchor.send(transaction)
    assert await stage.events(DIGEST) == 1


async def test_a_nonce_is_closed_only_by_a_quorum(stage: EvmStage) -> None:
    anchor, lines = behind(stage, 2, 2)
    ours = await anchor.prepare(DIGEST)
    stranger = await anchor.prepare(sha256(b"a stranger"))
    await anchor.send(stranger)
    await stage.mine(3)
    outlook = await anchor.follow([ours], final_depth=2)
    assert outlook.nonce is NonceState.CLOSED
    lie(lines[1], "eth_getTransactionCount", lambda _: 0)
    with pytest.raises(AnchorEndpointsDisagree):
        await anchor.follow([ours], final_depth=2)


async def test_the_depth_is_that_of_the_endpoint_that_knows_the_fewest_blocks(
    stage: EvmStage,
) -> None:
    transaction, _ = await mined(stage)
    older = await stage.eth.get_block("latest")
    await stage.mine(4)
    anchor, lines = behind(stage, 2, 2)
    block = {**older, "transactions": [bytes.fromhex(transaction.reference[2:])]}
    lie(lines[0], "eth_getBlockByNumber", lambda _: block)
    outlook = await anchor.follow([transaction], final_depth=2)
    assert outlook.sighting is not None
    assert outlook.sighting.depth == 1


async def test_an_endpoint_of_another_chain_is_outvoted_or_refused(
    stage: EvmStage,
) -> None:
    anchor, lines = behind(stage, 3, 2)
    lie(lines[0], "eth_chainId", lambda _: 1)
    transaction = await anchor.prepare(DIGEST)
    await anchor.send(transaction)
    assert await anchor.find(transaction) is not None
    alone, (line,) = behind(stage, 1, 1)
    lie(line, "eth_chainId", lambda _: 1)
    with pytest.raises(AnchorBackendMismatch):
        await alone.find(transaction)


async def test_a_refusal_needs_a_quorum_too(stage: EvmStage) -> None:
    anchor, lines = behind(stage, 3, 2)
    _, receipt = await mined(stage)
    _no_receipt(lines[0])
    assert (await anchor.check(receipt, DIGEST)).receipt == receipt
    _no_receipt(lines[1])
    with pytest.raises(AnchorRefused, match="is in no block"):
        await anchor.check(receipt, DIGEST)


async def test_fees_are_those_of_the_middle(stage: EvmStage) -> None:
    anchor, lines = behind(stage, 3, 2)
    _, honest = await anchor.estimate()
    lie(lines[0], "eth_maxPriorityFeePerGas", lambda _: 10**15)
    assert (await anchor.estimate())[1] == honest


@pytest.mark.parametrize("needed", [-1, 3])
async def test_a_quorum_that_can_never_be_is_refused(stage: EvmStage, needed: int) -> None:
    endpoints = [Endpoint(stage.provider, "eip155:1", 1)] * 2
    with pytest.raises(ValueError, match="found 2 endpoints"):
        Quorum(endpoints, needed)
