"""A report in plain sentences that hold up when they are read alone.

Where nothing could be looked up, they say as of when each thing is known, and never more.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from credentials.anchor_times import WITNESSED
from credentials.case import Case
from credentials.evidence import Obtained, Origin
from credentials.issuer_listing import PACK_STALE
from credentials.key_standing import ANCHORED_BEFORE, TIME_ONLY_CLAIMED
from credentials.key_then import KEY_LISTED_LATER, KEY_THEN_UNKNOWN
from credentials.model import Credential
from credentials.proof_checks import AS_LOGGED
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

_KEY_WORDS: Final[Mapping[str, str]] = {
    AS_LOGGED: "Whether its key was stolen since is not known.",
    TIME_ONLY_CLAIMED: "That it was signed before its key was replaced is only claimed.",
    ANCHORED_BEFORE: "Its key was stolen later, and it was there before.",
    KEY_LISTED_LATER: "By its issuer's history the key came into use later.",
    KEY_THEN_UNKNOWN: "Whether its key was in use then is not known.",
}
"""What a remark on the key means to somebody who reads one sentence."""

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
        if case.asked or _is_kept(case, checks):
            return _dated_summary(name, case, checks, standing)
        return f"{name} was signed by {_issuer(case)}; {_STANDING_WORDS[standing]}."
    wanted = Result.FAILED if authentic is Outcome.REJECTED else Result.UNDETERMINED
    reason = next(check.detail for check in core if check.result is wanted)
    if authentic is Outcome.REJECTED:
        return f"{name} is not what {case.credential.issuer} signed: {reason}."
    return f"{name} could not be checked, which does not make it false: {reason}."


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


def _dated_summary(
    name: str, case: Case, checks: Mapping[str, Check], standing: Standing
) -> str:
    """Say each thing with the day of which it is known."""
    required = [check for check in checks.values() if check.required]
    sure = conclude(required) is Outcome.VALID
    then = f" on {_day(case.as_of)}" if case.asked else ""
    first = f"Valid{then} as signed by" if sure else "Signed by"
    parts = [f"{name}: {first} {_issuer(case)}."]
    if case.asked and not sure:
        parts.append(f"Asked about {_day(case.as_of)}.")
    parts.append(_status_words(case, checks["status"]))
    if checks["dates"].result is not Result.PASSED:
        parts.append(f"Its period: {checks['dates'].detail}.")
    parts += [
        f"Not settled: {check.detail}."
        for check in required
        if check.result is not Result.PASSED and check.name in ("issuer-listed", "anchor")
    ]
    parts.append(_anchor_words(checks["anchor"]))
    parts += [_key_words(case, checks["issuer-key"]), _list_words(checks["issuer-listed"])]
    if standing is not Standing.REVOKED and checks["status"].result is not (
        Result.NOT_APPLICABLE
    ):
        parts.append(_outlook(case))
    return " ".join(part for part in parts if part)


def _outlook(case: Case) -> str:
    asked, today = case.as_of.date(), (case.clock or case.as_of).date()
    if asked == today:
        return "Current status is not known offline."
    if asked < today:
        return ""
    return "That day lies ahead: what is taken back until then, nobody knows."


def _key_words(case: Case, key: Check) -> str:
    """Say as of when it is known that nobody had stolen the key, or that it is not."""
    if key.code in _KEY_WORDS:
        return _KEY_WORDS[key.code]
    when = key.as_of
    if key.final or when is None or (case.asked and when >= case.as_of):
        return ""
    return f"Its key was not known to be stolen as of {_day(when)}."


def _list_words(listed: Check) -> str:
    return "The trust pack is past its date." if listed.code == PACK_STALE else ""


def _anchor_words(anchor: Check) -> str:
    if anchor.since is None:
        return ""
    word = "Witnessed" if anchor.code == WITNESSED else "Anchored"
    late = " only" if anchor.result is not Result.PASSED else ""
    return f"{word}{late} on or before {_day(anchor.since)}."


def _status_words(case: Case, status: Check) -> str:
    if status.result is Result.NOT_APPLICABLE:
        return "Its issuer keeps no status for it."
    when = status.as_of
    if status.result is Result.FAILED:
        return f"Taken back: {status.detail}."
    if status.result is Result.UNDETERMINED or when is None:
        return f"Whether it was revoked is not known: {status.detail}."
    words = status.detail.partition(" as of ")[0].capitalize()
    if status.since is not None:
        return f"{words} then, and revoked later, by {_day(status.since)}."
    if status.final:
        return f"{words} then, nor until {_day(when)}."
    return f"{words} as of {_day(when)} ({_age(case.as_of, when, asked=case.asked)})."


def _age(as_of: datetime, when: datetime, *, asked: bool) -> str:
    days = max(0, (as_of - when).days)
    since = "before" if asked else "ago"
    if days == 0:
        return "the same day" if asked else "today"
    return f"1 day {since}" if days == 1 else f"{days} days {since}"


def _day(when: date) -> str:
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
