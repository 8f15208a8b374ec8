"""Proof that an Ethereum block holds an anchor, checked from values alone.

    header -> receiptsRoot -> Merkle-Patricia nodes -> transaction receipt -> event

Yellow Paper, sections 4.3 (block, receipt) and appendix D (trie); EIP-2718 receipts. It
proves what stands in a block with a certain hash. Whether that block is part of a chain
that anybody should believe is another question, which the verifier's policy answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from anchoring.rlp import (
    Rlp,
    RlpMalformed,
    decode_rlp,
    encode_rlp,
    encode_rlp_number,
    read_rlp_number,
)
from primitives.errors import Rejected
from primitives.hashing import Digest
from primitives.keccak import keccak256

MAX_HEADER_BYTES = 2048
"""A header of today has some 640."""

MAX_NODES = 16
"""Trie nodes from the root to a receipt; a block of 65,536 transactions needs 7."""

MAX_NODE_BYTES = 1024 * 1024
"""The last node holds the whole transaction receipt."""

MAX_INDEX = 0xFFFFFF
"""A transaction's position in its block."""

_RECEIPTS_ROOT, _NUMBER, _TIMESTAMP = 5, 8, 11
_LEAST_FIELDS = 15
"""Header fields before London. Later forks append; those fields are not read."""

_BRANCH, _SHORTCUT = 17, 2
_YEAR_10000 = 253_402_300_800


class ChainProofInvalid(Rejected):
    """The header, the nodes and the event do not prove one another."""

    code = "chain-proof-invalid"


@dataclass(frozen=True, slots=True)
class ChainProof:
    """A block header and the way from it to one transaction receipt. Not verified."""

    header: bytes
    """Exact RLP bytes of the block header; their Keccak-256 is the block hash."""

    transaction_index: int
    """Position of the transaction in its block, from 0."""

    nodes: tuple[bytes, ...]
    """RLP bytes of the trie nodes, from the root down to the receipt."""

    @property
    def block_hash(self) -> str:
        """Hash of the header, 0x-prefixed lower-case hex."""
        return "0x" + keccak256(self.header).hex()


@dataclass(frozen=True, slots=True)
class ProvenEvent:
    """What a proof shows, in terms of the block that it belongs to."""

    block_hash: str
    """0x-prefixed lower-case hex."""

    block_number: int

    timestamp: datetime
    """Time of the block, aware and in UTC; as good as the block's miners."""

    sender: str
    """The account in the event, 0x-prefixed lower-case hex. Proves nothing."""


def prove_anchored(
    proof: ChainProof, *, address: str, topic: bytes, digest: Digest
) -> ProvenEvent:
    """Return what `proof` shows about `digest`.

    Args:
        proof: From whoever asks to be believed.
        address: The contract, 0x-prefixed, from the verifier's policy or a receipt whose
            contract that policy accepts.
        topic: 32 bytes naming the event: `contracts.artifact.Artifact.anchored_topic`.
        digest: Worked out from the anchor record under test.

    Raises:
        ChainProofInvalid: It does not show that event in a transaction that succeeded.
    """
    try:
        header = _list(decode_rlp(_sized(proof.header, MAX_HEADER_BYTES)), "header")
        if len(header) < _LEAST_FIELDS:
            raise ChainProofInvalid(f"found {len(header)} header fields, want 15 or more")
        root = _bytes(header[_RECEIPTS_ROOT], "receiptsRoot")
        receipt = _receipt_fields(_walk(root, proof))
        sender = _find_event(receipt, address=address, topic=topic, digest=digest)
        seconds = read_rlp_number(header[_TIMESTAMP])
        if seconds >= _YEAR_10000:
            raise ChainProofInvalid(f"found the time {seconds}, want one before 10000")
        return ProvenEvent(
            block_hash=proof.block_hash,
            block_number=read_rlp_number(header[_NUMBER]),
            timestamp=datetime.fromtimestamp(seconds, UTC),
            sender="0x" + sender[-20:].hex(),
        )
    except RlpMalformed as e:
        raise ChainProofInvalid(str(e)) from e


def nibbles_of(key: bytes) -> tuple[int, ...]:
    """Return the half bytes of `key`, the higher one first."""
    return tuple(half for byte in key for half in (byte >> 4, byte & 15))


def receipt_key(index: int) -> tuple[int, ...]:
    """Return the path of the receipt of the transaction at `index`."""
    return nibbles_of(encode_rlp(encode_rlp_number(index)))


def _walk(root: bytes, proof: ChainProof) -> bytes:
    """Return the value that stands at the transaction's key in the trie under `root`."""
    if not 0 <= proof.transaction_index <= MAX_INDEX:
        raise ChainProofInvalid(
            f"found the transaction index {proof.transaction_index}, want 0 to {MAX_INDEX}"
        )
    if len(proof.nodes) > MAX_NODES:
        raise ChainProofInvalid(f"found {len(proof.nodes)} nodes, want {MAX_NODES} at most")
    path, unread = receipt_key(proof.transaction_index), list(reversed(proof.nodes))
    reference: Rlp = root
    while True:
        node = _resolve(reference, unread)
        if len(node) == _BRANCH:
            if not path:
                return _last(node[16], unread)
            reference, path = node[path[0]], path[1:]
            continue
        flag, *partial = nibbles_of(_bytes(node[0], "a node's path"))
        # The flag's low bit: odd length, so that its second half byte belongs to the path.
        rest = tuple(partial) if flag & 1 else _without_padding(partial)
        if flag > 3 or path[: len(rest)] != rest:  # noqa: PLR2004 - leaf, odd: two bits
            raise ChainProofInvalid("the nodes lead to another transaction")
        path = path[len(rest) :]
        if flag & 2:
            if path:
                raise ChainProofInvalid("the nodes end before the transaction")
            return _last(node[1], unread)
        if not rest:
            raise ChainProofInvalid("found a node that leads nowhere")
        reference = node[1]


def _resolve(reference: Rlp, unread: list[bytes]) -> Sequence[Rlp]:
    """Return the node that a parent names: by hash, or in place when it is short."""
    if isinstance(reference, bytes):
        if len(reference) != 32:  # noqa: PLR2004 - Keccak-256
            raise ChainProofInvalid("the nodes show that the receipt is not there")
        if not unread:
            raise ChainProofInvalid("found no further node, want one")
        raw = _sized(unread.pop(), MAX_NODE_BYTES)
        if keccak256(raw) != reference:
            raise ChainProofInvalid(
                f"found a node of hash {keccak256(raw).hex()}, want {reference.hex()}"
            )
        reference = decode_rlp(raw)
    node = _list(reference, "a node")
    if len(node) not in (_BRANCH, _SHORTCUT):
        raise ChainProofInvalid(f"found a node of {len(node)} items, want 2 or 17")
    if len(node) == _SHORTCUT and not node[0]:
        raise ChainProofInvalid("found a node without a path")
    return node


def _without_padding(partial: list[int]) -> tuple[int, ...]:
    if partial[:1] != [0]:
        raise ChainProofInvalid("found a node's path with other padding than 0")
    return tuple(partial[1:])


def _last(value: Rlp, unread: list[bytes]) -> bytes:
    if unread:
        raise ChainProofInvalid(f"found {len(unread)} nodes after the receipt, want none")
    return _bytes(value, "a receipt")


def _receipt_fields(raw: bytes) -> Sequence[Rlp]:
    # EIP-2718: a first byte below 0xc0 is the transaction type, the list follows.
    if raw[:1] and raw[0] < 0x80:  # noqa: PLR2004 - types end there
        raw = raw[1:]
    receipt = _list(decode_rlp(raw), "a receipt")
    if len(receipt) < 4:  # noqa: PLR2004 - status, gas, bloom, logs
        raise ChainProofInvalid(f"found a receipt of {len(receipt)} fields, want 4")
    if receipt[0] != b"\x01":
        raise ChainProofInvalid("the transaction was reverted")
    return receipt


def _find_event(
    receipt: Sequence[Rlp], *, address: str, topic: bytes, digest: Digest
) -> bytes:
    """Return the 32 bytes in which the event names its sender."""
    wanted = bytes.fromhex(address.removeprefix("0x"))
    for event in _list(receipt[3], "logs"):
        match event:
            case [emitter, [first, bytes(sender), last], _] if (
                (emitter, first, last) == (wanted, topic, digest) and len(sender) == 32  # noqa: PLR2004 - a topic
            ):
                return sender
    raise ChainProofInvalid(
        f"found no event of {address} for {digest.hex()} in the transaction"
    )


def _sized(raw: bytes, limit: int) -> bytes:
    if len(raw) > limit:
        raise ChainProofInvalid(f"found {len(raw)} bytes, want {limit} at most")
    return raw


def _list(item: Rlp, what: str) -> Sequence[Rlp]:
    if isinstance(item, bytes):
        raise ChainProofInvalid(f"found bytes as {what}, want a list")
    return item


def _bytes(item: Rlp, what: str) -> bytes:
    if not isinstance(item, bytes):
        raise ChainProofInvalid(f"found a list as {what}, want bytes")
    return item
