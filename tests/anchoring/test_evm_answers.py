import pytest

from anchoring.backend import (
    AnchorBackendMismatch,
    AnchorRefused,
    AnchorUnreachable,
    FeeAboveLimit,
    InsufficientFunds,
    NonceTaken,
    Underpriced,
)
from anchoring.evm_answers import (
    Fees,
    choose_fees,
    event_topics,
    outbidding_fees,
    read_refusal,
)
from primitives.errors import PatunayError
from primitives.hashing import sha256


@pytest.mark.parametrize(
    ("words", "error"),
    [
        # geth, core/txpool/errors.go and core/error.go
        ("nonce too low: next nonce 5, tx nonce 3", NonceTaken),
        ("insufficient funds for gas * price + value: balance 0", InsufficientFunds),
        ("replacement transaction underpriced", Underpriced),
        ("transaction underpriced: tip needed 1, tip permitted 0", Underpriced),
        ("max fee per gas less than block base fee: address 0x", Underpriced),
        ("intrinsic gas too low: gas 1, minimum needed 21000", AnchorRefused),
        ("exceeds block gas limit", AnchorRefused),
        ("tx fee (2.10 ether) exceeds the configured cap (1.00 ether)", AnchorRefused),
        ("transaction type not supported", AnchorRefused),
        # anvil and Reth
        ("invalid chain id for signer", AnchorBackendMismatch),
        # Nethermind and Besu
        ("OldNonce, Current nonce: 5, nonce of rejected tx: 3.", NonceTaken),
        ("InsufficientFunds, Account balance: 0", InsufficientFunds),
        ("FeeTooLow, MaxFeePerGas too low", Underpriced),
        ("Upfront cost exceeds account balance", InsufficientFunds),
        # Nobody knows what these mean for the transaction.
        ("header not found", AnchorUnreachable),
        ("project ID request rate exceeded", AnchorUnreachable),
        ("", AnchorUnreachable),
    ],
)
def test_a_node_s_words_become_a_typed_error(words: str, error: type[PatunayError]) -> None:
    assert type(read_refusal(words)) is error


@pytest.mark.parametrize(
    "words",
    ["already known", "transaction already imported", "Known transaction", "AlreadyKnown"],
)
def test_having_it_already_is_success(words: str) -> None:
    assert read_refusal(words) is None


def test_a_long_message_is_cut() -> None:
    assert len(str(read_refusal("x" * 100_000))) < 300


@pytest.mark.parametrize(
    ("base_fee", "tip", "limit", "fees"),
    [
        (10, 2, 100, Fees(maximum=22, priority=2)),
        (10, 2, 15, Fees(maximum=15, priority=2)),
        (10, 10**30, 15, Fees(maximum=15, priority=15)),
        (15, 0, 15, Fees(maximum=15, priority=0)),
    ],
)
def test_fees_never_exceed_the_limit(
    base_fee: int, tip: int, limit: int, fees: Fees
) -> None:
    assert choose_fees(base_fee=base_fee, suggested_priority=tip, limit=limit) == fees


def test_a_base_fee_above_the_limit_is_refused() -> None:
    with pytest.raises(FeeAboveLimit, match="16 wei per gas, want at most 15"):
        choose_fees(base_fee=16, suggested_priority=0, limit=15)


def test_the_topics_hold_the_sender_padded_to_32_bytes() -> None:
    digest = sha256(b"a record")
    topics = event_topics(
        b"\x01" * 32, sender="0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf", digest=digest
    )
    padded = bytes(12) + bytes.fromhex("7e5f4552091a69125d5dfcb7b8c2659029395bdf")
    assert topics == (b"\x01" * 32, padded, digest)


@pytest.mark.parametrize(
    ("past", "now", "bid"),
    [
        (Fees(80, 8), Fees(1, 1), Fees(90, 9)),
        (Fees(81, 7), Fees(1, 1), Fees(92, 8)),  # an eighth more, rounded up
        (Fees(80, 8), Fees(95, 12), Fees(95, 12)),
        (Fees(8, 8), Fees(9, 30), Fees(9, 9)),  # no tip above the whole
    ],
)
def test_the_next_bid_is_an_eighth_higher_and_never_above_the_limit(
    past: Fees, now: Fees, bid: Fees
) -> None:
    assert outbidding_fees(past, now, limit=bid.maximum) == bid
    with pytest.raises(FeeAboveLimit, match=f"found {bid.maximum} wei per gas as the next"):
        outbidding_fees(past, now, limit=bid.maximum - 1)
