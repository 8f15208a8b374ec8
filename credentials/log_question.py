"""Whether the issuer's log has to be read to judge a credential. Pure functions of values.

Reading a log is the one look-up that grows with everything an issuer has ever issued. So
it is asked for only where it decides: where a key that was declared compromised has signed,
and no receipt is there that would do instead.
"""

from datetime import datetime

from credentials.case import Case, key_state
from credentials.data_integrity import Proof
from credentials.evidence import Obtained
from credentials.proof_checks import check_proof
from primitives.errors import PatunayError


def log_wanted_since(case: Case) -> datetime | None:
    """Return since when a key that signed is stolen, if the log has to be read for it.

    None where the signature does not hold: strangers who do not have the key must not be
    able to ask for so much work.
    """
    try:
        since = _stolen_since(case)
        if since is None:
            return None
        check_proof(case)
    except PatunayError:
        return None  # the checks report it; a log would not help
    receipt = case.evidence.receipt
    anchors = receipt.value.anchors if isinstance(receipt, Obtained) else ()
    # A claim so far. Where the chain does not confirm it, the answer is left open.
    return None if any(anchor.timestamp < since for anchor in anchors) else since


def _stolen_since(case: Case) -> datetime | None:
    """Return the earliest time since when a key that signed may have been another's."""
    issuer = case.readable().issuer
    states = [
        key_state(issuer, proof.verification_method, case)
        for proof in case.proofs()
        if isinstance(proof, Proof)
    ]
    times = [s.compromised_since for s in states if s.compromised_since is not None]
    return min(times, default=None)
