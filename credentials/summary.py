"""A report in plain sentences that hold up when they are read alone.

Where nothing could be looked up, they say as of when each thing is known, and never more.
"""

from collections.abc import Mapping
from datetime import datetime
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

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


def summarise(case: Case, checks: Mapping[str, Check], standing: Standing) -> str:
    """Say what the checks came to."""
    if not isinstance(case.credential, Credential):
        return f"This is not a credential that can be checked: {case.credential}."
    name = quoted(case.credential.name) if case.credential.name else "This credential"
    core = [checks[n] for n in ("structure", "proof", "issuer-key")]
    authentic = conclude(core)
    if authentic is Outcome.VALID:
        if _is_kept(case):
            return _kept_summary(name, case, checks, standing)
        return f"{name} was signed by {_issuer(case)}; {_STANDING_WORDS[standing]}."
    wanted = Result.FAILED if authentic is Outcome.REJECTED else Result.UNDETERMINED
    reason = next(check.detail for check in core if check.result is wanted)
    if authentic is Outcome.REJECTED:
        return f"{name} is not what {case.credential.issuer} signed: {reason}."
    return f"{name} could not be checked, which does not make it false: {reason}."


def _is_kept(case: Case) -> bool:
    """Tell whether any of the evidence was handed over, and not looked up."""
    found = case.evidence
    lookups = (
        found.receipt,
        *found.did_documents.values(),
        *found.status_lists.values(),
    )
    return any(
        isinstance(one, Obtained) and one.origin is not Origin.LOOKED_UP for one in lookups
    )


def _kept_summary(
    name: str, case: Case, checks: Mapping[str, Check], standing: Standing
) -> str:
    """Say each thing with the day of which it is known."""
    required = [check for check in checks.values() if check.required]
    sure = conclude(required) is Outcome.VALID
    first = "Valid as signed by" if sure else "Signed by"
    parts = [f"{name}: {first} {_issuer(case)}."]
    parts.append(_status_words(case, checks["status"]))
    if checks["dates"].result is not Result.PASSED:
        parts.append(f"Its period: {checks['dates'].detail}.")
    parts += [
        f"Not settled: {check.detail}."
        for check in required
        if check.result is not Result.PASSED and check.name in ("issuer-listed", "anchor")
    ]
    anchored = checks["anchor"].since
    if anchored is not None:
        parts.append(f"Anchored on or before {_day(anchored)}.")
    if standing is not Standing.REVOKED and checks["status"].result is not (
        Result.NOT_APPLICABLE
    ):
        parts.append("Current status is not known offline.")
    return " ".join(part for part in parts if part)


def _status_words(case: Case, status: Check) -> str:
    if status.result is Result.NOT_APPLICABLE:
        return "Its issuer keeps no status for it."
    when = status.obtained_at
    if status.result is Result.PASSED and when is not None:
        words = status.detail.partition(" as of ")[0].capitalize()
        return f"{words} as of {_day(when)} ({_age(case.as_of, when)})."
    if status.result is Result.FAILED:
        return f"Taken back: {status.detail}."
    return f"Whether it was revoked is not known: {status.detail}."


def _age(as_of: datetime, when: datetime) -> str:
    days = (as_of - when).days
    if days < 0:
        return "after the day asked about"
    return "today" if days == 0 else "1 day ago" if days == 1 else f"{days} days ago"


def _day(when: datetime) -> str:
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def _issuer(case: Case) -> str:
    credential = case.readable()
    listed = case.policy.issuers.get(credential.issuer)
    if listed is not None:
        return f"{listed} ({credential.issuer})"
    if credential.issuer_name is not None:
        claim = quoted(credential.issuer_name)
        return f"{credential.issuer}, which calls itself {claim} (its own claim)"
    return f"{credential.issuer}, which is on no list that was given"
