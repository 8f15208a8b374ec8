"""Blocks made by hand, with an anchor among other transactions, and its proof."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from trie.hexary import HexaryTrie

from anchoring.backend import AnchorReceipt
from anchoring.chain_proof import ChainProof
from anchoring.chain_proof_making import encode_receipt, make_chain_proof
from anchoring.rlp import encode_rlp, encode_rlp_number
from contracts.artifact import load_artifact
from primitives.hashing import Digest, sha256

ADDRESS = "0x" + "ab" * 20
TOPIC = load_artifact().anchored_topic
SENDER = "0x" + "cd" * 20
DIGEST = sha256(b"an anchor record")
SECONDS = 1_790_000_000


def receipt(digest: Digest = DIGEST, **changes: Any) -> dict[str, Any]:
    event = {
        "address": ADDRESS,
        "topics": [
            "0x" + TOPIC.hex(),
            "0x" + "00" * 12 + SENDER[2:],
            "0x" + digest.hex(),
        ],
        "data": "0x",
    }
    whole = {
        "type": "0x2",
        "status": "0x1",
        "cumulativeGasUsed": "0x5a6f",
        "logsBloom": "0x" + "00" * 256,
        "logs": [event],
    }
    return whole | changes


def other(number: int) -> bytes:
    """Return the receipt of another transaction, unlike every other."""
    return encode_receipt(receipt(cumulativeGasUsed=hex(30_000 * number + 1), logs=[]))


def oracle_root(receipts: Sequence[bytes]) -> bytes:
    trie: Any = HexaryTrie({})
    for i, raw in enumerate(receipts):
        trie[encode_rlp(encode_rlp_number(i))] = raw
    return bytes(trie.root_hash)


def header_with(root: bytes, *, fields: int = 21, seconds: int = SECONDS) -> bytes:
    whole: list[bytes] = [bytes([i]) * 32 for i in range(fields)]
    whole[5] = root
    whole[8] = encode_rlp_number(77)
    whole[11] = encode_rlp_number(seconds)
    return encode_rlp(whole)


def proof_in_block(
    size: int, index: int, raw: bytes | None = None, *, seconds: int = SECONDS
) -> ChainProof:
    receipts = [other(i) for i in range(size)]
    receipts[index] = encode_receipt(receipt()) if raw is None else raw
    root = oracle_root(receipts)
    return make_chain_proof(header_with(root, seconds=seconds), root, receipts, index)


def proven(anchor: AnchorReceipt, digest: Digest, time: datetime) -> AnchorReceipt:
    """Return `anchor` as written in such a block at `time`, with the proof of it."""
    event = receipt(digest)["logs"][0]
    event["address"] = anchor.contract.rpartition(":")[2].lower()
    raw = encode_receipt(receipt(logs=[event]))
    proof = proof_in_block(20, 7, raw, seconds=int(time.timestamp()))
    return replace(
        anchor,
        block_number=77,
        block_hash=proof.block_hash,
        timestamp=time,
        proof=proof,
    )
