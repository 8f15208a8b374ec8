"""Issue, anchor, rotate, declare: what a verifier with a chain of its own says then.

The chain is the one in memory, which is no development chain to the policy: a block comes
every twelve seconds, from the first of January 2026 on.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from anchoring.backend import AnchorReceipt
from anchoring.memory import MEMORY_CHAIN, MEMORY_CONTRACT, MemoryAnchor
from anchoring.receipt import Receipt
from anchoring.record import record_digest
from credentials.data_integrity import add_proof
from credentials.evidence import Evidence, Lookup, Missing, Obtained
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Report
from node.gather import Gatherer
from node.home import Home
from node.issuance import issue_document
from node.log_reading import read_log
from node.logbook import build_receipt
from node.node import MAIN, Node
from node.own_node import OwnNode
from node.rotation import rotate
from primitives.canonical_json import JsonObject
from tests.support.declaring import declare_compromised
from tests.support.nodes import HandClock, anchor, make_home_here, opened

DID = "did:web:localhost%3A8460"
OLD_KEY = f"{DID}#credential-1"
BEFORE = "00000000-0000-4000-8000-000000000001"
AFTER = "00000000-0000-4000-8000-000000000002"


def unsigned(uuid: str) -> JsonObject:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": f"urn:uuid:{uuid}",
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "did:example:learner"},
    }


class Verifier:
    """Somebody with the issuer's files, and with the chain."""

    def __init__(self, home: Home, clock: HandClock, chain: MemoryAnchor) -> None:
        self.clock, self.chain = clock, chain
        self.gatherer = Gatherer(clock=clock, own=OwnNode.load(home, clock))
        self.policy = Policy(contracts=frozenset({MEMORY_CONTRACT}))

    async def verify(self, document: JsonObject, node: Node, *shown: str) -> Report:
        """Judge with what is `shown`: `receipt`, `log`, both or neither."""
        evidence = await self.gatherer.gather(document)
        sightings: dict[str, Lookup[Any]] = {}
        if "receipt" in shown:
            receipt = await build_receipt(node, str(document["id"])[-36:])
            evidence = replace(evidence, receipt=self.had(receipt))
            sightings |= await self.look(receipt.anchors, receipt.record)
        if "log" in shown:
            reading = await read_log(node)
            evidence = replace(evidence, log=self.had(reading))
            for record in reading.records:
                sightings |= await self.look(record.anchors, record.record)
        return self.judged(document, replace(evidence, sightings=sightings))

    def judged(self, document: JsonObject, evidence: Evidence) -> Report:
        policy = self.gatherer.policy(self.policy)
        return judge(document, evidence, policy, self.clock.now())

    async def look(
        self, anchors: tuple[AnchorReceipt, ...], record: bytes
    ) -> dict[str, Lookup[Any]]:
        return {
            a.transaction: self.had(await self.chain.check(a, record_digest(record)))
            for a in anchors
        }

    def had(self, value: Any) -> Obtained[Any]:
        return Obtained(value, "file", self.clock.now())


def said(report: Report) -> tuple[str, str, str]:
    check = report.check("issuer-key")
    return report.outcome.value, check.result.value, check.code


VALID = ("valid", "passed", "")
CLAIMED = ("valid", "passed", "time-only-claimed")
GOOD = ("valid", "passed", "key-compromised-anchored-before")
VOID = ("rejected", "failed", "key-compromised-unanchored")
UNKNOWN = ("undetermined", "undetermined", "anchor-not-shown")


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    return await make_home_here(tmp_path / "node")


async def test_what_a_key_signed_counts_by_its_anchor_once_the_key_is_stolen(
    home: Home,
) -> None:
    clock, chain = HandClock(), MemoryAnchor()
    async with opened(home, clock) as node:
        first = await issue_document(node, unsigned(BEFORE), None)
        await anchor(node, chain)
        in_between = (await build_receipt(node, BEFORE)).anchors[0].timestamp
        in_between += timedelta(seconds=1)
        second = await issue_document(node, unsigned(AFTER), None)
        await anchor(node, chain)
        verifier = Verifier(home, clock, chain)
        assert said(await verifier.verify(first, node, "receipt")) == VALID

        await rotate(node, MAIN)
        third = await issue_document(node, unsigned(AFTER[:-1] + "3"), None)
        assert said(await verifier.verify(third, node)) == VALID
        # The chain's time is before the rotation's, so the anchor shows which came first.
        assert said(await verifier.verify(first, node, "receipt")) == VALID
        assert said(await verifier.verify(first, node)) == CLAIMED

        stolen = await stolen_credential(node)
        made = await declare_compromised(node, OLD_KEY, in_between)
        assert made.voided == 1
        for shown in (("receipt",), ("log",), ("receipt", "log")):
            assert said(await verifier.verify(first, node, *shown)) == GOOD
        assert said(await verifier.verify(second, node, "receipt", "log")) == VOID
        assert said(await verifier.verify(second, node, "log")) == VOID
        assert said(await verifier.verify(second, node, "receipt")) == UNKNOWN
        assert said(await verifier.verify(first, node)) == UNKNOWN
        assert said(await verifier.verify(stolen, node)) == UNKNOWN
        assert said(await verifier.verify(stolen, node, "log")) == VOID
        assert said(await verifier.verify(third, node)) == VALID

        # A moment before the first anchor: then nothing of that key is left.
        await declare_compromised(node, OLD_KEY, in_between - timedelta(days=1))
        assert said(await verifier.verify(first, node, "receipt")) == VOID


async def stolen_credential(node: Node) -> JsonObject:
    """Return what a thief makes with the first key, dated to when it was in use."""
    document = {**unsigned(AFTER[:-1] + "9"), "issuer": DID}
    return add_proof(
        document,
        node.signer("main.credential"),
        verification_method=OLD_KEY,
        created=node.instant() - timedelta(days=30),
    )


async def test_a_chain_out_of_reach_leaves_it_open(home: Home) -> None:
    clock, chain = HandClock(), MemoryAnchor()
    async with opened(home, clock) as node:
        first = await issue_document(node, unsigned(BEFORE), None)
        await anchor(node, chain)
        await declare_compromised(node, OLD_KEY, clock.now())
        verifier = Verifier(home, clock, chain)
        evidence = await verifier.gatherer.gather(first)
        receipt: Receipt = await build_receipt(node, BEFORE)
        lost = Missing("anchor-unreachable", "no answer", "try again")
        evidence = replace(
            evidence,
            receipt=verifier.had(receipt),
            sightings={receipt.anchors[0].transaction: lost},
        )
        assert said(verifier.judged(first, evidence)) == UNKNOWN
        assert receipt.anchors[0].contract.startswith(MEMORY_CHAIN)
