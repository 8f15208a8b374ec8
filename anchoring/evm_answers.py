"""What an Ethereum node's answers mean. No socket, no web3: values in, values out.

An RPC endpoint is not trusted. It may lag, lie, or sit behind a load balancer whose members
disagree; whatever does not fit together is `AnchorRpcInconsistent`, which is "unknown".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from anchoring.backend import (
    AnchorBackendMismatch,
    AnchorReceipt,
    AnchorRefused,
    AnchorUnreachable,
    FeeAboveLimit,
    InsufficientFunds,
    NonceTaken,
    Underpriced,
)
from primitives.errors import PatunayError
from primitives.hashing import Digest

_HASH_BYTES = 32
_ADDRESS_CHARACTERS = 42
_YEAR_10000 = 253_402_300_800
_CLOCKS_DIFFER = timedelta(minutes=15)
"""A miner may set the time of its block by so much, on chains that are lax."""

_MAX_FIELD = 1 << 63
"""No chain will ever have so many blocks; a database column ends there too."""


class AnchorRpcInconsistent(AnchorUnreachable):
    """The endpoint's answers contradict each other, or what was asked."""

    code = "anchor-rpc-inconsistent"
    hint = "try again in a minute, or name another RPC endpoint"


@dataclass(frozen=True, slots=True)
class Fees:
    """EIP-1559 fees, in wei per gas."""

    maximum: int
    priority: int


def outbidding_fees(past: Fees, now: Fees, *, limit: int) -> Fees:
    """Return fees that a pool takes in place of `past`, and that are no less than `now`.

    Pools want 10 or 12.5 % more, of both.

    Raises:
        FeeAboveLimit: That is above `limit`, in wei per gas.
    """
    maximum = max(now.maximum, past.maximum + -(-past.maximum // 8))
    priority = max(now.priority, past.priority + -(-past.priority // 8))
    if maximum > limit:
        raise FeeAboveLimit(
            f"found {maximum} wei per gas as the next bid, want at most {limit}"
        )
    return Fees(maximum=maximum, priority=min(priority, maximum))


def choose_fees(*, base_fee: int, suggested_priority: int, limit: int) -> Fees:
    """Return fees that survive six full blocks in a row, or the operator's limit.

    The base fee rises by at most 1/8 per block, so twice today's lasts that long.

    Raises:
        FeeAboveLimit: Even today's base fee is above `limit`.
    """
    if base_fee > limit:
        raise FeeAboveLimit(
            f"found a base fee of {base_fee} wei per gas, want at most {limit}"
        )
    maximum = min(limit, 2 * base_fee + suggested_priority)
    return Fees(maximum=maximum, priority=min(suggested_priority, maximum))


# Wordings of geth, Erigon, Nethermind, Besu, Reth and anvil. What none of them says is
# not guessed at: it stays "unknown", and `find` will tell.
_ALREADY_SENT = ("already known", "already imported", "known transaction", "alreadyknown")
_REFUSALS: tuple[tuple[str, type[PatunayError]], ...] = (
    ("nonce too low", NonceTaken),
    ("nonce is too low", NonceTaken),
    ("oldnonce", NonceTaken),
    ("insufficient funds", InsufficientFunds),
    ("insufficientfunds", InsufficientFunds),
    ("upfront cost exceeds account balance", InsufficientFunds),
    ("underpriced", Underpriced),
    ("less than block base fee", Underpriced),
    ("feetoolow", Underpriced),
    ("invalid chain id", AnchorBackendMismatch),
    ("intrinsic gas too low", AnchorRefused),
    ("exceeds block gas limit", AnchorRefused),
    ("exceeds the configured cap", AnchorRefused),
    ("transaction type not supported", AnchorRefused),
)


def read_refusal(message: str) -> PatunayError | None:
    """Return what a node's error to `eth_sendRawTransaction` means.

    None stands for "it has this very transaction already", which is success.
    """
    words = message.lower()
    if any(fragment in words for fragment in _ALREADY_SENT):
        return None
    shown = f"the node answered {message[:200]!r}"
    for fragment, error in _REFUSALS:
        if fragment in words:
            return error(shown)
    return AnchorUnreachable(shown)


@dataclass(frozen=True, slots=True)
class Log:
    """One event of a transaction."""

    address: str
    topics: tuple[bytes, ...]
    index: int


@dataclass(frozen=True, slots=True)
class Mined:
    """The parts of a transaction receipt that Patunay relies on."""

    reference: str
    sender: str
    succeeded: bool
    block_number: int
    block_hash: str
    gas_used: int
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """The parts of a block that Patunay relies on."""

    number: int
    block_hash: str
    timestamp: datetime
    transactions: frozenset[str]

    base_fee: int | None
    """Wei per gas; None on a chain without EIP-1559."""


def read_mined(answer: Any) -> Mined | None:
    """Return a receipt; None for one of a transaction that is still pending.

    Raises:
        AnchorUnreachable: A field is missing or of another type.
    """
    answer = _object(answer, "receipt")
    if answer.get("blockHash", ...) is None:
        return None
    return Mined(
        reference=_hash(answer, "transactionHash"),
        sender=_address(answer, "from"),
        succeeded=_number(answer, "status") == 1,
        block_number=_number(answer, "blockNumber"),
        block_hash=_hash(answer, "blockHash"),
        gas_used=_number(answer, "gasUsed"),
        logs=tuple(_read_log(log) for log in _list(answer, "logs")),
    )


def _read_log(answer: Any) -> Log:
    answer = _object(answer, "log")
    return Log(
        address=_address(answer, "address"),
        topics=tuple(_hash_bytes(topic, "topic") for topic in _list(answer, "topics")),
        index=_number(answer, "logIndex"),
    )


def read_block(answer: Any) -> Block:
    """Return a block whose transactions are listed by their hashes.

    Raises:
        AnchorUnreachable: A field is missing or of another type.
    """
    answer = _object(answer, "block")
    seconds = _number(answer, "timestamp")
    if seconds >= _YEAR_10000:
        raise AnchorUnreachable(f"found the block time {seconds}, want seconds since 1970")
    base_fee = answer.get("baseFeePerGas")
    return Block(
        number=_number(answer, "number"),
        block_hash=_hash(answer, "hash"),
        timestamp=datetime.fromtimestamp(seconds, UTC),
        transactions=frozenset(
            _hex(_hash_bytes(tx, "transaction")) for tx in _list(answer, "transactions")
        ),
        base_fee=None if base_fee is None else require_number(base_fee, "base fee"),
    )


def require_plausible_head(head: Block, now: datetime) -> Block:
    """Return `head` if its time is not ahead of `now` by more than clocks differ.

    Raises:
        AnchorRpcInconsistent: It lies in the future.
    """
    if head.timestamp > now + _CLOCKS_DIFFER:
        raise AnchorRpcInconsistent(
            f"found the newest block at {head.timestamp:%Y-%m-%dT%H:%M:%SZ}, want no later "
            f"than {now:%Y-%m-%dT%H:%M:%SZ}"
        )
    return head


def require_canonical(mined: Mined, block: Block, head: Block) -> None:
    """Return if receipt, block and head fit together.

    Args:
        mined: The receipt.
        block: The block that the endpoint holds at the receipt's height *now*: that is
            what tells a canonical block from one that a reorganisation has removed.
        head: The newest block.

    Raises:
        AnchorRpcInconsistent: They do not fit together.
    """
    if (block.number, block.block_hash) != (mined.block_number, mined.block_hash):
        raise AnchorRpcInconsistent(
            f"found block {block.number} {block.block_hash}, "
            f"want {mined.block_number} {mined.block_hash} as the receipt says"
        )
    if mined.reference not in block.transactions:
        raise AnchorRpcInconsistent(f"block {block.number} does not hold {mined.reference}")
    if head.number < block.number:
        raise AnchorRpcInconsistent(
            f"found the head at {head.number}, want {block.number} or more"
        )
    if head.timestamp < block.timestamp:
        raise AnchorRpcInconsistent(
            f"block {block.number} is of a later time than the head {head.number}"
        )


def make_receipt(mined: Mined, event: Log, *, block: Block, contract: str) -> AnchorReceipt:
    """Return the receipt for `event`; `contract` is CAIP-10."""
    return AnchorReceipt(
        contract=contract,
        transaction=mined.reference,
        block_number=block.number,
        block_hash=block.block_hash,
        log_index=event.index,
        timestamp=block.timestamp,
    )


def event_topics(topic: bytes, *, sender: str, digest: Digest) -> tuple[bytes, ...]:
    """Return the topics of `Anchored(sender, digest)`; `topic` names the event."""
    return (topic, bytes.fromhex(sender[2:]).rjust(32, b"\x00"), digest)


def require_number(value: Any, name: str) -> int:
    """Return `value` if it is a whole number, not negative.

    Raises:
        AnchorUnreachable: It is something else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise AnchorUnreachable(f"found {str(value)[:64]!r} as {name}, want a number")
    return value


def _number(answer: Mapping[str, Any], name: str) -> int:
    found = require_number(answer.get(name), name)
    if found >= _MAX_FIELD:
        raise AnchorUnreachable(
            f"found {name} {hex(found)[:40]}, want less than {_MAX_FIELD:#x}"
        )
    return found


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AnchorUnreachable(f"found {type(value).__name__} as {name}, want an object")
    return value


def _hash_bytes(value: Any, name: str) -> bytes:
    if not isinstance(value, bytes) or len(value) != _HASH_BYTES:
        raise AnchorUnreachable(f"found {str(value)[:80]!r} as {name}, want 32 bytes")
    return bytes(value)


def _hash(answer: Mapping[str, Any], name: str) -> str:
    return _hex(_hash_bytes(answer.get(name), name))


def _address(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or len(value) != _ADDRESS_CHARACTERS:
        raise AnchorUnreachable(f"found {str(value)[:64]!r} as {name}, want an address")
    return value


def _list(answer: Mapping[str, Any], name: str) -> list[Any] | tuple[Any, ...]:
    value = answer.get(name)
    if not isinstance(value, list | tuple):
        raise AnchorUnreachable(f"found {type(value).__name__} as {name}, want a list")
    return value


def _hex(raw: bytes) -> str:
    # web3's HexBytes overrides hex(), and not alike in all versions.
    return "0x" + bytes(raw).hex()
