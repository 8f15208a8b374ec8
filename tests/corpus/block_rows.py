"""Area A, continued: what the header of a block and nodes of its trie prove alone."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from anchoring.backend import AnchorReceipt
from anchoring.chain_proof import ChainProof
from anchoring.chain_proof_making import encode_receipt
from anchoring.receipt import anchor_json
from primitives.hashing import sha256
from primitives.keccak import keccak256
from tests.corpus.case import pretty
from tests.support.proven_blocks import (
    ADDRESS,
    DIGEST,
    SECONDS,
    header_with,
    proof_in_block,
    receipt,
)

INVALID = "chain-proof-invalid"
GOOD = proof_in_block(140, 20)
EVENT = receipt()["logs"][0]


@dataclass(frozen=True)
class BlockCase:
    """An anchor as it stands in a receipt, with the proof of its block."""

    name: str
    proof: ChainProof
    code: str = ""

    def files(self) -> dict[str, bytes]:
        """Return what stands in the folder."""
        anchor = AnchorReceipt(
            contract=f"eip155:11155111:{ADDRESS}",
            transaction="0x" + "1a" * 32,
            block_number=77,
            block_hash="0x" + keccak256(self.proof.header).hex(),
            log_index=0,
            timestamp=datetime.fromtimestamp(SECONDS, UTC),
            proof=self.proof,
        )
        outcome = "rejected" if self.code else "valid"
        context = {"kind": "block", "digest": DIGEST.hex()}
        return {
            "input": json.dumps(anchor_json(anchor)).encode(),
            "context.json": pretty(context),
            "expect.json": pretty({"outcome": outcome, "code": self.code}),
        }


def block_rows() -> Iterator[BlockCase]:
    """Give the cases, in the order of the table."""
    yield BlockCase("A01-proof-good", GOOD)
    for number, node in enumerate(GOOD.nodes):
        for at in (0, 8 * (len(node) // 2) + 3, 8 * len(node) - 1):
            bad = bytearray(node)
            bad[at // 8] ^= 1 << at % 8
            nodes = (*GOOD.nodes[:number], bytes(bad), *GOOD.nodes[number + 1 :])
            name = f"A01-proof-node-{number}-bit-{at}"
            yield BlockCase(name, replace(GOOD, nodes=nodes), INVALID)
    yield changed("A03-proof-reverted", status="0x0")
    foreign = dict(EVENT, address="0x" + "ba" * 20)
    yield changed("A04-proof-another-contract", logs=[foreign])
    other = dict(EVENT, topics=[*EVENT["topics"][:2], "0x" + sha256(b"other").hex()])
    yield changed("A06-proof-another-root", logs=[other])
    yield changed("A06-proof-no-event", logs=[])
    beside = [foreign, EVENT, other]
    yield replace(changed("A06-proof-others-beside-it", logs=beside), code="")
    yield from _absent()
    yield from _headers()


def changed(name: str, **changes: Any) -> BlockCase:
    """Return the case of a block that holds another receipt in the anchor's place."""
    raw = encode_receipt(receipt(**changes))
    return BlockCase(name, proof_in_block(140, 20, raw), INVALID)


def _absent() -> Iterator[BlockCase]:
    """Nodes that lead to the place of a transaction that the block does not have."""
    small = proof_in_block(2, 1)
    yield BlockCase("A14-proof-the-last-there-is", small)
    for index in (2, 3, 127, 128, 255):
        beyond = replace(small, transaction_index=index)
        yield BlockCase(f"A14-proof-of-absence-{index}", beyond, INVALID)
    for name, nodes in (
        ("A14-proof-cut-short", GOOD.nodes[:-1]),
        ("A14-proof-without-nodes", ()),
    ):
        yield BlockCase(name, replace(GOOD, nodes=nodes), INVALID)


def _headers() -> Iterator[BlockCase]:
    """Forks append fields to the header; which the first fifteen are stays."""
    root = keccak256(GOOD.nodes[0])
    for fields in (15, 16, 21, 40):
        yield BlockCase(f"A27-header-of-{fields}", _with_header(root, fields))
    yield BlockCase("A27-header-of-14", _with_header(root, 14), INVALID)
    another = _with_header(bytes(32), 21)
    yield BlockCase("A12-proof-header-of-another-block", another, INVALID)


def _with_header(root: bytes, fields: int) -> ChainProof:
    return replace(GOOD, header=header_with(root, fields=fields))
