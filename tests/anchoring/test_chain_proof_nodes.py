"""Trie nodes made by hand, each wrong in one way that no chain ever gives."""

from typing import Any

import pytest

from anchoring.chain_proof import MAX_NODES, ChainProof, ChainProofInvalid
from anchoring.chain_proof_making import encode_receipt
from anchoring.rlp import encode_rlp
from primitives.keccak import keccak256
from tests.anchoring.test_chain_proof import prove
from tests.support.proven_blocks import SENDER, header_with, receipt

RECEIPT = encode_receipt(receipt())

# The key of transaction 0 is RLP's 0x80: the half bytes 8 and 0.
LEAF: list[Any] = [b"\x20\x80", RECEIPT]


def made(*nodes: Any, fields: int = 21) -> ChainProof:
    raw = [encode_rlp(node) for node in nodes]
    header = header_with(keccak256(raw[0]), fields=fields)
    return ChainProof(header, 0, tuple(raw))


def below(node: Any) -> bytes:
    return keccak256(encode_rlp(node))


def branch(at: int, child: Any) -> list[Any]:
    return [child if i == at else b"" for i in range(17)]


ODD: list[Any] = [b"\x30", RECEIPT]
GOOD = [
    made(LEAF),
    made(LEAF, fields=15),
    made([b"\x18", below(ODD)], ODD),
    made([b"\x00\x80", below(branch(16, RECEIPT))], branch(16, RECEIPT)),
    made(branch(8, below(ODD)), ODD),
]


@pytest.mark.parametrize("proof", GOOD)
def test_nodes_by_hand_prove_the_event(proof: ChainProof) -> None:
    assert prove(proof).sender == SENDER


@pytest.mark.parametrize(
    ("proof", "says"),
    [
        (made(LEAF, fields=14), "found 14 header fields, want 15"),
        (made(LEAF, fields=70), "bytes, want 2048 at most"),
        (ChainProof(encode_rlp(bytes(40)), 0, ()), "found bytes as header"),
        (made(*[LEAF] * (MAX_NODES + 1)), "found 17 nodes, want 16"),
        (made([b"\x20\x81", RECEIPT]), "lead to another transaction"),
        (made([b"\x00\x81", below(ODD)], ODD), "lead to another transaction"),
        (made([b"\x60\x80", RECEIPT]), "lead to another transaction"),
        (made([b"\x20", RECEIPT]), "end before the transaction"),
        (made([b"\x38", RECEIPT]), "end before the transaction"),
        (made([b"\x00", below(LEAF)], LEAF), "leads nowhere"),
        (made(branch(7, below(ODD)), ODD), "the receipt is not there"),
        (made([*LEAF, b""]), "found a node of 3 items"),
        (made([b"", RECEIPT]), "found a node without a path"),
        (made([b"\x21\x80", RECEIPT]), "other padding than 0"),
        (made([[b"\x20\x80"], RECEIPT]), "found a list as a node's path"),
        (made([b"\x20\x80", [RECEIPT]]), "found a list as a receipt"),
        (made([b"\x20\x80", encode_rlp([b"\x01"] * 3)]), "a receipt of 3 fields, want 4"),
        (made([b"\x20\x80", encode_rlp(b"\x01" * 40)]), "found bytes as a receipt"),
        (made(b"\x01" * 40), "found bytes as a node"),
    ],
)
def test_each_is_refused_for_what_is_wrong(proof: ChainProof, says: str) -> None:
    with pytest.raises(ChainProofInvalid, match=says):
        prove(proof)
