"""One function for each question that is asked of a credential. Pure functions of values.

A check returns its answer, or raises: `Undetermined` when it could not be made, any other
`PatunayError` when it was made and the credential did not hold. `credentials.judge` turns
both into a line of the report, and runs every check whatever the others found.
"""

from collections.abc import Callable, Mapping
from typing import Final

from credentials.case import Case, had
from credentials.issuer_listing import check_issuer_listed
from credentials.proof_checks import (
    check_dates,
    check_issuer_key,
    check_proof,
    check_structure,
)
from credentials.report import Check, Result


def check_anchor(case: Case) -> Check:
    """The credential existed by the time of a block that the verifier believes."""
    case.readable()
    receipt = had(case.evidence.receipt).value
    from credentials.anchor_check import judge_anchor  # noqa: PLC0415 - see there

    return judge_anchor(receipt, case)


def check_status(case: Case) -> Check:
    """The issuer has not taken the credential back, as far as its lists say."""
    if not case.readable().statuses:
        return Check(
            "status", Result.NOT_APPLICABLE, detail="the issuer keeps no status for it"
        )
    from credentials.status_check import judge_status  # noqa: PLC0415 - not all have one

    return judge_status(case)


CHECKS: Final[Mapping[str, Callable[[Case], Check]]] = {
    "structure": check_structure,
    "proof": check_proof,
    "issuer-key": check_issuer_key,
    "dates": check_dates,
    "status": check_status,
    "issuer-listed": check_issuer_listed,
    "anchor": check_anchor,
}
"""Every check by its name, in the order of the report."""
