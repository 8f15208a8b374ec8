"""When an anchor was made: the word of a chain that the verifier believes, or none.

The verifier asked the chain itself, or it believes the hash of a block and the receipt
proves the event in it (`anchoring.chain_proof`). Either way the anchor is bound to one
record's digest and one contract.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from anchoring.backend import AnchorReceipt
from anchoring.chain_proof import ChainProof, ProvenEvent, prove_anchored
from anchoring.cosignature import Witnessed, require_witnesses
from contracts.artifact import load_artifact
from credentials.evidence import Evidence, EvidenceMissing, Missing, Obtained
from credentials.policy import DEVELOPMENT_CHAINS, Policy
from primitives.errors import PatunayError, Undetermined
from primitives.hashing import Digest

BLOCK_ATTESTED = "block-attested"
"""Remark: the chain was not asked; the verifier's own side names the block."""

WITNESSED = "checkpoint-witnessed"
"""Remark: no chain says so, but enough of the verifier's witnesses do."""

_NOBODY_LOOKED: Final = "name an endpoint of that chain with --rpc"
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


class NoTimeEvidence(Undetermined):
    """The only anchors are on development chains, whose clocks anyone can set."""

    code = "no-time-evidence"
    hint = "anchor on a public chain to have evidence of time"


class AnchorUnconfirmed(Undetermined):
    """The anchor lies less deep in its chain than the policy wants."""

    code = "anchor-unconfirmed"
    hint = "try again when the chain has grown"


class ContractNotAccepted(Undetermined):
    """No anchor is in a contract that the policy believes."""

    code = "contract-not-accepted"


class NoWitnesses(Undetermined):
    """The verifier believes no witness."""

    code = "no-witnesses"
    hint = "name witnesses in the trust file"


class BlockNotAttested(Undetermined):
    """The proof holds in a block of which nobody that the verifier believes has spoken."""

    code = "block-not-attested"
    hint = (
        "name the block in the policy file, use a trust pack that has it, or ask the chain"
        " with --rpc"
    )


@dataclass(frozen=True, slots=True)
class AnchorTime:
    """When a record was written to a chain, and who says so."""

    timestamp: datetime
    """Time of the block, aware."""

    words: str
    """How it is known, for people."""

    source: str
    """The chain that was asked, or who attests the block."""

    obtained_at: datetime | None
    """When the chain was asked; None where a block is attested."""

    code: str = ""
    """`BLOCK_ATTESTED`, or empty where the chain was asked."""


def sight_anchor(
    anchor: AnchorReceipt, digest: Digest, evidence: Evidence, policy: Policy
) -> AnchorTime:
    """Return what is known of `anchor`: from the chain itself, or else by its proof.

    Args:
        anchor: From whoever asks to be believed.
        digest: Of the anchor record, worked out from it.
        evidence: What a chain that the verifier asked shows; found for this digest.
        policy: Contracts and blocks that are believed.

    Raises:
        NoTimeEvidence: It is on a development chain.
        ContractNotAccepted: The policy does not believe its contract.
        AnchorUnconfirmed: Too few blocks lie on it for the policy.
        BlockNotAttested: It is proven, in a block that nobody attests.
        EvidenceMissing: The chain shows another event there, the proof does not hold, or
            there is neither.
    """
    chain = anchor.contract.rpartition(":")[0]
    if chain in DEVELOPMENT_CHAINS:
        raise NoTimeEvidence(f"anchored on the development chain {chain} only")
    if policy.contracts and anchor.contract not in policy.contracts:
        raise ContractNotAccepted(f"{anchor.contract} is on no list of the policy")
    found = evidence.sightings.get(anchor.transaction)
    if isinstance(found, Obtained):
        seen = found.value
        if seen.receipt != anchor:
            shown = f"{chain} shows another event there"
            raise EvidenceMissing(Missing("anchor-not-shown", shown))
        if seen.depth < policy.confirmations:
            raise AnchorUnconfirmed(
                f"found the anchor {seen.depth} blocks deep, want {policy.confirmations}"
            )
        words = f"{seen.depth} blocks deep"
        time = seen.receipt.timestamp
        return AnchorTime(time, words, found.source, found.obtained_at)
    unasked = Missing("anchor-not-looked-up", f"nobody looked on {chain}", _NOBODY_LOOKED)
    if anchor.proof is not None:
        try:
            return _proven(anchor, anchor.proof, digest, policy)
        except Undetermined:
            if found is None:
                raise  # else the reason why the chain did not answer says more
    raise EvidenceMissing(found or unasked)


def sight_witnesses(note: str, policy: Policy) -> Witnessed:
    """Return since when the policy's witnesses have seen a checkpoint.

    Args:
        note: A checkpoint that the log has signed.
        policy: Names the witnesses, and how many of them have to agree.

    Raises:
        NoWitnesses: The policy names none.
        WitnessesTooFew: Not enough of them have.
        CosignatureInvalid: A line names one of them, and is not its.
    """
    if policy.witnesses is None:
        raise NoWitnesses("the receipt has no anchor, and the trust file no witnesses")
    return require_witnesses(note, policy.witnesses)


def _proven(
    anchor: AnchorReceipt, proof: ChainProof, digest: Digest, policy: Policy
) -> AnchorTime:
    """Return what a proof shows, where the verifier's side attests its block.

    1. The proof shows the event, and the block that the anchor names.
    2. That block is attested.
    3. The contract is one that the policy names: nobody was asked who could vouch for it.
    """
    chain, _, address = anchor.contract.rpartition(":")
    if not _ADDRESS.fullmatch(address):
        raise ContractNotAccepted(f"{anchor.contract} is no contract of an EVM chain")
    try:
        event = prove_anchored(
            proof, address=address, topic=load_artifact().anchored_topic, digest=digest
        )
    except PatunayError as e:
        raise EvidenceMissing(Missing(e.code, str(e))) from e
    if not _is_of(anchor, event):
        found = f"the proof is of the block {event.block_number} {event.block_hash}"
        raise EvidenceMissing(Missing("chain-proof-invalid", found))
    attested_by = policy.attested_blocks.get((chain, event.block_hash))
    if attested_by is None:
        raise BlockNotAttested(
            f"proven in the block {event.block_hash} of {chain}, which the issuer's side"
            " alone asserts"
        )
    if anchor.contract not in policy.contracts:
        raise ContractNotAccepted(
            f"{anchor.contract} is not named by the policy, and the chain was not asked"
        )
    words = f"in the block {event.block_number} that the {attested_by} names"
    return AnchorTime(event.timestamp, words, attested_by, None, BLOCK_ATTESTED)


def _is_of(anchor: AnchorReceipt, event: ProvenEvent) -> bool:
    claimed = anchor.block_hash, anchor.block_number, anchor.timestamp
    return claimed == (event.block_hash, event.block_number, event.timestamp)
