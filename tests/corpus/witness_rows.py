"""Areas K and A, continued: time without asking a chain, by witnesses or a known block."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from anchoring.cosignature import WitnessKey, cosign, with_cosignatures
from primitives.ed25519 import SoftwareSigner
from tests.corpus.receipt_case import (
    GOOD,
    POLICY,
    TRUST,
    UNDETERMINED,
    ReceiptCase,
    chain_answers,
    receipt_case,
)
from tests.support.credentials_support import NOW
from tests.support.proven_blocks import proven

PROOF = GOOD.receipt.tlog_proof
TEXT = PROOF.checkpoint.partition("\n\n")[0] + "\n"
SIGNERS = {n: SoftwareSigner(bytes([n]) * 32) for n in range(1, 5)}
TWO_OF_THREE = {
    "keys": [str(WitnessKey(f"w{n}.example", SIGNERS[n].public_key)) for n in (1, 2, 3)],
    "threshold": 2,
}
FEW = "witnesses-too-few"
GONE = {"*": {"status": 410, "body": "this network was shut down"}}


def witness_rows() -> Iterator[ReceiptCase]:
    """Give the cases, in the order of the table."""
    yield _witnessed("K04-as-many-as-the-quorum", 1, 2)
    yield _witnessed("K04-more-than-the-quorum", 3, 1, 2)
    yield _witnessed("K04-one-short", 1, code=FEW)
    yield _witnessed("K04-none", code=FEW)
    yield _witnessed("K04-strangers-do-not-count", 1, 4, code=FEW)
    yield _witnessed("K05-one-witness-twice", 1, 1, code=FEW)
    yield _witnessed("K05-one-twice-and-another", 1, 1, 2)
    renamed = str(cosign(TEXT, "w2.example", SIGNERS[1], NOW))
    yield _witnessed("K05-under-two-names", 1, code=FEW, further=renamed)
    bad = str(cosign(TEXT.replace("\n3\n", "\n4\n"), "w2.example", SIGNERS[2], NOW))
    yield _witnessed(
        "K04-one-that-is-not-its", 1, code="cosignature-invalid", false=True, further=bad
    )
    yield from _retired()


def _witnessed(
    name: str, *signers: int, code: str = "", false: bool = False, further: str = ""
) -> ReceiptCase:
    """Return the case of a checkpoint that these have cosigned, and no chain anchors."""
    lines = [
        str(cosign(TEXT, f"w{n}.example", SIGNERS[n], NOW - timedelta(hours=hour)))
        for hour, n in enumerate(signers)
    ]
    note = with_cosignatures(PROOF.checkpoint, [*lines, *([further] if further else [])])
    receipt = replace(GOOD.receipt, tlog_proof=replace(PROOF, checkpoint=note), anchors=())
    outcome = "rejected" if false else UNDETERMINED if code else "valid"
    report = None if code else ("valid", "checkpoint-witnessed")
    more = {"trust": TRUST | {"witnesses": TWO_OF_THREE}}
    return receipt_case(name, receipt, outcome, code, report=report, more=more)


def _retired() -> Iterator[ReceiptCase]:
    """The chain is gone; what was kept of it proves the anchor in a block that is known."""
    anchor = proven(GOOD.anchor, GOOD.receipt.digest, NOW - timedelta(days=1))
    receipt = replace(GOOD.receipt, anchors=(anchor,))
    chain = anchor.contract.rpartition(":")[0]
    known = {"chain": chain, "hash": anchor.block_hash}
    names = {"contracts": [anchor.contract]}
    unreachable = "anchor-unreachable"

    def retired(name: str, had: Any, report: tuple[str, str], **policy: Any) -> ReceiptCase:
        more = {"policy": POLICY | policy}
        return receipt_case(
            name, had, UNDETERMINED, unreachable, report=report, chains=[GONE], more=more
        )

    attested = ("valid", "block-attested")
    lost = (UNDETERMINED, unreachable)
    yield retired("A24-in-a-known-block", receipt, attested, **names, blocks=[known])
    other = {"chain": chain, "hash": "0x" + "00" * 32}
    yield retired("A24-in-an-unknown-block", receipt, lost, **names, blocks=[other])
    elsewhere = {"chain": "eip155:1", "hash": anchor.block_hash}
    yield retired("A24-known-on-another-chain", receipt, lost, **names, blocks=[elsewhere])
    yield retired("A24-contract-not-named", receipt, lost, blocks=[known])
    bare = replace(receipt, anchors=(replace(anchor, proof=None),))
    yield retired("A24-without-its-proof", bare, lost, **names, blocks=[known])
    earlier = replace(anchor, timestamp=anchor.timestamp - timedelta(days=365))
    claimed = replace(receipt, anchors=(earlier,))
    yield retired("A24-claims-an-earlier-time", claimed, lost, **names, blocks=[known])
    alive = [chain_answers(receipt)]
    yield receipt_case("A24-chain-still-there", receipt, chains=alive)
