"""A report in plain sentences that hold up when they are read alone.

Where nothing could be looked up, they say as of when each thing is known, and never more.
"""

from collections.abc import Mapping
from typing import Final

from credentials.case import Case
from credentials.evidence import Obtained, Origin
from credentials.model import Credential
from credentials.quoting import quoted
from credentials.report import Check, Outcome, Result, Standing, conclude

_STANDING_WORDS: Final[Mapping[Standing, str]] = {
    Standing.IN_FORCE: "it is in force",
    Standing.EXPIRED: "its period has passed",
    Standing.NOT_YET_VALID: "its period has not begun",
    Standing.SUSPENDED: "its issuer has suspended it for now",
    Standing.REVOKED: "its issuer has taken it back",
    Standing.UNKNOWN: "whether it is in force is not known",
}

_NOT_FORGED: Final = frozenset(
    {"key-compromised-unanchored", "key-denied", "proof-created-in-future"}
)
"""Failures of authenticity where the signature itself is good."""


def summarise(case: Case, checks: Mapping[str, Check], standing: Standing) -> str:
    """Say what the checks came to."""
    if not isinstance(case.credential, Credential):
        return f"This is not a credential that can be checked: {case.credential}."
    name = quoted(case.credential.name) if case.credential.name else "This credential"
    core = [checks[n] for n in ("structure", "proof", "issuer-key")]
    authentic = conclude(core)
    if authentic is Outcome.VALID:
        if case.asked or _is_kept(case, checks):
            from credentials.dated_summary import (  # noqa: PLC0415 - seldom asked
                dated_summary,
            )

            return dated_summary(name, _issuer(case), case, checks, standing)
        return f"{name} was signed by {_issuer(case)}; {_STANDING_WORDS[standing]}."
    wanted = Result.FAILED if authentic is Outcome.REJECTED else Result.UNDETERMINED
    found = next(check for check in core if check.result is wanted)
    if found.code in _NOT_FORGED:
        return f"{name} cannot be accepted as {case.credential.issuer}'s: {found.detail}."
    if authentic is Outcome.REJECTED:
        return f"{name} is not what {case.credential.issuer} signed: {found.detail}."
    return f"{name} could not be checked, which does not make it false: {found.detail}."


def _is_kept(case: Case, checks: Mapping[str, Check]) -> bool:
    """Tell whether any of the evidence was not looked up, or not today."""
    found = case.evidence
    lookups = (
        found.receipt,
        *found.did_documents.values(),
        *found.status_lists.values(),
    )
    age = checks["status"].age_days
    return (age is not None and age > 0) or any(
        isinstance(one, Obtained) and one.origin is not Origin.LOOKED_UP for one in lookups
    )


def _issuer(case: Case) -> str:
    credential = case.readable()
    listed = case.policy.issuers.get(credential.issuer)
    if listed is not None:
        return f"{listed} ({credential.issuer})"
    if credential.issuer_name is not None:
        claim = quoted(credential.issuer_name)
        return f"{credential.issuer}, which calls itself {claim} (its own claim)"
    return f"{credential.issuer}, which is on no list that was given"
