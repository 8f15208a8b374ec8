"""Making a `ChainProof` from what an RPC endpoint answers. Values in, values out.

Nothing that the endpoint says is believed: the header is encoded anew and must have the
block's hash, and the trie of all receipts is built anew and must have the header's root.
So a fork that adds fields which are not known here gives an error and never a wrong proof.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from anchoring.backend import AnchorUnreachable
from anchoring.chain_proof import (
    MAX_HEADER_BYTES,
    MAX_INDEX,
    ChainProof,
    receipt_key,
)
from anchoring.rlp import Rlp, encode_rlp, encode_rlp_number
from primitives.keccak import keccak256

_HEADER: Sequence[tuple[str, type]] = (
    ("parentHash", bytes),
    ("sha3Uncles", bytes),
    ("miner", bytes),
    ("stateRoot", bytes),
    ("transactionsRoot", bytes),
    ("receiptsRoot", bytes),
    ("logsBloom", bytes),
    ("difficulty", int),
    ("number", int),
    ("gasLimit", int),
    ("gasUsed", int),
    ("timestamp", int),
    ("extraData", bytes),
    ("mixHash", bytes),
    ("nonce", bytes),
    # Each fork appends; a chain without it has none of the later ones.
    ("baseFeePerGas", int),
    ("withdrawalsRoot", bytes),
    ("blobGasUsed", int),
    ("excessBlobGas", int),
    ("parentBeaconBlockRoot", bytes),
    ("requestsHash", bytes),
)
_OPTIONAL_FROM = 15

_LEGACY, _DEPOSIT = 0, 0x7E
"""Transaction types whose receipts are written in another way than the others'."""


class ChainProofUnavailable(AnchorUnreachable):
    """No proof could be made of the endpoint's answers. The anchor stands without one."""

    code = "chain-proof-unavailable"
    hint = "the anchor is complete without it; another RPC endpoint may serve better"


def encode_header(block: Mapping[str, Any], block_hash: bytes) -> bytes:
    """Return the RLP bytes of the header whose hash is `block_hash`.

    Args:
        block: The answer to `eth_getBlockByHash`, its members as JSON has them.
        block_hash: 32 bytes.

    Raises:
        ChainProofUnavailable: A field is missing or odd, or the hash is another.
    """
    fields: list[Rlp] = []
    for position, (name, kind) in enumerate(_HEADER):
        if position >= _OPTIONAL_FROM and block.get(name) is None:
            break
        value = block.get(name)
        fields.append(_number(value, name) if kind is int else _bytes(value, name))
    header = encode_rlp(fields)
    if keccak256(header) != block_hash or len(header) > MAX_HEADER_BYTES:
        raise ChainProofUnavailable(
            f"found a header of hash 0x{keccak256(header).hex()}, want 0x{block_hash.hex()}"
        )
    return header


def encode_receipt(receipt: Mapping[str, Any]) -> bytes:
    """Return a transaction receipt as the receipts trie holds it (EIP-2718).

    Args:
        receipt: The answer to `eth_getTransactionReceipt`, as JSON has it.

    Raises:
        ChainProofUnavailable: A field is missing or odd.
    """
    kind = int.from_bytes(_number(receipt.get("type", "0x0"), "type"))
    fields: list[Rlp] = [
        _number(receipt.get("status"), "status"),
        _number(receipt.get("cumulativeGasUsed"), "cumulativeGasUsed"),
        _bytes(receipt.get("logsBloom"), "logsBloom"),
        [_log(log) for log in _list(receipt.get("logs"), "logs")],
    ]
    if kind == _DEPOSIT:
        # OP Stack chains: a deposit's receipt has up to two more fields.
        fields.extend(
            _number(receipt[name], name)
            for name in ("depositNonce", "depositReceiptVersion")
            if receipt.get(name) is not None
        )
    head = b"" if kind == _LEGACY else bytes((kind & 0x7F,))
    return head + encode_rlp(fields)


def make_chain_proof(
    header: bytes, receipts_root: bytes, receipts: Sequence[bytes], index: int
) -> ChainProof:
    """Return the proof that `receipts[index]` stands under `receipts_root`.

    Args:
        header: As `encode_header` gives it; copied into the proof.
        receipts_root: The header's `receiptsRoot`, 32 bytes.
        receipts: Of all transactions of the block, in their order.
        index: Which one to prove.

    Raises:
        ChainProofUnavailable: The receipts give another root.
    """
    if not 0 <= index < len(receipts) <= MAX_INDEX:
        raise ChainProofUnavailable(f"found {len(receipts)} receipts, want over {index}")
    leaves = {receipt_key(i): receipt for i, receipt in enumerate(receipts)}
    trie = _Trie(receipt_key(index))
    root = encode_rlp(trie.build(leaves, 0, on_path=True))
    if keccak256(root) != receipts_root:
        raise ChainProofUnavailable(
            f"found receipts of root 0x{keccak256(root).hex()}, "
            f"want 0x{receipts_root.hex()}"
        )
    return ChainProof(header, index, (root, *reversed(trie.below)))


@dataclass(slots=True)
class _Trie:
    """Builds a Merkle-Patricia trie and remembers the nodes on one path."""

    path: tuple[int, ...]

    below: list[bytes] = field(default_factory=list)
    """Nodes under the root that lie on the path and are named by hash, deepest first."""

    def build(
        self, leaves: Mapping[tuple[int, ...], bytes], depth: int, *, on_path: bool
    ) -> Rlp:
        """Return the node of `leaves`, which agree in their first `depth` half bytes."""
        if len(leaves) == 1:
            ((key, value),) = leaves.items()
            return [_partial(key[depth:], leaf=True), value]
        shared = _shared(leaves, depth)
        if shared > depth:
            key = next(iter(leaves))
            return [
                _partial(key[depth:shared], leaf=False),
                self._name(leaves, shared, on_path=on_path),
            ]
        items: list[Rlp] = [b""] * 17
        branches: dict[int, dict[tuple[int, ...], bytes]] = {}
        for key, value in leaves.items():
            if len(key) == depth:
                items[16] = value
            else:
                branches.setdefault(key[depth], {})[key] = value
        for half, some in branches.items():
            along = on_path and self.path[depth : depth + 1] == (half,)
            items[half] = self._name(some, depth + 1, on_path=along)
        return items

    def _name(
        self, leaves: Mapping[tuple[int, ...], bytes], depth: int, *, on_path: bool
    ) -> Rlp:
        """Return how a parent refers to the node: its hash, or itself if shorter."""
        node = self.build(leaves, depth, on_path=on_path)
        raw = encode_rlp(node)
        if len(raw) < 32:  # noqa: PLR2004 - a hash would be longer
            return node
        if on_path:
            self.below.append(raw)
        return keccak256(raw)


def _shared(leaves: Mapping[tuple[int, ...], bytes], depth: int) -> int:
    """Return how many half bytes all keys begin with; at least `depth`."""
    first, last = min(leaves), max(leaves)
    while depth < min(len(first), len(last)) and first[depth] == last[depth]:
        depth += 1
    return depth


def _partial(path: tuple[int, ...], *, leaf: bool) -> bytes:
    """Return a path with its flag: two bits, leaf and odd length."""
    odd = len(path) % 2
    halves = (2 * leaf + odd, *(() if odd else (0,)), *path)
    return bytes(16 * a + b for a, b in zip(halves[::2], halves[1::2], strict=True))


def _log(log: Any) -> Rlp:
    if not isinstance(log, Mapping):
        raise ChainProofUnavailable(f"found {type(log).__name__} as a log, want an object")
    topics = [_bytes(topic, "topic") for topic in _list(log.get("topics"), "topics")]
    return [_bytes(log.get("address"), "address"), topics, _bytes(log.get("data"), "data")]


def _list(value: Any, name: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ChainProofUnavailable(f"found {type(value).__name__} as {name}, want a list")
    return value


def _bytes(value: Any, name: str) -> bytes:
    try:
        if isinstance(value, str) and value.startswith("0x"):
            return bytes.fromhex(value[2:])
    except ValueError:
        pass
    raise ChainProofUnavailable(f"found {str(value)[:64]!r} as {name}, want 0x and hex")


def _number(value: Any, name: str) -> bytes:
    try:
        if isinstance(value, str) and value.startswith("0x"):
            return encode_rlp_number(int(value, 0))
    except ValueError:
        pass
    raise ChainProofUnavailable(f"found {str(value)[:64]!r} as {name}, want 0x and hex")
