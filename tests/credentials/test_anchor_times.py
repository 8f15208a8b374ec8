"""An anchor that no chain was asked about: what its proof shows, and who has to vouch."""

import random
from dataclasses import replace
from typing import Any

import pytest

from anchoring.backend import AnchorReceipt
from credentials.anchor_times import AnchorTime, sight_anchor
from credentials.evidence import Evidence, Missing
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Check, Result
from primitives.errors import PatunayError
from primitives.hashing import sha256
from tests.support.credentials_support import (
    CHAIN,
    DAY,
    NOW,
    anchored,
    evidence,
    had,
    policy,
    signed,
)
from tests.support.proven_blocks import proven

TIME = NOW - DAY
PLAIN = anchored(signed())
DIGEST = PLAIN.receipt.digest
ANCHOR = proven(PLAIN.anchor, DIGEST, TIME)
RECEIPT = replace(PLAIN.receipt, anchors=(ANCHOR,))
ATTESTED = {(CHAIN, ANCHOR.block_hash): "policy file"}


def believing(**changes: Any) -> Policy:
    known = {"contracts": frozenset({ANCHOR.contract}), "attested_blocks": ATTESTED}
    return policy(**known | changes)


def sight(
    anchor: AnchorReceipt = ANCHOR, demands: Policy | None = None, **known: Any
) -> AnchorTime:
    return sight_anchor(anchor, DIGEST, Evidence(**known), demands or believing())


def refused(*args: Any, **kwargs: Any) -> str:
    with pytest.raises(PatunayError) as caught:
        sight(*args, **kwargs)
    return caught.value.code


def line(demands: Policy) -> Check:
    found = evidence(receipt=had(RECEIPT))
    return judge(PLAIN.document, found, demands, NOW).check("anchor")


def test_a_proven_anchor_in_an_attested_block_counts_and_names_who_attests_it() -> None:
    assert line(believing()) == Check(
        "anchor",
        Result.PASSED,
        required=False,
        code="block-attested",
        detail="in the log log.school.example since 2026-11-21T08:00:00Z or before, in "
        "the block 77 that the policy file names",
        source="policy file",
        since=TIME,
        evidence="receipt",
        final=True,
    )


def test_a_block_that_the_issuers_side_alone_asserts_is_no_evidence() -> None:
    found = line(believing(attested_blocks={}))
    assert (found.result, found.code) == (Result.UNDETERMINED, "block-not-attested")
    assert "which the issuer's side alone asserts" in found.detail


@pytest.mark.parametrize("contracts", [frozenset(), frozenset({f"{CHAIN}:0x12"})])
def test_the_contract_has_to_be_one_of_the_policy(contracts: frozenset[str]) -> None:
    assert refused(demands=believing(contracts=contracts)) == "contract-not-accepted"


def test_an_attested_block_counts_on_its_own_chain_alone() -> None:
    elsewhere = {("eip155:1", ANCHOR.block_hash): "policy file"}
    assert refused(demands=believing(attested_blocks=elsewhere)) == "block-not-attested"


def test_an_address_that_no_evm_chain_has_is_not_accepted() -> None:
    odd = f"{CHAIN}:nowhere"
    demands = believing(contracts=frozenset({odd}))
    assert refused(replace(ANCHOR, contract=odd), demands) == "contract-not-accepted"


def test_a_proof_about_another_record_shows_nothing() -> None:
    other = proven(PLAIN.anchor, sha256(b"another record"), TIME)
    demands = believing(attested_blocks={(CHAIN, other.block_hash): "policy file"})
    assert refused(other, demands) == "chain-proof-invalid"


@pytest.mark.parametrize(
    "claim",
    [
        {"block_number": 78},
        {"timestamp": TIME - 100 * DAY},
        {"block_hash": "0x" + "00" * 32},
    ],
)
def test_an_anchor_that_claims_what_its_proof_does_not_show_is_none(claim: Any) -> None:
    assert refused(replace(ANCHOR, **claim)) == "chain-proof-invalid"


def test_a_development_chain_gives_no_time_whoever_attests_its_block() -> None:
    dev = replace(ANCHOR, contract=ANCHOR.contract.replace(CHAIN, "eip155:31337"))
    demands = believing(
        contracts=frozenset({dev.contract}),
        attested_blocks={("eip155:31337", ANCHOR.block_hash): "policy file"},
    )
    assert refused(dev, demands) == "no-time-evidence"


def test_a_chain_out_of_reach_leaves_the_proof_and_says_so_without_one() -> None:
    lost = {ANCHOR.transaction: Missing("anchor-unreachable", "no answer")}
    assert sight(sightings=lost).timestamp == TIME
    unattested = believing(attested_blocks={})
    assert refused(demands=unattested, sightings=lost) == "anchor-unreachable"


def test_six_hundred_flipped_bits_never_give_a_time() -> None:
    assert ANCHOR.proof is not None
    parts = [ANCHOR.proof.header, *ANCHOR.proof.nodes]
    chance = random.Random(8)
    codes = set()
    for _ in range(600):
        bad = [bytearray(part) for part in parts]
        at = chance.randrange(8 * sum(map(len, parts)))
        which = next(i for i in range(len(parts)) if at < 8 * sum(map(len, parts[: i + 1])))
        bad[which][chance.randrange(len(bad[which]))] ^= 1 << at % 8
        proof = replace(
            ANCHOR.proof, header=bytes(bad[0]), nodes=tuple(map(bytes, bad[1:]))
        )
        # The claim follows the header, as a forger's would.
        codes.add(refused(replace(ANCHOR, proof=proof)))
        forged = replace(ANCHOR, proof=proof, block_hash=proof.block_hash)
        codes.add(refused(forged))
    assert codes == {"chain-proof-invalid", "block-not-attested"}
