"""EvmAnchor against a chain that lies; broken endpoints are in test_evm_rpc.py."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from web3.types import RPCEndpoint

from anchoring.backend import (
    AnchorBackend,
    AnchorBackendMismatch,
    AnchorReceipt,
    AnchorRefused,
    AnchorUnreachable,
    FeeAboveLimit,
    InsufficientFunds,
    SignedTransaction,
    Underpriced,
)
from anchoring.dev_chain import DEV_CHAIN_CAIP2, DEV_CONTRACT, DevChain
from anchoring.evm import (
    AnchorContractMalformed,
    AnchorReadOnly,
    EvmAnchor,
)
from anchoring.evm_answers import AnchorRpcInconsistent
from anchoring.evm_deploy import deploy
from contracts.artifact import load_artifact
from primitives.hashing import sha256
from tests.support.chains import (
    ANVIL_CHAIN,
    EvmStage,
    FaultyRpc,
    anvil_stage,
    dev_chain_stage,
)

DIGEST = sha256(b"an anchor record")
KEY = bytes(range(1, 33))
STRANGER = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"


@pytest.fixture
async def stage() -> AsyncIterator[EvmStage]:
    async with dev_chain_stage() as made:
        yield made


async def _sent(stage: EvmStage) -> tuple[SignedTransaction, AnchorReceipt]:
    transaction = await stage.backend.prepare(DIGEST)
    await stage.backend.send(transaction)
    sighting = await stage.backend.find(transaction)
    assert sighting is not None
    return transaction, sighting.receipt


def _lie(line: FaultyRpc, method: str, change: Callable[[Any], Any]) -> None:
    line.rewrite = lambda asked, result: change(result) if asked == method else result


def _with(**fields: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda result: {**result, **fields}


def _with_log(**fields: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda result: {**result, "logs": [{**result["logs"][0], **fields}]}


_RECEIPT_LIES: dict[str, Callable[[Any], Any]] = {
    "a log of another contract": _with_log(address=STRANGER),
    "another event": _with_log(topics=["0x" + "11" * 32] * 3),
    "a third topic missing": lambda r: _with_log(topics=r["logs"][0]["topics"][:2])(r),
    "no log": _with(logs=[]),
    "another transaction": _with(transactionHash="0x" + "22" * 32),
    "another block hash": _with(blockHash="0x" + "33" * 32),
    "another block": _with(blockNumber=1),
    "a block that is not there": _with(blockNumber=4_000),
}


@pytest.mark.parametrize("lie", _RECEIPT_LIES)
async def test_a_forged_receipt_is_never_a_sighting(stage: EvmStage, lie: str) -> None:
    transaction, _ = await _sent(stage)
    _lie(stage.line, "eth_getTransactionReceipt", _RECEIPT_LIES[lie])
    with pytest.raises(AnchorRpcInconsistent) as caught:
        await stage.backend.find(transaction)
    assert caught.value.code == "anchor-rpc-inconsistent"


@pytest.mark.parametrize(
    "change",
    [
        _with(blockNumber="soon"),
        _with(blockNumber=True),
        _with(blockHash="0x12"),
        _with(logs=None),
        _with(logs=["log"]),
        _with_log(topics=[10**12]),
        _with_log(logIndex=-1),
        _with(status=None),
        lambda _: [],
        lambda _: "0x00",
    ],
)
async def test_a_receipt_of_another_shape_is_no_answer(
    stage: EvmStage, change: Callable[[Any], Any]
) -> None:
    transaction, receipt = await _sent(stage)
    _lie(stage.line, "eth_getTransactionReceipt", change)
    with pytest.raises(AnchorUnreachable):
        await stage.backend.find(transaction)
    with pytest.raises(AnchorUnreachable):
        await stage.backend.check(receipt, DIGEST)


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("eth_getBlockByNumber", _with(transactions=[])),
        ("eth_getBlockByNumber", _with(hash="0x" + "44" * 32)),
        ("eth_getBlockByNumber", _with(timestamp=10**18)),
        ("eth_getBlockByNumber", lambda _: None),
        ("eth_getBlockByNumber", lambda r: {**r, "timestamp": r["timestamp"] + 3600}),
    ],
    ids=["without it", "another hash", "year 30 billion", "no block", "the future"],
)
async def test_a_block_that_does_not_fit_is_never_a_sighting(
    stage: EvmStage, method: str, change: Callable[[Any], Any]
) -> None:
    transaction, receipt = await _sent(stage)
    _lie(stage.line, method, change)
    with pytest.raises(AnchorUnreachable):
        await stage.backend.find(transaction)
    with pytest.raises(AnchorUnreachable):
        await stage.backend.check(receipt, DIGEST)


async def test_a_reverted_transaction_is_refused(stage: EvmStage) -> None:
    transaction, receipt = await _sent(stage)
    _lie(stage.line, "eth_getTransactionReceipt", _with(status=0, logs=[]))
    with pytest.raises(AnchorRefused, match="mined and reverted"):
        await stage.backend.find(transaction)
    with pytest.raises(AnchorRefused, match="mined and reverted"):
        await stage.backend.check(receipt, DIGEST)


async def test_a_log_of_another_contract_does_not_confirm(stage: EvmStage) -> None:
    _, receipt = await _sent(stage)
    _lie(stage.line, "eth_getTransactionReceipt", _with_log(address=STRANGER))
    with pytest.raises(AnchorRefused, match="found no Anchored event"):
        await stage.backend.check(receipt, DIGEST)


async def test_another_event_with_the_digest_does_not_confirm(stage: EvmStage) -> None:
    _, receipt = await _sent(stage)

    def change(result: dict[str, Any]) -> dict[str, Any]:
        topics = ["0x" + "11" * 32, *result["logs"][0]["topics"][1:]]
        return _with_log(topics=topics)(result)

    _lie(stage.line, "eth_getTransactionReceipt", change)
    with pytest.raises(AnchorRefused, match="found no Anchored event"):
        await stage.backend.check(receipt, DIGEST)


async def test_of_two_events_in_one_transaction_the_index_chooses(stage: EvmStage) -> None:
    _, receipt = await _sent(stage)

    def change(result: dict[str, Any]) -> dict[str, Any]:
        ours = result["logs"][0]
        first = {**ours, "topics": [*ours["topics"][:2], "0x" + "99" * 32]}
        return {**result, "logs": [first, {**ours, "logIndex": 1}]}

    _lie(stage.line, "eth_getTransactionReceipt", change)
    second = replace(receipt, log_index=1)
    assert (await stage.backend.check(second, DIGEST)).receipt == second
    with pytest.raises(AnchorRefused, match="as log 0 of"):
        await stage.backend.check(receipt, DIGEST)


async def test_a_receipt_of_another_contract_is_refused_without_asking(
    stage: EvmStage,
) -> None:
    _, receipt = await _sent(stage)
    stage.cut(off=True)
    other = replace(receipt, contract=f"{DEV_CHAIN_CAIP2}:{STRANGER}")
    with pytest.raises(AnchorRefused, match="found a receipt of eip155"):
        await stage.backend.check(other, DIGEST)


async def test_a_true_receipt_of_another_transaction_is_not_taken(stage: EvmStage) -> None:
    first, _ = await _sent(stage)
    seen: list[Any] = []

    def remember(result: Any) -> Any:
        seen.append(result)
        return result

    _lie(stage.line, "eth_getTransactionReceipt", remember)
    await _sent(stage)
    _lie(stage.line, "eth_getTransactionReceipt", lambda _: seen[-1])
    with pytest.raises(AnchorRpcInconsistent, match="found the receipt of"):
        await stage.backend.find(first)


async def test_no_contract_can_make_web3_fetch_a_url(stage: EvmStage) -> None:
    # EIP-3668; web3 has it on by default (CVE-2026-40072).
    assert stage.line.global_ccip_read_enabled is False


async def test_a_node_that_is_still_syncing_cannot_say_not_there(stage: EvmStage) -> None:
    transaction = await stage.backend.prepare(DIGEST)
    progress = {"startingBlock": 0, "currentBlock": 1, "highestBlock": 9}
    _lie(stage.line, "eth_syncing", lambda _: progress)
    with pytest.raises(AnchorUnreachable, match="still catching up"):
        await stage.backend.find(transaction)


async def test_a_nonce_too_low_that_the_chain_contradicts_is_unknown(
    stage: EvmStage,
) -> None:
    late = await stage.backend.prepare(DIGEST)
    early = await stage.backend.prepare(sha256(b"another"))
    await stage.backend.send(early)
    _lie(stage.line, "eth_getTransactionCount", lambda _: 0)
    with pytest.raises(AnchorRpcInconsistent, match="used nonces"):
        await stage.backend.send(late)


async def test_a_hash_that_is_not_ours_is_inconsistent(stage: EvmStage) -> None:
    transaction = await stage.backend.prepare(DIGEST)
    _lie(stage.line, "eth_sendRawTransaction", lambda _: "0x" + "55" * 32)
    with pytest.raises(AnchorRpcInconsistent, match="want " + transaction.reference):
        await stage.backend.send(transaction)


async def test_an_address_without_the_contract_is_refused(stage: EvmStage) -> None:
    _lie(stage.line, "eth_getCode", lambda _: "0x")
    with pytest.raises(AnchorBackendMismatch, match="found 0 bytes of other code"):
        await stage.backend.prepare(DIGEST)


async def test_other_code_at_the_address_is_refused(stage: EvmStage) -> None:
    code = bytearray(load_artifact().deployed_bytecode)
    code[-1] ^= 1
    _lie(stage.line, "eth_getCode", lambda _: "0x" + code.hex())
    with pytest.raises(AnchorBackendMismatch, match="other code"):
        await stage.backend.prepare(DIGEST)


async def test_an_absurd_estimate_of_gas_is_not_signed(stage: EvmStage) -> None:
    _lie(stage.line, "eth_estimateGas", lambda _: 10**9)
    with pytest.raises(AnchorRpcInconsistent, match="want at most 1000000"):
        await stage.backend.prepare(DIGEST)


async def test_a_fee_above_the_limit_is_not_signed() -> None:
    chain = await DevChain.start(KEY)
    anchor = EvmAnchor(chain.rpc, DEV_CONTRACT, private_key=KEY, max_fee_per_gas=1_000)
    with pytest.raises(FeeAboveLimit, match="want at most 1000") as caught:
        await anchor.prepare(DIGEST)
    assert caught.value.code == "anchor-fee-above-limit"


async def test_an_account_without_funds_is_told_so() -> None:
    chain = await DevChain.start(KEY)
    poor = EvmAnchor(chain.rpc, DEV_CONTRACT, private_key=b"\x07" * 32)
    with pytest.raises(InsufficientFunds):
        await poor.prepare(DIGEST)
    assert await poor.balance() == 0
    assert await chain.anchor.balance() > 0


async def test_without_a_key_receipts_can_be_checked_and_nothing_else(
    stage: EvmStage,
) -> None:
    transaction, receipt = await _sent(stage)
    reader: AnchorBackend = EvmAnchor(stage.provider, DEV_CONTRACT)
    assert (await reader.check(receipt, DIGEST)).receipt == receipt
    assert await reader.find(transaction) is not None
    with pytest.raises(AnchorReadOnly):
        await reader.prepare(DIGEST)
    with pytest.raises(AnchorReadOnly):
        await reader.send(transaction)
    with pytest.raises(AnchorReadOnly):
        _ = reader.account


@pytest.mark.parametrize(
    "contract",
    [
        "",
        "eip155:1",
        DEV_CONTRACT.lower(),
        DEV_CONTRACT + "\n",
        DEV_CONTRACT.replace("eip155:", "eip155:0"),
        DEV_CONTRACT.replace("eip155", "solana"),
        DEV_CONTRACT[:-1],
        "eip155:1:vitalik.eth",
    ],
)
def test_a_contract_has_one_spelling(contract: str) -> None:
    with pytest.raises(AnchorContractMalformed):
        EvmAnchor.connect("http://127.0.0.1:1/", contract)


async def test_a_deployment_on_a_real_node_holds_our_code() -> None:
    async with anvil_stage() as stage:
        address = stage.backend.contract.rpartition(":")[2]
        code = await stage.eth.get_code(address)  # type: ignore[arg-type]
        assert bytes(code) == load_artifact().deployed_bytecode


async def test_a_deployment_that_is_not_mined_in_time_is_unknown() -> None:
    async with anvil_stage() as stage:
        key = stage.private_key
        with pytest.raises(AnchorUnreachable, match="not mined within"):
            await deploy(stage.provider, ANVIL_CHAIN, key, receipt_timeout_seconds=0.1)


async def test_a_transaction_dropped_from_the_pool_lands_when_sent_again() -> None:
    async with anvil_stage() as stage:
        transaction = await stage.backend.prepare(DIGEST)
        await stage.backend.send(transaction)
        await stage.provider.make_request(
            RPCEndpoint("anvil_dropTransaction"), [transaction.reference]
        )
        await stage.mine(1)
        assert await stage.backend.find(transaction) is None
        await stage.backend.send(transaction)
        await stage.mine(1)
        assert await stage.backend.find(transaction) is not None


async def test_one_waiting_transaction_keeps_another_of_its_nonce_out() -> None:
    async with anvil_stage() as stage:
        late = await stage.backend.prepare(DIGEST)
        early = await stage.backend.prepare(sha256(b"another"))
        await stage.backend.send(early)
        with pytest.raises(Underpriced):
            await stage.backend.send(late)
        assert await stage.backend.find(late) is None


async def test_closing_the_in_process_chain_raises_nothing() -> None:
    chain = await DevChain.start(KEY)
    await chain.anchor.close()


async def test_a_real_node_tells_an_account_without_funds_so() -> None:
    async with anvil_stage() as stage:
        poor = EvmAnchor(stage.provider, stage.backend.contract, private_key=b"\x07" * 32)
        transaction = await poor.prepare(DIGEST)
        with pytest.raises(InsufficientFunds):
            await poor.send(transaction)
