"""The rules of `AnchorBackend`; every implementation has to pass them."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

import pytest

from anchoring.backend import (
    AnchorBackendMismatch,
    AnchorNotInChain,
    AnchorReceipt,
    AnchorRefused,
    AnchorUnreachable,
    NonceState,
    NonceTaken,
    Sighting,
)
from anchoring.chain_proof import prove_anchored
from contracts.artifact import load_artifact
from primitives.hashing import Digest, sha256
from tests.support.chains import (
    AnvilStage,
    Stage,
    anvil_stage,
    dev_chain_stage,
    memory_stage,
)

DIGEST = sha256(b"an anchor record")
OTHER = sha256(b"another anchor record")

_STAGES: dict[str, Callable[[], AbstractAsyncContextManager[Stage]]] = {
    "memory": memory_stage,
    "dev-chain": dev_chain_stage,
    "anvil": anvil_stage,
}


@pytest.fixture(params=_STAGES)
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with _STAGES[request.param]() as made:
        yield made


async def _anchor(stage: Stage, digest: Digest) -> Sighting:
    transaction = await stage.backend.prepare(digest)
    await stage.backend.send(transaction)
    await stage.settle()
    sighting = await stage.backend.find(transaction)
    assert sighting is not None
    return sighting


async def test_names_are_caip_identifiers_of_one_chain(stage: Stage) -> None:
    backend = stage.backend
    assert backend.chain.count(":") == 1
    assert backend.contract.startswith(backend.chain + ":")
    assert backend.account.startswith(backend.chain + ":")


async def test_a_proof_shows_the_event_or_there_is_none(stage: Stage) -> None:
    receipt = (await _anchor(stage, DIGEST)).receipt
    try:
        proof = await stage.backend.prove(receipt)
    except AnchorUnreachable:
        # Only a chain in this process has nothing that could outlive it.
        assert not isinstance(stage, AnvilStage)
        return
    event = prove_anchored(
        proof,
        address=receipt.contract.rpartition(":")[2],
        topic=load_artifact().anchored_topic,
        digest=DIGEST,
    )
    assert event.block_hash == receipt.block_hash
    assert (event.block_number, event.timestamp) == (
        receipt.block_number,
        receipt.timestamp,
    )
    # Nothing is made up for a block that is not there.
    with pytest.raises(AnchorUnreachable):
        await stage.backend.prove(replace(receipt, block_hash="0x" + "ab" * 32))


async def test_preparing_sends_nothing(stage: Stage) -> None:
    before = await stage.height()
    transaction = await stage.backend.prepare(DIGEST)
    await stage.mine(1)
    assert await stage.height() == before + 1
    assert await stage.events(DIGEST) == 0
    assert await stage.backend.find(transaction) is None


async def test_a_prepared_transaction_names_itself(stage: Stage) -> None:
    transaction = await stage.backend.prepare(DIGEST)
    assert transaction.digest == DIGEST
    assert transaction.chain == stage.backend.chain
    assert transaction.reference.startswith("0x")
    assert len(transaction.reference) == 66
    assert transaction.reference == transaction.reference.lower()


async def test_what_was_sent_is_found_in_the_newest_block(stage: Stage) -> None:
    transaction = await stage.backend.prepare(DIGEST)
    await stage.backend.send(transaction)
    await stage.settle()
    sighting = await stage.backend.find(transaction)
    assert sighting is not None
    assert sighting.depth == 1
    assert sighting.receipt.transaction == transaction.reference
    assert sighting.receipt.contract == stage.backend.contract
    assert sighting.receipt.block_number == await stage.height()
    assert await stage.events(DIGEST) == 1


async def test_depth_grows_with_the_chain(stage: Stage) -> None:
    transaction = await stage.backend.prepare(DIGEST)
    await stage.backend.send(transaction)
    await stage.settle()
    await stage.mine(4)
    sighting = await stage.backend.find(transaction)
    assert sighting is not None
    assert sighting.depth == 5


async def test_the_time_is_that_of_the_block(stage: Stage) -> None:
    receipt = (await _anchor(stage, DIGEST)).receipt
    assert receipt.timestamp.utcoffset() == timedelta(0)
    assert receipt.timestamp == await stage.block_time(receipt.block_number)


async def test_sending_twice_writes_once(stage: Stage) -> None:
    transaction = await stage.backend.prepare(DIGEST)
    await stage.backend.send(transaction)
    await stage.backend.send(transaction)
    await stage.settle()
    first = await stage.backend.find(transaction)
    await stage.backend.send(transaction)
    assert await stage.backend.find(transaction) == first
    assert await stage.events(DIGEST) == 1


async def test_two_digests_lie_in_two_places(stage: Stage) -> None:
    first, second = await _anchor(stage, DIGEST), await _anchor(stage, OTHER)
    assert first.receipt.transaction != second.receipt.transaction
    assert await stage.events(DIGEST) == await stage.events(OTHER) == 1


async def test_a_nonce_that_another_transaction_took_is_said_so(stage: Stage) -> None:
    late, early = await stage.backend.prepare(DIGEST), await stage.backend.prepare(OTHER)
    assert late.nonce == early.nonce
    await stage.backend.send(early)
    await stage.settle()
    with pytest.raises(NonceTaken) as caught:
        await stage.backend.send(late)
    assert caught.value.code == "anchor-nonce-taken"
    assert await stage.backend.find(late) is None
    assert await stage.events(DIGEST) == 0


@pytest.mark.parametrize("landed", [True, False], ids=["written", "not written"])
async def test_a_lost_answer_is_settled_by_find(stage: Stage, *, landed: bool) -> None:
    transaction = await stage.backend.prepare(DIGEST)
    stage.on_send(lambda: (landed, False))
    with pytest.raises(AnchorUnreachable):
        await stage.backend.send(transaction)
    stage.on_send(lambda: (True, True))
    await stage.settle()
    assert (await stage.backend.find(transaction) is not None) is landed
    await stage.backend.send(transaction)
    await stage.settle()
    assert await stage.backend.find(transaction) is not None
    assert await stage.events(DIGEST) == 1


async def test_after_a_reorganisation_the_same_bytes_land_again(stage: Stage) -> None:
    transaction = await stage.backend.prepare(DIGEST)
    await stage.backend.send(transaction)
    await stage.settle()
    await stage.mine(2)
    before = await stage.backend.find(transaction)
    assert before is not None

    await stage.reorganise(before.depth)
    assert await stage.backend.find(transaction) is None
    with pytest.raises(AnchorRefused):
        await stage.backend.check(before.receipt, DIGEST)

    await stage.backend.send(transaction)
    await stage.settle()
    after = await stage.backend.find(transaction)
    assert after is not None
    assert after.receipt.block_hash != before.receipt.block_hash
    assert await stage.events(DIGEST) == 1
    with pytest.raises(AnchorRefused):
        await stage.backend.check(before.receipt, DIGEST)


async def test_a_shallower_reorganisation_leaves_it_alone(stage: Stage) -> None:
    transaction = await stage.backend.prepare(DIGEST)
    await stage.backend.send(transaction)
    await stage.settle()
    await stage.mine(3)
    before = await stage.backend.find(transaction)
    await stage.reorganise(2)
    assert await stage.backend.find(transaction) == before


async def test_a_chain_out_of_reach_is_never_an_answer(stage: Stage) -> None:
    transaction = await stage.backend.prepare(DIGEST)
    await stage.backend.send(transaction)
    await stage.settle()
    sighting = await stage.backend.find(transaction)
    assert sighting is not None
    stage.cut(off=True)
    for attempt in (
        stage.backend.prepare(OTHER),
        stage.backend.send(transaction),
        stage.backend.find(transaction),
        stage.backend.follow([transaction], final_depth=1),
        stage.backend.outbid([transaction]),
        stage.backend.bridge(transaction.nonce + 2, set()),
        stage.backend.check(sighting.receipt, DIGEST),
    ):
        with pytest.raises(AnchorUnreachable):
            await attempt
    stage.cut(off=False)
    assert await stage.backend.find(transaction) == sighting


async def test_a_nonce_is_never_below_the_one_that_is_asked_for(stage: Stage) -> None:
    lowest = (await stage.backend.prepare(DIGEST)).nonce
    assert (await stage.backend.prepare(OTHER, first_nonce=lowest)).nonce == lowest
    assert (await stage.backend.prepare(OTHER, first_nonce=lowest + 3)).nonce == lowest + 3


async def test_a_higher_bid_has_the_same_nonce_and_digest(stage: Stage) -> None:
    first = await stage.backend.prepare(DIGEST)
    second = await stage.backend.outbid([first])
    third = await stage.backend.outbid([second, first])
    assert {t.nonce for t in (first, second, third)} == {first.nonce}
    assert {t.digest for t in (first, second, third)} == {DIGEST}
    assert len({t.reference for t in (first, second, third)}) == 3
    assert second.max_fee_per_gas * 8 >= first.max_fee_per_gas * 9
    assert third.max_fee_per_gas * 8 >= second.max_fee_per_gas * 9


async def test_of_several_candidates_the_chain_takes_one(stage: Stage) -> None:
    first = await stage.backend.prepare(DIGEST)
    second = await stage.backend.outbid([first])
    open_ = await stage.backend.follow([first, second], final_depth=3)
    assert (open_.sighting, open_.nonce) == (None, NonceState.OPEN)
    await stage.backend.send(second)
    await stage.settle()
    seen = await stage.backend.follow([first, second], final_depth=3)
    assert seen.sighting is not None
    assert seen.sighting.receipt.transaction == second.reference
    assert seen.nonce is NonceState.USED
    assert seen.height == await stage.height()
    with pytest.raises(NonceTaken):
        await stage.backend.send(first)
    assert await stage.events(DIGEST) == 1


async def test_a_nonce_is_closed_only_at_the_final_depth(stage: Stage) -> None:
    ours, stranger = await stage.backend.prepare(DIGEST), await stage.backend.prepare(OTHER)
    await stage.backend.send(stranger)
    await stage.settle()
    depths = []
    for _ in range(4):
        outlook = await stage.backend.follow([ours], final_depth=3)
        assert outlook.sighting is None
        depths.append(outlook.nonce)
        await stage.mine(1)
    assert depths == [NonceState.USED] * 2 + [NonceState.CLOSED] * 2
    own = await stage.backend.follow([ours, stranger], final_depth=3)
    assert own.sighting is not None
    assert (own.nonce, own.sighting.depth) == (NonceState.USED, 5)


async def test_a_nonce_is_open_again_after_a_reorganisation(stage: Stage) -> None:
    ours, stranger = await stage.backend.prepare(DIGEST), await stage.backend.prepare(OTHER)
    await stage.backend.send(stranger)
    await stage.settle()
    await stage.mine(1)
    assert (await stage.backend.follow([ours], final_depth=9)).nonce is NonceState.USED
    await stage.reorganise(2)
    assert (await stage.backend.follow([ours], final_depth=9)).nonce is NonceState.OPEN


async def test_nonces_that_nobody_uses_are_used_up(stage: Stage) -> None:
    lowest = (await stage.backend.prepare(OTHER)).nonce
    later = await stage.backend.prepare(DIGEST, first_nonce=lowest + 2)
    assert await stage.backend.bridge(later.nonce, {lowest, lowest + 1, later.nonce}) == 0
    assert await stage.backend.bridge(lowest, set()) == 0
    assert await stage.backend.bridge(later.nonce, {later.nonce}) == 2
    await stage.settle()
    await stage.mine(1)
    assert await stage.backend.bridge(later.nonce, {later.nonce}) == 0
    await stage.backend.send(later)
    await stage.settle()
    seen = await stage.backend.follow([later], final_depth=9)
    assert seen.sighting is not None
    assert seen.used_nonces == later.nonce + 1
    assert await stage.events(DIGEST) == 1


async def test_a_transaction_of_another_chain_is_refused(stage: Stage) -> None:
    transaction = replace(await stage.backend.prepare(DIGEST), chain="eip155:999999")
    with pytest.raises(AnchorBackendMismatch):
        await stage.backend.send(transaction)
    with pytest.raises(AnchorBackendMismatch):
        await stage.backend.find(transaction)


async def test_a_good_receipt_is_confirmed(stage: Stage) -> None:
    sighting = await _anchor(stage, DIGEST)
    await stage.mine(1)
    confirmed = await stage.backend.check(sighting.receipt, DIGEST)
    assert confirmed.receipt == sighting.receipt
    assert confirmed.depth == 2


async def test_a_receipt_for_another_digest_is_refused(stage: Stage) -> None:
    receipt = (await _anchor(stage, DIGEST)).receipt
    await _anchor(stage, OTHER)
    with pytest.raises(AnchorRefused):
        await stage.backend.check(receipt, OTHER)


def _other_contract(receipt: AnchorReceipt) -> AnchorReceipt:
    chain = receipt.contract.rpartition(":")[0]
    return replace(receipt, contract=f"{chain}:0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf")


_FALSE_RECEIPTS: dict[str, Callable[[AnchorReceipt], AnchorReceipt]] = {
    "contract": _other_contract,
    "transaction": lambda r: replace(r, transaction="0x" + hashlib.sha256().hexdigest()),
    "malformed transaction": lambda r: replace(r, transaction="0x" + "g" * 64),
    "block number": lambda r: replace(r, block_number=r.block_number - 1),
    "block hash": lambda r: replace(r, block_hash="0x" + "00" * 32),
    "log index": lambda r: replace(r, log_index=r.log_index + 1),
    "earlier time": lambda r: replace(r, timestamp=r.timestamp - timedelta(days=1)),
}


async def test_a_transaction_that_the_chain_no_longer_holds_is_named(stage: Stage) -> None:
    await stage.mine(3)
    receipt = (await _anchor(stage, DIGEST)).receipt
    await stage.reorganise(2)
    with pytest.raises(AnchorNotInChain) as caught:
        await stage.backend.check(receipt, DIGEST)
    assert caught.value.code == "anchor-not-in-chain"


@pytest.mark.parametrize("false", _FALSE_RECEIPTS)
async def test_a_receipt_with_a_false_field_is_refused(stage: Stage, false: str) -> None:
    receipt = (await _anchor(stage, DIGEST)).receipt
    with pytest.raises(AnchorRefused):
        await stage.backend.check(_FALSE_RECEIPTS[false](receipt), DIGEST)
