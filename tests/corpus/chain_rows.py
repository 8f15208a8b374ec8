"""Area A: what endpoints of a chain say about an anchor, and what a block proves."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from primitives.hashing import sha256
from tests.corpus.receipt_case import (
    GOOD,
    POLICY,
    UNDETERMINED,
    ReceiptCase,
    block_of,
    chain_answers,
    event_log,
    head_block,
    receipt_case,
)
from tests.support.credentials_support import NOW

ANCHOR, DIGEST = GOOD.anchor, GOOD.receipt.digest
BLOCK = f"eth_getBlockByNumber {hex(ANCHOR.block_number)}"
LATEST = "eth_getBlockByNumber latest"
RECEIPT = "eth_getTransactionReceipt"
ELSEWHERE = "0x" + "ba" * 20
REFUSED, INCONSISTENT = "anchor-refused", "anchor-rpc-inconsistent"
UNREACHABLE, DISAGREE = "anchor-unreachable", "anchor-endpoints-disagree"


def chain_rows() -> Iterator[ReceiptCase]:
    """Give the cases, in the order of the table."""
    yield receipt_case("A00-good")
    yield answered(
        "A03-reverted", "rejected", "anchor-reverted", chain_answers(status="0x0")
    )
    yield from _other_events()
    yield from _other_places()
    yield from _reorganised()
    yield from _depths()
    yield from _disagreeing()
    yield from _inconsistent()
    yield from _broken()
    yield from _clocks()
    yield from _retired()
    more = {"withdrawals": [], "requestsHash": "0x" + "00" * 32, "aFieldOf2031": {"a": [1]}}
    later = chain_answers() | {
        BLOCK: {"result": block_of(ANCHOR, **more)},
        LATEST: {"result": head_block(**more)},
    }
    later[RECEIPT]["result"] |= {"aFieldOf2031": "0x1", "blobGasUsed": "0x0"}
    yield answered("A27-fields-of-the-future", "valid", "", later)


def answered(name: str, outcome: str, code: str, *chains: Any, **had: Any) -> ReceiptCase:
    """Return the case of the good receipt, with endpoints that say something else."""
    return receipt_case(name, outcome=outcome, code=code, chains=list(chains), **had)


def _other_events() -> Iterator[ReceiptCase]:
    """One transaction may hold any number of events; one of them has to be the anchor."""
    good = event_log(ANCHOR, DIGEST)
    foreign = event_log(ANCHOR, DIGEST, address=ELSEWHERE)
    other_root = event_log(ANCHOR, sha256(b"another record"))
    other_event = good | {"topics": ["0x" + "11" * 32, *good["topics"][1:]]}
    for name, events in (
        ("A04-another-contract", [foreign]),
        ("A04-another-contract-before", [foreign, good | {"logIndex": "0x4"}]),
        ("A04-another-event", [other_event]),
        ("A06-another-root", [other_root]),
        ("A06-no-event", []),
        ("A06-root-in-another-place", [other_root, good | {"logIndex": "0x4"}]),
    ):
        yield answered(name, "rejected", REFUSED, chain_answers(logs=events))
    beside = [foreign | {"logIndex": "0x2"}, good, other_root | {"logIndex": "0x4"}]
    yield answered("A04-others-beside-it", "valid", "", chain_answers(logs=beside))


def _other_places() -> Iterator[ReceiptCase]:
    """The receipt is of a contract that the policy does not accept, or does."""
    accepted = POLICY | {"contracts": [ANCHOR.contract]}
    yield receipt_case("A04-accepted-contract", more={"policy": accepted})
    other = POLICY | {"contracts": ["eip155:11155111:0x" + "00" * 19 + "01"]}
    yield receipt_case(
        "A04-contract-not-accepted",
        more={"policy": other},
        report=(UNDETERMINED, "contract-not-accepted"),
    )
    earlier = replace(ANCHOR, timestamp=ANCHOR.timestamp - timedelta(days=365))
    claimed = replace(GOOD.receipt, anchors=(earlier,))
    yield receipt_case("A06-claims-an-earlier-time", claimed, "rejected", REFUSED)


def _reorganised() -> Iterator[ReceiptCase]:
    gone = chain_answers() | {RECEIPT: {"result": None}}
    yield answered("A09-transaction-gone", "rejected", "anchor-not-in-chain", gone)
    syncing = gone | {
        "eth_syncing": {"result": {"currentBlock": "0x1", "highestBlock": "0x2"}}
    }
    yield answered("A09-still-catching-up", UNDETERMINED, UNREACHABLE, syncing)
    moved = "0x" + "3c" * 32
    elsewhere = chain_answers(blockHash=moved) | {
        BLOCK: {"result": block_of(ANCHOR, hash=moved)}
    }
    yield answered("A09-in-another-block", "rejected", REFUSED, elsewhere)


def _depths() -> Iterator[ReceiptCase]:
    """The anchor is in the twelfth block from the head."""
    for name, wanted, report in (
        ("A10-as-deep-as-wanted", 12, None),
        ("A10-one-short", 13, (UNDETERMINED, "anchor-unconfirmed")),
    ):
        policy = POLICY | {"confirmations": wanted}
        yield receipt_case(name, more={"policy": policy}, report=report)


def _disagreeing() -> Iterator[ReceiptCase]:
    good, gone = chain_answers(), chain_answers() | {RECEIPT: {"result": None}}
    yield answered("A11-two-that-agree", "valid", "", good, good)
    yield answered("A11-one-does-not-know-it", UNDETERMINED, DISAGREE, good, gone)
    moved = "0x" + "3c" * 32
    fork = chain_answers(blockHash=moved) | {
        BLOCK: {"result": block_of(ANCHOR, hash=moved)}
    }
    yield answered("A11-one-on-a-fork", UNDETERMINED, DISAGREE, good, fork)
    other = good | {"eth_chainId": {"result": "0x1"}}
    yield answered("A11-one-of-another-chain", UNDETERMINED, DISAGREE, good, other)
    silent = {"*": {"status": 503}}
    yield answered("A11-one-does-not-answer", UNDETERMINED, UNREACHABLE, good, silent)


def _inconsistent() -> Iterator[ReceiptCase]:
    moved = "0x" + "3c" * 32
    for name, changes in (
        ("A12-block-of-another-hash", {BLOCK: block_of(ANCHOR, hash=moved)}),
        ("A12-block-of-another-height", {BLOCK: block_of(ANCHOR, number="0x1")}),
        ("A12-block-without-it", {BLOCK: block_of(ANCHOR, transactions=[])}),
        ("A12-head-below-the-block", {LATEST: head_block(number="0x1")}),
    ):
        answers = chain_answers() | {k: {"result": v} for k, v in changes.items()}
        yield answered(name, UNDETERMINED, INCONSISTENT, answers)
    another = chain_answers(transactionHash="0x" + "6f" * 32)
    yield answered("A12-receipt-of-another", UNDETERMINED, INCONSISTENT, another)


def _broken() -> Iterator[ReceiptCase]:
    """What is no answer, whatever was asked; and a wrong chain, which is one."""
    for name, page in (
        ("html", {"body": "<html>Rate limited</html>"}),
        ("429", {"status": 429, "body": "{}"}),
        ("502", {"status": 502, "body": "<html>bad gateway</html>"}),
        ("redirect", {"status": 307}),
        ("100-megabytes", {"pace": "endless"}),
        ("half-json", {"body": '{"jsonrpc": "2.0", "id": 1, "resu'}),
        ("cut-short", {"body": '{"jsonrpc": "2.0", "id": 1', "pace": "cut-short"}),
        ("empty", {"body": ""}),
        ("an-array", {"body": "[]"}),
        ("error", {"error": {"code": -32005, "message": "daily limit exceeded"}}),
        ("result-of-another-shape", {"result": {"a": 1}}),
    ):
        yield answered(f"A13-{name}", UNDETERMINED, UNREACHABLE, {"*": page})
    wrong = {"*": {"result": "0xaa36a7", "id": 7_000}}
    yield answered("A13-answer-to-another-question", UNDETERMINED, INCONSISTENT, wrong)
    other = chain_answers() | {"eth_chainId": {"result": "0x1"}}
    yield answered("A13-another-chain", "rejected", "anchor-backend-mismatch", other)
    for name, changes in (
        ("no-status", {"status": None}),
        ("short-hash", {"blockHash": "0x12"}),
        ("number-as-text", {"blockNumber": "seven"}),
        ("logs-as-text", {"logs": "none"}),
    ):
        answers = chain_answers(**changes)
        yield answered(f"A13-receipt-{name}", UNDETERMINED, UNREACHABLE, answers)


def _clocks() -> Iterator[ReceiptCase]:
    """A chain ahead of the verifier's clock by more than clocks differ is not believed."""
    for name, seconds, outcome, code in (
        ("as-far-as-clocks-differ", 900, "valid", ""),
        ("ahead-of-the-clock", 901, UNDETERMINED, INCONSISTENT),
        ("a-century-ahead", 3_155_760_000, UNDETERMINED, INCONSISTENT),
    ):
        time = hex(int(NOW.timestamp()) + seconds)
        ahead = chain_answers() | {LATEST: {"result": head_block(timestamp=time)}}
        yield answered(f"A23-{name}", outcome, code, ahead)
    old = replace(ANCHOR, timestamp=NOW - timedelta(days=3_000))
    claimed = replace(GOOD.receipt, anchors=(old,))
    chain = chain_answers(claimed)
    yield receipt_case("A23-long-ago", claimed, chains=[chain])


def _retired() -> Iterator[ReceiptCase]:
    """Nobody serves the chain any more: that takes nothing from the credential."""
    gone = {"*": {"status": 410, "body": "this network was shut down"}}
    without = POLICY | {"required": ["structure", "proof", "issuer-key", "dates", "status"]}
    yield answered("A24-anchor-required", UNDETERMINED, UNREACHABLE, gone)
    yield answered(
        "A24-anchor-not-required",
        UNDETERMINED,
        UNREACHABLE,
        gone,
        more={"policy": without},
        report=("valid", UNREACHABLE),
    )
