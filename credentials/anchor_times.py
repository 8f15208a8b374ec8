"""When an anchor was made: the word of a chain that the verifier believes, or none."""

from typing import Final

from anchoring.backend import AnchorReceipt, Sighting
from anchoring.cosignature import Witnessed, require_witnesses
from credentials.evidence import Evidence, EvidenceMissing, Missing, Obtained
from credentials.policy import DEVELOPMENT_CHAINS, Policy
from primitives.errors import Undetermined

_NOBODY_LOOKED: Final = "name an endpoint of that chain with --rpc"


class NoTimeEvidence(Undetermined):
    """The only anchors are on development chains, whose clocks anyone can set."""

    code = "no-time-evidence"
    hint = "anchor on a public chain to have evidence of time"


class ContractNotAccepted(Undetermined):
    """No anchor is in a contract that the policy believes."""

    code = "contract-not-accepted"


class NoWitnesses(Undetermined):
    """The verifier believes no witness."""

    code = "no-witnesses"
    hint = "name witnesses in the trust file"


def sight_anchor(
    anchor: AnchorReceipt, evidence: Evidence, policy: Policy
) -> Obtained[Sighting]:
    """Return what the chain itself shows of `anchor`.

    Raises:
        NoTimeEvidence: It is on a development chain.
        ContractNotAccepted: The policy does not believe its contract.
        EvidenceMissing: The chain shows another event there, or was not asked.
    """
    chain = anchor.contract.rpartition(":")[0]
    if chain in DEVELOPMENT_CHAINS:
        raise NoTimeEvidence(f"anchored on the development chain {chain} only")
    if policy.contracts and anchor.contract not in policy.contracts:
        raise ContractNotAccepted(f"{anchor.contract} is on no list of the policy")
    found = evidence.sightings.get(anchor.transaction)
    if isinstance(found, Obtained) and found.value.receipt == anchor:
        return found
    if isinstance(found, Obtained):
        found = Missing("anchor-not-shown", f"{chain} shows another event there")
    unasked = Missing("anchor-not-looked-up", f"nobody looked on {chain}", _NOBODY_LOOKED)
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
        raise NoWitnesses("found no witnesses in the trust file")
    return require_witnesses(note, policy.witnesses)
