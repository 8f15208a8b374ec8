"""An RPC endpoint that lies: each lie is a typed error, and none counts as final.

A lie about a transaction that nobody has mined, and about one that is mined: the backend
may say that it does not know, never more than the chain shows.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from anchoring.backend import (
    AnchorReceipt,
    AnchorUnreachable,
    NonceState,
    SignedTransaction,
)
from anchoring.evm import EvmAnchor
from anchoring.evm_deploy import deploy
from anchoring.evm_purse import Purse
from anchoring.evm_quorum import AnchorEndpointsDisagree
from anchoring.evm_rpc import HttpRpc
from primitives.errors import PatunayError
from primitives.hashing import sha256
from tests.support.anvil import running_anvil
from tests.support.chains import ANVIL_CHAIN, fund
from tests.support.lying_rpc import Answer, Lie, LyingRpc, about, running_liar

pytestmark = pytest.mark.asyncio(loop_scope="module")

DIGEST = sha256(b"an anchor record")
STRANGER = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
_RECEIPT = "eth_getTransactionReceipt"
_BLOCK = "eth_getBlockByNumber"
_HUNDRED_MEGABYTES = 100 * 1024 * 1024


@dataclass
class Stage:
    """An anchor that is mined and deep, and one that was signed and never sent."""

    liar: LyingRpc
    lied_to: EvmAnchor
    """Believes the liar alone."""

    careful: EvmAnchor
    """Asks the liar and an honest endpoint, which have to agree."""

    mined: SignedTransaction
    receipt: AnchorReceipt
    unsent: SignedTransaction


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with running_anvil() as url, running_liar(url) as (liar, lying_url):
        rpc = HttpRpc(url, timeout_seconds=5)
        key = secrets.token_bytes(32)
        await fund(rpc, Purse(key).address)
        contract = await deploy(rpc, ANVIL_CHAIN, key)
        honest = EvmAnchor.connect(url, contract, private_key=key)
        mined = await honest.prepare(DIGEST)
        await honest.send(mined)
        while (sighting := await honest.find(mined)) is None:
            pass
        await rpc.make_request("anvil_mine", ["0x5"])  # type: ignore[arg-type]
        unsent = await honest.prepare(sha256(b"another record"))
        lied_to = EvmAnchor.connect(
            lying_url, contract, private_key=key, request_timeout_seconds=30
        )
        careful = EvmAnchor.connect(
            lying_url, contract, other_urls=[url], request_timeout_seconds=30
        )
        yield Stage(liar, lied_to, careful, mined, sighting.receipt, unsent)
        for each in (honest, lied_to, careful):
            await each.close()
        await rpc.disconnect()


def _with(**fields: Any) -> Callable[[Answer], Answer]:
    return lambda result: {**result, **fields}


def _log(**fields: Any) -> Callable[[Answer], Answer]:
    return lambda result: {**result, "logs": [{**result["logs"][0], **fields}]}


def _topic(number: int) -> Callable[[Answer], Answer]:
    def change(result: Answer) -> Answer:
        topics = list(result["logs"][0]["topics"])
        topics[number] = "0x" + "99" * 32
        return _log(topics=topics)(result)

    return change


def _everything(response: Callable[[], web.Response]) -> Lie:
    return lambda _method, _answer: response()


UNREACHABLE, INCONSISTENT = "anchor-unreachable", "anchor-rpc-inconsistent"

LIES: dict[str, tuple[Lie, str]] = {
    "a receipt of another transaction": (
        about(_RECEIPT, _with(transactionHash="0x" + "11" * 32)),
        INCONSISTENT,
    ),
    "a receipt of another block": (about(_RECEIPT, _with(blockNumber="0x1")), INCONSISTENT),
    "a receipt of a block to come": (
        about(_RECEIPT, _with(blockNumber="0xffff")),
        INCONSISTENT,
    ),
    "another block hash in the receipt": (
        about(_RECEIPT, _with(blockHash="0x" + "22" * 32)),
        INCONSISTENT,
    ),
    "another status": (about(_RECEIPT, _with(status="0x0", logs=[])), "anchor-reverted"),
    "no log": (about(_RECEIPT, _with(logs=[])), INCONSISTENT),
    "a log of another contract": (about(_RECEIPT, _log(address=STRANGER)), INCONSISTENT),
    "a log of another event": (about(_RECEIPT, _topic(0)), INCONSISTENT),
    "a log of another sender": (about(_RECEIPT, _topic(1)), INCONSISTENT),
    "a log of another digest": (about(_RECEIPT, _topic(2)), INCONSISTENT),
    "a negative number": (about(_RECEIPT, _with(gasUsed="-0x1")), UNREACHABLE),
    "a huge number": (about(_RECEIPT, _with(gasUsed="0x" + "f" * 64)), UNREACHABLE),
    "a block without the transaction": (
        about(_BLOCK, _with(transactions=[])),
        INCONSISTENT,
    ),
    "another hash of the block": (
        about(_BLOCK, _with(hash="0x" + "33" * 32)),
        INCONSISTENT,
    ),
    "a stale head": (about(_BLOCK, _with(number="0x1")), INCONSISTENT),
    "a time in the future": (about(_BLOCK, _with(timestamp="0x7fffffff")), INCONSISTENT),
    "a node that is catching up": (
        lambda method, answer: {
            **answer,
            "result": None
            if method == _RECEIPT
            else {"currentBlock": "0x1"}
            if method == "eth_syncing"
            else answer["result"],
        },
        UNREACHABLE,
    ),
    "100 MB": (
        _everything(lambda: web.Response(body=b" " * _HUNDRED_MEGABYTES)),
        UNREACHABLE,
    ),
    "half an answer": (lambda _, __: b'{"jsonrpc": "2.0", "id": 1, "resu', UNREACHABLE),
    "a web page": (lambda _, __: b"<html>Rate limited</html>", UNREACHABLE),
    "a redirect": (
        _everything(lambda: web.Response(status=307, headers={"Location": "/other"})),
        UNREACHABLE,
    ),
    "an answer to another question": (
        lambda _, answer: {**answer, "id": answer["id"] + 7},
        INCONSISTENT,
    ),
    "another version of JSON-RPC": (
        lambda _, answer: {**answer, "jsonrpc": "1.0"},
        UNREACHABLE,
    ),
    "an answer and an error": (
        lambda _, answer: {**answer, "error": {"code": 1, "message": "no"}},
        UNREACHABLE,
    ),
}


async def _told(stage: Stage, transaction: SignedTransaction) -> PatunayError:
    with pytest.raises(PatunayError) as caught:
        await stage.lied_to.find(transaction)
    return caught.value


@pytest.mark.parametrize("name", LIES)
async def test_a_lie_is_a_typed_error_and_never_an_anchor(stage: Stage, name: str) -> None:
    lie, code = LIES[name]
    stage.liar.lie = lie
    try:
        assert (await _told(stage, stage.mined)).code == code
        if name != "a log of another sender":  # who paid proves nothing, so nobody asks
            with pytest.raises(PatunayError):
                await stage.lied_to.check(stage.receipt, DIGEST)
        try:
            outlook = await stage.lied_to.follow([stage.mined], final_depth=1)
        except AnchorUnreachable:
            pass
        else:
            # Only a reverted transaction is looked at further; the chain shows none.
            assert (name, outlook.sighting) == ("another status", None)
        with pytest.raises(PatunayError):
            await stage.careful.find(stage.mined)
    finally:
        stage.liar.lie = None
    assert (await stage.careful.find(stage.mined)) is not None


async def test_a_null_receipt_is_absence_from_one_and_disagreement_among_two(
    stage: Stage,
) -> None:
    stage.liar.lie = lambda method, answer: (
        {**answer, "result": None} if method == _RECEIPT else answer
    )
    try:
        assert await stage.lied_to.find(stage.mined) is None
        # The one that is believed can hide an anchor; it cannot make one.
        with pytest.raises(AnchorEndpointsDisagree):
            await stage.careful.find(stage.mined)
        with pytest.raises(AnchorEndpointsDisagree):
            await stage.careful.follow([stage.mined], final_depth=2)
    finally:
        stage.liar.lie = None


async def test_a_forged_receipt_for_what_was_never_sent_is_no_anchor(stage: Stage) -> None:
    true_receipt: list[Any] = []

    def remember(result: Any) -> Any:
        true_receipt.append(result)
        return result

    stage.liar.lie = about(_RECEIPT, remember)
    await stage.lied_to.find(stage.mined)

    def forge(method: str, answer: Answer) -> Answer:
        if method != _RECEIPT:
            return answer
        topics = [
            *true_receipt[0]["logs"][0]["topics"][:2],
            "0x" + stage.unsent.digest.hex(),
        ]
        forged = _log(topics=topics)(true_receipt[0])
        return {**answer, "result": {**forged, "transactionHash": stage.unsent.reference}}

    stage.liar.lie = forge
    try:
        assert (await _told(stage, stage.unsent)).code == INCONSISTENT
    finally:
        stage.liar.lie = None


async def test_a_nonce_that_is_said_to_be_used_closes_nothing_among_two(
    stage: Stage,
) -> None:
    stage.liar.lie = about("eth_getTransactionCount", lambda _: "0xffff")
    try:
        with pytest.raises(AnchorEndpointsDisagree):
            await stage.careful.follow([stage.unsent], final_depth=2)
    finally:
        stage.liar.lie = None
    outlook = await stage.careful.follow([stage.unsent], final_depth=2)
    assert (outlook.sighting, outlook.nonce) == (None, NonceState.OPEN)


async def test_another_chain_is_refused(stage: Stage) -> None:
    stage.liar.lie = about("eth_chainId", lambda _: "0x1")
    url = stage.lied_to
    fresh = EvmAnchor(
        [endpoint._provider for endpoint in url._quorum.endpoints], url.contract
    )
    try:
        with pytest.raises(PatunayError) as caught:
            await fresh.find(stage.mined)
        assert caught.value.code == "anchor-backend-mismatch"
    finally:
        stage.liar.lie = None
