"""Sentences for what was not looked up just now: each thing with the day of which it holds.

Also for a question about another day than today. First whose signature it is and whether
the office's demands are met, then what is known as of when, then what nobody can know here.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from credentials.anchor_times import WITNESSED
from credentials.case import Case
from credentials.clock_check import ClockImplausible
from credentials.issuer_listing import PACK_STALE
from credentials.key_standing import ANCHORED_BEFORE, TIME_ONLY_CLAIMED
from credentials.key_then import KEY_LISTED_LATER, KEY_THEN_UNKNOWN
from credentials.proof_checks import AS_LOGGED
from credentials.report import Check, Outcome, Result, Standing, conclude
from credentials.status_check import Revoked
from credentials.status_timeline import SuspensionThenUnknown

_KEY_WORDS: Final[Mapping[str, str]] = {
    AS_LOGGED: "Whether its key was stolen since is not known.",
    TIME_ONLY_CLAIMED: "That it was signed before its key was replaced is only claimed.",
    ANCHORED_BEFORE: "Its key was stolen later, and it was there before.",
    KEY_LISTED_LATER: "By its issuer's history the key came into use later.",
    KEY_THEN_UNKNOWN: "Whether its key was in use then is not known.",
}
"""What a remark on the key means to somebody who reads one sentence."""

_PERIOD_WORDS: Final[Mapping[str, str]] = {
    "expired": "Its period has passed",
    "not-yet-valid": "Its period had not begun",
    "not-yet-signed": "It was not there yet",
}

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


def dated_summary(
    name: str, issuer: str, case: Case, checks: Mapping[str, Check], standing: Standing
) -> str:
    """Say each thing with the day of which it is known.

    Args:
        name: Of the credential, quoted.
        issuer: As it may be shown.
        case: With the moment asked about.
        checks: Of the report, by name; those of authenticity passed.
        standing: What they came to.
    """
    required = [check for check in checks.values() if check.required]
    sure = conclude(required) is Outcome.VALID
    then = f" on {_day(case.as_of)}" if case.asked else ""
    first = f"Valid{then} as signed by" if sure else "Signed by"
    parts = [f"{name}: {first} {issuer}."]
    if case.asked and not sure:
        parts.append(f"Asked about {_day(case.as_of)}.")
    parts += [
        _demand_words(check)
        for check in required
        if check.result is not Result.PASSED and check.name in ("issuer-listed", "anchor")
    ]
    parts += [
        _clock_words(checks["dates"]),
        _status_words(case, checks["status"]),
        _period_words(checks["dates"]),
        _anchor_words(checks["anchor"]),
        _key_words(case, checks["issuer-key"]),
        _list_words(checks["issuer-listed"]),
    ]
    if checks["status"].result is Result.PASSED or standing is Standing.SUSPENDED:
        parts.append(_outlook(case))
    return " ".join(part for part in parts if part)


def _demand_words(check: Check) -> str:
    words = "Not accepted" if check.result is Result.FAILED else "Not settled"
    return f"{words}: {check.detail}."


def _clock_words(dates: Check) -> str:
    if dates.code != ClockImplausible.code:
        return ""
    return f"The clock cannot be right, so nothing is said about today: {dates.detail}."


def _period_words(dates: Check) -> str:
    if dates.result is Result.PASSED or dates.code == ClockImplausible.code:
        return ""
    return f"{_PERIOD_WORDS.get(dates.code, 'Its period')}: {dates.detail}."


def _outlook(case: Case) -> str:
    clock, pack = case.clock or case.as_of, case.policy.pack
    if not case.asked or case.as_of.date() == clock.date():
        return "Current status is not known offline."
    if case.as_of < clock or (pack is not None and clock < pack.newest):
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
    if anchor.result is not Result.PASSED:
        return f"{word} later, by {_day(anchor.since)}."
    return f"{word} on or before {_day(anchor.since)}."


def _status_words(case: Case, status: Check) -> str:
    if status.result is Result.NOT_APPLICABLE:
        return "Its issuer keeps no status for it."
    if status.code == ClockImplausible.code:
        return ""
    if status.result is Result.UNDETERMINED or status.as_of is None:
        taken = "suspended" if status.code == SuspensionThenUnknown.code else "revoked"
        return f"Whether it was {taken} is not known: {status.detail}."
    known = _known(case, status.as_of)
    if status.result is Result.FAILED:
        when = "by then" if case.asked and status.final else known
        return _taken_back_words(status, when)
    return _clear_words(status, known)


def _taken_back_words(status: Check, when: str) -> str:
    if status.code == Revoked.code:
        return f"Revoked by its issuer, {when}; that is final."
    if status.final:
        return "Suspended by its issuer at that time."
    return f"Suspended by its issuer, {when}; that may have been lifted."


def _clear_words(status: Check, known: str) -> str:
    words = status.detail.partition(" as of ")[0].capitalize()
    if status.since is not None:
        return f"{words} then, and revoked later, by {_day(status.since)}."
    if status.final and status.as_of is not None:
        return f"{words} then, nor until {_day(status.as_of)}."
    return f"{words} {known}."


def _known(case: Case, when: datetime) -> str:
    """Say as of when, and how long before the moment asked about that is."""
    days = (case.as_of - when).days
    if case.as_of < when:
        return f"as of {_day(when)}"
    if days == 0:
        age = "the same day" if case.asked else "today"
    else:
        age = f"{days} day{'s' if days > 1 else ''} {'before' if case.asked else 'ago'}"
    return f"as of {_day(when)} ({age})"


def _day(when: date) -> str:
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"
